import { EVERYBODY, type Audience } from "../members/audience.ts";
import { checkCloseArguments, checkCount, checkFunction, onlyValue, timeoutOf } from "../checks/arguments.ts";
import type {
  ClientEvents,
  DataArguments,
  EventData,
  EventName,
  EventReply,
  HandlerResult,
  HubTypes,
  RequestArguments,
  RequestName,
  ServerEvents,
  SocketData,
  UserOf,
} from "../event-types.ts";
import type { Core } from "../members/lifecycle.ts";
import { checkUser } from "../door/authenticator.ts";
import { HubError } from "../errors.ts";
import type { Handshake } from "../members/handshake.ts";
import type { Member } from "../members/member.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { disconnected, type RequestOptions } from "../members/requests.ts";
import { roomsOf, type RoomNames } from "../rooms/rooms.ts";
import { Target } from "./target.ts";
import { SetView } from "./views.ts";

/**
 * One client's connection, from the hub's `connection` event to its `disconnection` event.
 *
 * Once it is closed, sending, joining and closing do nothing: a client may vanish at any moment, and no program can
 * check for it first.
 */
export class Socket<T extends HubTypes = HubTypes> {
  readonly #core: Core;
  readonly #member: Member;
  #data: SocketData<T> | undefined;

  constructor(core: Core, member: Member) {
    this.#core = core;
    this.#member = member;
  }

  /**
   * Made by the server, 21 characters that nobody can guess, never used again. With a backplane, those of its node's id come
   * before them.
   */
  get id(): string {
    return this.#member.id;
  }

  /** What `authenticate` returned; `undefined` for a hub without. */
  get user(): UserOf<T> | undefined {
    return this.#member.user as UserOf<T> | undefined;
  }

  /** When the credentials expire, in milliseconds since 1970; `undefined` for never. */
  get expiresAt(): number | undefined {
    return this.#member.expiresAt;
  }

  /**
   * Takes what fresh credentials say of the user: replaces `socket.user`, and with it `expiresAt`.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for another user, or where there is none; `ERR_HUB_AUTHENTICATE` as for what
   *   `authenticate` returns.
   */
  refresh(user: UserOf<T>): void {
    checkUser(user);
    if (user.id !== this.#member.user?.id) {
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        "refresh() takes the same user again. For another one, close the socket and let the client come back.",
      );
    }
    this.#member.user = user;
    if (this.isOpen) this.#core.expiry.watch(this.#member);
  }

  /** The upgrade request: URL, headers, address. */
  get handshake(): Handshake {
    return this.#member.handshake;
  }

  /** Whatever the application wants to keep on this socket. Empty at first. */
  get data(): SocketData<T> {
    return (this.#data ??= {} as SocketData<T>);
  }

  set data(data: SocketData<T>) {
    this.#data = data;
  }

  /**
   * The rooms that the socket is in. In and after the `disconnection` event, those that it was in at its end.
   */
  get rooms(): SetView<string> {
    return SetView.of(() => roomsOf(this.#member), same, same);
  }

  /** `false` from the moment that either end begins to close. */
  get isOpen(): boolean {
    return this.#member.open;
  }

  /** How many bytes the transport holds for this client because the network has not taken them yet. */
  get bufferedAmount(): number {
    return this.#member.connection.bufferedAmount;
  }

  /** The subprotocol that was agreed on, or an empty string. */
  get protocol(): string {
    return this.#member.connection.protocol;
  }

  /** Everybody but this socket. */
  get broadcast(): Target<T> {
    return new Target(this.#core, { ...EVERYBODY, exceptSockets: [this.id] });
  }

  /**
   * The members of these rooms, but not this socket.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.broadcast.to(...rooms);
  }

  /**
   * Everybody but this socket, the members of these rooms and the other sockets.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  except(...excluded: readonly (RoomNames | Socket<T>)[]): Target<T> {
    return this.broadcast.except(...excluded);
  }

  /**
   * This client, for messages that are worthless when late: skipped while it is behind. See `target.volatile`.
   */
  get volatile(): Target<T> {
    return new Target<T>(this.#core, this.#self).volatile;
  }

  /** This client, with another answer to its reading too slowly. See {@link Target.overload}. */
  overload(policy: OverloadPolicy): Target<T> {
    return new Target<T>(this.#core, this.#self).overload(policy);
  }

  /** This client, for values of which only the newest counts. See {@link Target.latest}. */
  latest(key: string): Target<T> {
    return new Target<T>(this.#core, this.#self).latest(key);
  }

  /**
   * Sends an event to this client. The data is encoded now.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_CONTRACT`, `ERR_HUB_UNSERIALISABLE`,
   *   `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...values: DataArguments<ServerEvents<T>[E]>): void {
    const data = onlyValue(values);
    this.#core.checkSent(event, data);
    this.#core.tell(this.#member, { event, data }, this.#core.overloadOf(EVERYBODY));
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame. Bytes are copied now.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  send(message: string | Uint8Array): void {
    const { codecs, delivery } = this.#core;
    delivery.send(this.#member, codecs.frame(message, this.#core.overloadOf(EVERYBODY)));
  }

  /**
   * Sends an event and resolves with the client's reply.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT`, `ERR_HUB_DISCONNECTED`, `ERR_HUB_CLOSED`, a
   *   {@link RemoteError} with what the client answered, and for mistakes whatever `emit` throws.
   */
  async request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<EventReply<ServerEvents<T>[E]>> {
    this.#core.checkSent(event, data);
    const timeout = timeoutOf(options);
    if (!this.isOpen) throw disconnected(this.id);
    const { codecs, local, requests } = this.#core;
    const request = { id: requests.nextId(), event, timeout };
    const encoding = codecs.encode({ event, data, id: request.id }, this.#member.codec);
    const { replies, failures } = await local.request(this.#self, request, encoding).replies;
    if (replies.has(this.id)) return replies.get(this.id) as EventReply<ServerEvents<T>[E]>;
    throw failures.get(this.id) ?? disconnected(this.id);
  }

  /**
   * Handles an event of this socket, instead of `hub.handle`. What the handler returns answers a request.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`, `ERR_HUB_HANDLED` if this socket handles the event already,
   *   `ERR_HUB_LIMIT`.
   */
  on<E extends EventName<ClientEvents<T>>>(
    event: E,
    handler: (data: EventData<ClientEvents<T>[E]>, socket: Socket<T>) => HandlerResult<ClientEvents<T>[E]>,
  ): this {
    this.#core.checkHandled(event);
    checkFunction(handler, "A handler");
    const handlers = (this.#member.handlers ??= new Map());
    checkCount(handlers.size, this.#core.limits.listeners, "handlers of this socket");
    if (handlers.has(event)) {
      throw new HubError(
        "ERR_HUB_HANDLED",
        `This socket handles "${event}" already. Call socket.off("${event}") first.`,
      );
    }
    handlers.set(event, handler);
    return this;
  }

  /** Removes the handler of this socket; `hub.handle` takes over again. */
  off(event: EventName<ClientEvents<T>>): this {
    this.#member.handlers?.delete(event);
    return this;
  }

  /**
   * Puts the socket into these rooms. One that it is in already changes nothing.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_LIMIT`, and then none of the rooms was joined.
   */
  join(...rooms: readonly RoomNames[]): void {
    const names = this.#core.roomNames(rooms);
    if (this.isOpen) this.#core.join([this.#member], names);
  }

  /**
   * Takes the socket out of these rooms. One that it is not in changes nothing.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, and then none of the rooms was left.
   */
  leave(...rooms: readonly RoomNames[]): void {
    const names = this.#core.roomNames(rooms);
    if (this.isOpen) for (const name of names) this.#core.members.rooms.leave(this.#member, name);
  }

  /**
   * Closes the connection, after everything that was sent before. From now on the socket is in no room and no target;
   * `disconnection` follows in a microtask.
   *
   * @param code - 1000 by default; your own are 4000 to 4999, of which `docs/PROTOCOL.md` gives the first 300 a meaning.
   * @param reason - at most 123 bytes in UTF-8.
   * @throws {HubError} `ERR_HUB_CLOSE_CODE`.
   */
  close(code?: number, reason?: string): void {
    const checked = checkCloseArguments(code, reason);
    this.#core.closeMember(this.#member, checked.code, checked.reason);
  }

  /** Cuts the connection. What was sent but not yet written is lost; the client sees 1006. */
  terminate(): void {
    this.#core.terminateMember(this.#member);
  }

  get #self(): Audience {
    return { ...EVERYBODY, everybody: false, sockets: [this.id] };
  }
}

function same(room: string): string {
  return room;
}
