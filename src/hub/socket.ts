import { checkClose, checkCount, checkFunction, onlyValue, type SocketLike } from "../checks/arguments.ts";
import { isObject } from "../checks/option-rules.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { HubError } from "../errors.ts";
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
import { handled } from "../guard.ts";
import { EVERYBODY, type Audience } from "../members/audience.ts";
import type { Handshake } from "../members/handshake.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { HandlerContext } from "../members/handler-context.ts";
import type { Member } from "../members/member.ts";
import { disconnected, timeoutOf, type RequestOptions } from "../members/requests.ts";
import { checkUser } from "../members/user.ts";
import type { Presence } from "../presence/presence.ts";
import { roomsOf, type RoomNames } from "../rooms/rooms.ts";
import { SocketPresence } from "./socket-presence.ts";
import { Target, type TargetParts } from "./target.ts";
import { SetView } from "./views.ts";

/** Options of `socket.join`. */
export interface JoinOptions {
  /**
   * The position of the client in the record of the room, as the client has sent it. Any value may be given: what is no
   * position of this room makes the client learn that something may be missing.
   */
  readonly since: unknown;
}

/** The parts that all sockets of a hub share. */
export interface SocketParts extends TargetParts {
  readonly lifecycle: MemberLifecycle;
  readonly local: LocalNode;
  readonly presence: Presence | undefined;
}

/**
 * The connection of one client, from the hub's `connection` event to its `disconnection` event.
 *
 * On a closed socket, sending, joining and closing do nothing: a client may vanish at any moment, and no program can
 * check for that first.
 */
export class Socket<T extends HubTypes = HubTypes> {
  readonly #parts: SocketParts;
  readonly #member: Member;

  constructor(parts: SocketParts, member: Member) {
    this.#parts = parts;
    this.#member = member;
  }

  /**
   * The id of the socket: 21 characters, made by the server, that nobody can guess and that are never used again. With
   * a backplane, the characters of the node's id come before them.
   */
  get id(): string {
    return this.#member.id;
  }

  /** The user that `authenticate` returned; `undefined` for a hub without `authenticate`. */
  get user(): UserOf<T> | undefined {
    return this.#member.user as UserOf<T> | undefined;
  }

  /** The time when the credentials expire, in milliseconds since 1970; `undefined` for never. */
  get expiresAt(): number | undefined {
    return this.#member.expiresAt;
  }

  /**
   * Replaces `socket.user`, and with it `expiresAt`, by what fresh credentials say of the same user.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for another user, or if the socket has none; `ERR_HUB_AUTHENTICATE` as for
   *   what `authenticate` returns.
   */
  refresh(user: UserOf<T>): void {
    checkUser(user);
    if (user.id !== this.#member.user?.id) {
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        "refresh() takes the same user again. For another user, close the socket and let the client reconnect.",
      );
    }
    this.#parts.lifecycle.renew(this.#member, user);
  }

  /** The upgrade request: URL, headers, address. */
  get handshake(): Handshake {
    return this.#member.handshake;
  }

  /** The application's own data about this socket; an empty object at first. */
  get data(): SocketData<T> {
    return (this.#member.data ??= {}) as SocketData<T>;
  }

  set data(data: SocketData<T>) {
    this.#member.data = data as Member["data"];
  }

  /**
   * The rooms that the socket is in. From the `disconnection` event on, the rooms that the socket was in at its end.
   */
  get rooms(): SetView<string> {
    return SetView.of(() => roomsOf(this.#member), same, same);
  }

  /**
   * `false` once either end has begun to close. If messages wait that the client sent before it closed, `false` only once
   * they have been handled, or after ten seconds.
   */
  get isOpen(): boolean {
    return this.#member.open;
  }

  /** Number of bytes that the transport holds for this client because the network has not taken them yet. */
  get bufferedAmount(): number {
    return this.#member.connection.bufferedAmount;
  }

  /** The subprotocol that was agreed on, or an empty string. */
  get protocol(): string {
    return this.#member.connection.protocol;
  }

  /** Everybody but this socket. */
  get broadcast(): Target<T> {
    return new Target(this.#parts, { ...EVERYBODY, exceptSockets: [this.id] });
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
  except(...excluded: readonly (RoomNames | SocketLike)[]): Target<T> {
    return this.broadcast.except(...excluded);
  }

  /**
   * This client, for messages that are worthless when late: they are skipped while the client is behind. See
   * {@link Target.volatile}.
   */
  get volatile(): Target<T> {
    return new Target<T>(this.#parts, this.#self).volatile;
  }

  /** This client, without compression. See {@link Target.uncompressed}. */
  get uncompressed(): Target<T> {
    return new Target<T>(this.#parts, this.#self).uncompressed;
  }

  /** A target of this client with another overload policy. See {@link Target.overload}. */
  overload(policy: OverloadPolicy): Target<T> {
    return new Target<T>(this.#parts, this.#self).overload(policy);
  }

  /** A target of this client for values of which only the newest counts. See {@link Target.latest}. */
  latest(key: string): Target<T> {
    return new Target<T>(this.#parts, this.#self).latest(key);
  }

  /**
   * Sends an event to this client. The data is encoded now.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_CONTRACT`, `ERR_HUB_UNSERIALISABLE`,
   *   `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...values: DataArguments<ServerEvents<T>[E]>): void {
    const data = onlyValue(values);
    const { local, preconditions } = this.#parts;
    preconditions.checkSent(event, data);
    local.tell(this.#member, { event, data }, local.overloadOf(EVERYBODY));
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame. Bytes are copied now.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  send(message: string | Uint8Array): void {
    const { local } = this.#parts;
    local.send(this.#member, message, local.overloadOf(EVERYBODY));
  }

  /**
   * Sends an event and resolves with the client's reply.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT`, `ERR_HUB_DISCONNECTED`, `ERR_HUB_CLOSED`, a
   *   {@link RemoteError} with what the client answered, and for mistakes whatever `emit` throws.
   */
  request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<EventReply<ServerEvents<T>[E]>> {
    let timeout: number;
    try {
      this.#parts.preconditions.checkSent(event, data);
      timeout = timeoutOf(options);
    } catch (error) {
      return Promise.reject(error);
    }
    // A client that goes away must not end the process of a program that does not wait for its reply.
    return handled(this.#ask(event, data, timeout));
  }

  async #ask<E extends RequestName<ServerEvents<T>>>(
    event: E,
    data: unknown,
    timeout: number,
  ): Promise<EventReply<ServerEvents<T>[E]>> {
    if (!this.isOpen) throw disconnected(this.id);
    const { replies, failures } = await this.#parts.local.ask(this.#member, event, data, timeout);
    if (replies.has(this.id)) return replies.get(this.id) as EventReply<ServerEvents<T>[E]>;
    throw failures.get(this.id) ?? disconnected(this.id);
  }

  /**
   * Handles an event of this socket, instead of `hub.handle`. What the handler returns answers a request.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`, `ERR_HUB_HANDLED` if this socket handles the event
   *   already, `ERR_HUB_LIMIT`.
   */
  on<E extends EventName<ClientEvents<T>>>(
    event: E,
    handler: (
      data: EventData<ClientEvents<T>[E]>,
      socket: Socket<T>,
      context: HandlerContext,
    ) => HandlerResult<ClientEvents<T>[E]>,
  ): this {
    const { preconditions } = this.#parts;
    preconditions.checkHandled(event);
    checkFunction(handler, "A handler");
    const handlers = (this.#member.handlers ??= new Map());
    checkCount(handlers.size, preconditions.mostListeners, "handlers of this socket");
    if (handlers.has(event)) {
      throw new HubError(
        "ERR_HUB_HANDLED",
        `This socket handles "${event}" already. Call socket.off("${event}") first.`,
      );
    }
    handlers.set(event, handler);
    return this;
  }

  /** Removes the handler of this socket. The handler of `hub.handle` takes over again. */
  off(event: EventName<ClientEvents<T>>): this {
    this.#member.handlers?.delete(event);
    return this;
  }

  /**
   * Puts the socket into these rooms. A room that the socket is in already is ignored.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_LIMIT`, and then none of the rooms was joined.
   */
  join(...rooms: readonly RoomNames[]): void;

  /**
   * Puts the socket into a room that is recorded, with the position that its client has given: the client is sent what it
   * has missed, as fast as it reads, and the socket is in the room from then on.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`.
   */
  join(room: string, options: JoinOptions): void;

  join(...args: readonly RoomNames[] | readonly [room: string, options: JoinOptions]): void {
    const { local, preconditions } = this.#parts;
    const [room, options] = args as readonly unknown[];
    if (args.length === 2 && isObject(options) && "since" in options) {
      const { since, ...others } = options;
      const [name = ""] = preconditions.roomNames([[room as string]]);
      if (Object.keys(others).length > 0) {
        throw new HubError(
          "ERR_HUB_ARGUMENT",
          "The options of join() are { since }, the position that the client has given.",
        );
      }
      if (this.isOpen) local.enter(this.#member, name, since);
      return;
    }
    const names = preconditions.roomNames(args as readonly RoomNames[]);
    if (this.isOpen) local.joinOne(this.#member, names);
  }

  /**
   * The presence of the socket's user in a room.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_PRESENCE` for a room that the option `presence` does not name.
   */
  presence(room: string): SocketPresence<T> {
    const { preconditions, presence } = this.#parts;
    return new SocketPresence(preconditions.present(presence, room), this.#member, room);
  }

  /**
   * Takes the socket out of these rooms. A room that the socket is not in is ignored.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, and then none of the rooms was left.
   */
  leave(...rooms: readonly RoomNames[]): void {
    const { local, preconditions } = this.#parts;
    const names = preconditions.roomNames(rooms);
    if (this.isOpen) local.leaveOne(this.#member, names);
  }

  /**
   * Closes the connection, after everything that was sent before. From now on the socket is in no room and no target;
   * `disconnection` follows in a microtask.
   *
   * @param code - 1000 by default; your own are 4000 to 4999, of which `docs/PROTOCOL.md` gives the first 300 a
   *   meaning.
   * @param reason - at most 123 bytes in UTF-8.
   * @throws {HubError} `ERR_HUB_CLOSE_CODE`.
   */
  close(code?: number, reason?: string): void {
    this.#parts.lifecycle.close(this.#member, checkClose(code, reason));
  }

  /** Ends the connection at once. What was sent but not yet written is lost; the client sees 1006. */
  terminate(): void {
    this.#parts.lifecycle.terminate(this.#member);
  }

  get #self(): Audience {
    return { ...EVERYBODY, everybody: false, sockets: [this.id] };
  }
}

function same(room: string): string {
  return room;
}
