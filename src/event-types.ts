/**
 * The types of an application's events, given once to {@link Hub}.
 *
 * In `client` and `server` a name maps to the type of the event's data or, for an event that is a request, to a
 * function from the data to the reply.
 *
 * @example
 * const hub = new Hub<{
 *   client: { chat: string; sum: (numbers: { a: number; b: number }) => number };
 *   server: { chat: { from: string; text: string }; areYouThere: () => boolean };
 *   data: { name: string };
 * }>();
 */
export interface HubTypes {
  /** The events that clients send. Default: any event with any data. */
  client?: object;
  /** The events that the server sends. Default: any event with any data. */
  server?: object;
  /** The type of `socket.data`. Default: any properties. */
  data?: object;
  /** The events that the nodes of a cluster send each other. Default: any event with any data. */
  nodes?: object;
  /** The type of the user that `authenticate` returns. */
  user?: User;
  /** The type of the data of `socket.presence(room).set`. Default: any JSON value. */
  presence?: unknown;
}

/** A user, as `authenticate` returns one. `hub.toUser` finds all sockets of a user by its `id`. */
export interface User {
  readonly id: string;
  /**
   * The time when the credentials expire, in milliseconds since 1970. The socket is closed with 4103 at that time,
   * unless `socket.refresh` was called before. Default: never.
   */
  readonly expiresAt?: number | undefined;
}

/* oxlint-disable typescript/no-explicit-any -- without types given, an application's data is its own business */
/** Any event with any data: the events of an application that gives no types. */
type AnyEvents = Record<string, any>;

export type ClientEvents<T extends HubTypes> = T extends { client: infer E extends object } ? E : AnyEvents;
export type ServerEvents<T extends HubTypes> = T extends { server: infer E extends object } ? E : AnyEvents;
export type NodeEvents<T extends HubTypes> = T extends { nodes: infer E extends object } ? E : AnyEvents;
export type SocketData<T extends HubTypes> = T extends { data: infer D extends object } ? D : Record<string, any>;
export type PresenceData<T extends HubTypes> = T extends { presence: infer D } ? D : any;
export type UserOf<T extends HubTypes> = T extends { user: infer U extends User } ? U : User;

/** A function type. In a map of events it marks a request. */
type AnyRequest = (data: any) => unknown;

/** `true` for `any` alone. Without this test `any` would take both branches of every condition. */
type IsAny<T> = 0 extends 1 & T ? true : false;

/** The names of the events in a map. */
export type EventName<E extends object> = keyof E & string;

/** The names of the events in a map that are requests. */
export type RequestName<E extends object> = {
  [K in EventName<E>]: IsAny<E[K]> extends true ? K : E[K] extends AnyRequest ? K : never;
}[EventName<E>];

/** The data of an event. */
export type EventData<V> =
  IsAny<V> extends true ? any : V extends AnyRequest ? (Parameters<V> extends [] ? undefined : Parameters<V>[0]) : V;

/** The data of the reply to a request. */
export type EventReply<V> = IsAny<V> extends true ? any : V extends AnyRequest ? Awaited<ReturnType<V>> : undefined;
/* oxlint-enable typescript/no-explicit-any */

/**
 * An event of a map with its data: a test of the name narrows the data. Where the map names no events, the data is not
 * known.
 */
export type NamedEvent<E extends object> = string extends keyof E
  ? { readonly event: string; readonly data: unknown }
  : [EventName<E>] extends [never]
    ? { readonly event: string; readonly data: unknown }
    : { [K in EventName<E>]: { readonly event: K; readonly data: EventData<E[K]> } }[EventName<E>];

/** The arguments after the event's name. The data may be left out if it may be `undefined`. */
export type DataArguments<V> = undefined extends EventData<V> ? [data?: EventData<V>] : [data: EventData<V>];

/** The arguments after the name of a request, which also takes options. */
export type RequestArguments<V, O> =
  undefined extends EventData<V> ? [data?: EventData<V>, options?: O] : [data: EventData<V>, options?: O];

/**
 * The type that a handler of the event may return. For an event that is not a request, the return value is not used.
 */
export type HandlerResult<V> =
  IsAny<V> extends true ? unknown : V extends AnyRequest ? EventReply<V> | Promise<EventReply<V>> : unknown;
