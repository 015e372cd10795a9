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
} from "../event-types.ts";
import type { EventPacket, Position, ReplyPacket, RESERVED_PREFIX, WireErrorCode } from "../protocol/packet.ts";
import { checkFunction, checkName, EVENT, ROOM } from "./arguments.ts";
import { badArgument, closed, messageOf, ReplyError } from "./errors.ts";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { ClientState, EventContext, HeardData, HeardEvent, HeardName, StateChange } from "./events.ts";
import type { Link } from "./link.ts";
import { ClientListeners, type AnyListener } from "./listeners.ts";
import { Memberships } from "./memberships.ts";
import { DEFAULTS, isDuration, resolveOptions, type ConnectOptions } from "./options.ts";
import { DEFAULT_TIMEOUT, Outbox } from "./outbox.ts";
import { check, encode, type PacketFormat } from "./packet-format.ts";
import { Room } from "./room.ts";
import type { RequestOptions } from "./sending-options.ts";
import { NORMAL, Uplink } from "./uplink.ts";

/** A client of a hub, over as many connections as it takes. {@link connect} makes one. */
export class Client<T extends HubTypes = HubTypes> {
  readonly #listeners = new ClientListeners();
  readonly #memberships: Memberships;
  readonly #uplink: Uplink;
  readonly #outbox: Outbox;
  /** The handlers of the server's requests. */
  readonly #handlers = new Map<string, AnyListener>();
  readonly #streams = new Set<EventStream<HeardEvent<T>>>();
  readonly #format: PacketFormat;

  /** @throws {ClientError} `ERR_CLIENT_OPTION`. */
  constructor(url: string | URL, options: ConnectOptions<T> = {}) {
    const resolved = resolveOptions(url, options as ConnectOptions);
    this.#format = resolved;
    this.#uplink = new Uplink(resolved, this.#listeners, {
      changed: this.#changed,
      event: this.#receive,
      reply: (packet) => this.#outbox.replied(packet),
      since: () => this.#memberships.since(),
    });
    this.#outbox = new Outbox(resolved, this.#listeners, this.#uplink);
    this.#memberships = new Memberships(
      resolved.reconnect || DEFAULTS.reconnect,
      this.#listeners,
      this.#uplink,
      this.#outbox,
    );
  }

  /** The id that the server gave this connection; `undefined` while there is none. The next connection gets another. */
  get id(): string | undefined {
    return this.#uplink.welcome?.id;
  }

  /** The state of the client. Every change is reported in `hub:state`. */
  get state(): ClientState {
    return this.#uplink.state;
  }

  /**
   * Listens to an event that the server sends, or to one of the client's own: {@link ClientNotices}. An error that a
   * listener throws goes to `hub:error` or, if that has no listener, to the platform as an uncaught error.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, also for another name that begins with `hub:`.
   */
  on<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.add(event, listener, false);
    return this;
  }

  /** Listens like {@link on}, but to the next event only. */
  once<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.add(event, listener, true);
    return this;
  }

  /** Removes a listener. If it was added several times, this removes the last one. */
  off<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /**
   * Handles a request of the server: the reply is what the handler returns, or what its promise resolves with. A
   * handler answers with an error by throwing a {@link ReplyError}. Each request has one handler.
   *
   * @returns a function that removes this handler. Calling it again does nothing, even if the handler was added again.
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`.
   */
  handle<E extends EventName<ServerEvents<T>>>(
    event: E,
    handler: (data: EventData<ServerEvents<T>[E]>) => HandlerResult<ServerEvents<T>[E]>,
  ): () => void {
    checkName(event, EVENT);
    checkFunction(handler);
    if (this.#handlers.has(event)) throw badArgument(`"${event}" has a handler.`);
    // The same handler may be added again, and is not this one then.
    const added: AnyListener = (data) => handler(data);
    this.#handlers.set(event, added);
    return () => {
      if (this.#handlers.get(event) === added) this.#handlers.delete(event);
    };
  }

  /**
   * Sends an event, or queues it until there is a connection. The data is encoded at once.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_CONTRACT`, `ERR_CLIENT_QUEUE_FULL`,
   *   `ERR_CLIENT_UNSERIALISABLE`.
   */
  emit<E extends EventName<ClientEvents<T>>>(event: E, ...values: DataArguments<ClientEvents<T>[E]>): void {
    checkName(event, EVENT);
    const [data] = values;
    if (values.length > 1) throw badArgument("An event takes one value.");
    check(this.#format, "checkSent", event, data);
    this.#outbox.post(event, encode(this.#format, { event, data }));
  }

  /**
   * Sends an event as a request and resolves with the server's reply.
   *
   * @throws {ClientError} as a rejection: what `emit` throws, `ERR_CLIENT_TIMEOUT`, `ERR_CLIENT_DISCONNECTED`,
   *   `ERR_CLIENT_DROPPED`, and `ERR_CLIENT_REMOTE` if the server answered with an error. If the signal is aborted, the
   *   request rejects with its reason.
   */
  async request<E extends RequestName<ClientEvents<T>>>(
    event: E,
    ...values: RequestArguments<ClientEvents<T>[E], RequestOptions>
  ): Promise<EventReply<ClientEvents<T>[E]>> {
    checkName(event, EVENT);
    const [data, options = {}] = values;
    const { idempotent = false, signal, timeout = DEFAULT_TIMEOUT } = options ?? {};
    if (
      values.length > 2 ||
      !options ||
      typeof options !== "object" ||
      !isDuration(timeout, 1) ||
      (signal && !signal.addEventListener)
    )
      throw badArgument("A request takes data and { timeout, signal, idempotent }.");
    check(this.#format, "checkSent", event, data);
    const key = idempotent ? createKey() : undefined;
    const reply = await this.#outbox.expect({ event, data, key, repeatable: idempotent, signal, timeout });
    return check(this.#format, "checkReply", event, reply) as EventReply<ClientEvents<T>[E]>;
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  send(message: string | Uint8Array): void {
    if (message instanceof Uint8Array) message = new Uint8Array(message);
    else if (typeof message !== "string") throw badArgument("Send a string or a Uint8Array.");
    this.#outbox.post("message", message);
  }

  /**
   * Joins rooms, if the server's `joinable` allows this. From the call on the client wants to be in them, and joins them
   * on every new connection, until it leaves them or the server refuses. After an error that is no refusal, such as
   * `handler-failed`, it asks again. The server decides about each room by itself; a room that the client is in is asked
   * for again.
   *
   * @throws {ClientError} as a rejection: `ERR_CLIENT_REMOTE` with the server's reason if it refused a room;
   *   `ERR_CLIENT_TIMEOUT` after 10 seconds and `ERR_CLIENT_CLOSED`, after which the rooms are still wanted;
   *   `ERR_CLIENT_DROPPED` if a room was left meanwhile; `ERR_CLIENT_ARGUMENT`.
   */
  join(...rooms: readonly string[]): Promise<void> {
    return this.#memberships.join(rooms);
  }

  /**
   * Leaves rooms, also for the objects of {@link room} that have joined them.
   *
   * @throws {ClientError} as a rejection: `ERR_CLIENT_REMOTE` if the server refused, `ERR_CLIENT_TIMEOUT`,
   *   `ERR_CLIENT_CLOSED` and `ERR_CLIENT_ARGUMENT`.
   */
  leave(...rooms: readonly string[]): Promise<void> {
    return this.#memberships.leave(rooms);
  }

  /**
   * The client's positions in recorded rooms, by room: in those that it is in, and was in when it lost its connection. It
   * gives them to the server when it joins again, and forgets one when it leaves the room, is refused or is taken out.
   *
   * To recover over a reload, keep the map in storage, and set what was stored before the client joins; for rooms that the
   * server puts it into, directly after {@link connect}. So do with the position of a page that was rendered with
   * `hub.history()`. A position is never changed, only replaced.
   */
  get positions(): Map<string, Position> {
    return this.#memberships.positions;
  }

  /** Returns a view of one room: the events that the server sends to this room and to no other. */
  room(name: string): Room<T> {
    checkName(name, ROOM);
    return new Room(name, this.#listeners, this.#memberships);
  }

  /**
   * Returns the events from now on, one after the other. The loop over them ends when the client closes. Gaps are told in
   * `hub:gap`, when they occur: what the loop has not got by then is older.
   *
   * @param options - `maxBuffered` is the most events that may wait for the loop, 1,000 by default. One more makes the
   *   loop fail with `ERR_CLIENT_OVERFLOW`.
   */
  events({ maxBuffered = 1_000 }: { readonly maxBuffered?: number } = {}): AsyncGenerator<
    HeardEvent<T>,
    void,
    undefined
  > {
    return createEventStream(maxBuffered, this.#streams);
  }

  /**
   * Connects if the client is closed: after `start: false`, after {@link close}, or after the server refused. Listeners,
   * handlers and the rooms that the client wants to be in are kept.
   */
  open(): void {
    this.#uplink.open();
  }

  /** Connects at once if the client waits for its next attempt, or is at one, which is given up. */
  reconnect(): void {
    this.#uplink.retry();
  }

  /**
   * Closes the client until {@link open} is called, after everything that was sent. Requests that wait for a reply
   * reject, and queued messages are discarded. Resolves when the connection has ended.
   *
   * @param code - 1000 by default; applications may use 3000 to 4999.
   * @param reason - at most 123 bytes in UTF-8.
   * @throws {ClientError} as a rejection: `ERR_CLIENT_ARGUMENT` for another code. For a reason that is too long, the
   *   error that the platform's `WebSocket.close` throws; the client then stays as it is.
   */
  async close(code: number = NORMAL, reason = ""): Promise<void> {
    if (code !== NORMAL && !(code >= 3000 && code < 5000)) throw badArgument("The code is 1000, or 3000 to 4999.");
    this.#outbox.flush();
    return this.#uplink.close(code, reason);
  }

  /**
   * Follows a change of the state. On a new connection the order is: the rooms, the requests that were sent before, the
   * queued messages, and then what the listeners of `hub:state` send.
   */
  readonly #changed = (change: StateChange): void => {
    const { state } = change;
    if (state === "open") {
      this.#memberships.ask();
      this.#outbox.flush(this.#uplink.welcome?.window);
    } else if (state !== "connecting") {
      const error = state === "closed" && closed(change);
      this.#memberships.disconnected();
      this.#outbox.disconnected(error);
      if (error) for (const stream of this.#streams) stream.end();
    }
    this.#listeners.dispatch("hub:state", change);
  };

  /** Replies to a request of the server with what its handler returns, or with an error, on the connection that it came on. */
  async #answer(link: Link, event: string, id: number, data: unknown): Promise<void> {
    try {
      const handler = this.#handlers.get(event);
      if (!handler)
        throw new ReplyError("unknown-event" satisfies typeof WireErrorCode.unknownEvent, `"${event}" has no handler.`);
      this.#reply(link, { reply: id, data: check(this.#format, "checkAnswer", event, await handler(data)) });
    } catch (error) {
      if (error instanceof ReplyError) this.#refuse(link, id, error.reason, error.message, error.data);
      else {
        this.#refuse(link, id, "handler-failed" satisfies typeof WireErrorCode.handlerFailed, "Client failed");
        this.#listeners.failed(error);
      }
    }
  }

  /** Replies to a request with an error; without its data if that cannot be encoded. */
  #refuse(link: Link, id: number, code: string, message: string, data?: unknown): void {
    try {
      this.#reply(link, { reply: id, error: { code, message, data } });
    } catch (error) {
      this.#listeners.failed(error);
      this.#reply(link, { reply: id, error: { code, message } });
    }
  }

  #reply(link: Link, packet: ReplyPacket): void {
    link.send(encode(this.#format, packet));
  }

  /** Handles an event. The position has moved when a listener hears it. */
  readonly #receive = ({ at, data, event, id, room }: EventPacket, link: Link): void => {
    if (event.startsWith("hub:" satisfies typeof RESERVED_PREFIX)) {
      if (data && /^hub:(record|dropped|left|presence)$/.test(event)) this.#memberships.notice(event, data);
      return;
    }
    const past = this.#memberships.moved(room, at);
    try {
      data = check(this.#format, "checkReceived", event, data);
    } catch (error) {
      this.#listeners.report(error);
      if (id !== undefined)
        this.#refuse(link, id, "invalid-data" satisfies typeof WireErrorCode.invalidData, messageOf(error));
      return;
    }
    if (id !== undefined) void this.#answer(link, event, id, data);
    this.#listeners.dispatch(event, data, room, past);
    for (const stream of this.#streams) stream.push({ event, past, room, data } as HeardEvent<T>);
  };
}

/**
 * Creates a key of 128 random bits, so that nobody else can ask for the reply. It has the character of keys that
 * count whoever the user is.
 *
 * @throws {ClientError} `ERR_CLIENT_ARGUMENT`.
 */
function createKey(): string {
  const { crypto } = globalThis as { readonly crypto?: typeof globalThis.crypto };
  if (!crypto) throw badArgument("Give crypto.getRandomValues().");
  return crypto.getRandomValues(new Uint32Array(4)).join("~");
}
