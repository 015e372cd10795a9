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
import type { ClientSide } from "../contract/client-side.ts";
import type { Codec } from "../protocol/codec.ts";
import { RESERVED_PREFIX, type EventPacket, type Packet, type ReplyPacket } from "../protocol/packet.ts";
import { Calls, type RequestOptions } from "./calls.ts";
import { ClientError, ReplyError } from "./errors.ts";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { ClientState, EventContext, HeardData, HeardEvent, HeardName, StateChange } from "./events.ts";
import type { Ending, Link } from "./link.ts";
import { Listeners, type Listener } from "./listeners.ts";
import { Memberships } from "./memberships.ts";
import { resolveOptions, type ConnectOptions } from "./options.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { inRoom, Room } from "./room.ts";
import { Uplink } from "./uplink.ts";
import { DROPPED, HANDLER_FAILED, INVALID_DATA, NORMAL, UNKNOWN_EVENT } from "./words.ts";

type Check = "checkSent" | "checkReceived" | "checkReply" | "checkAnswer";

/** A client of a hub: one that stays connected, over as many connections as it takes. Made by {@link connect}. */
export class Client<T extends HubTypes = HubTypes> {
  readonly #codec: Codec;
  readonly #contract: ClientSide<never> | undefined;
  readonly #uplink: Uplink;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  readonly #listeners = new Listeners();
  readonly #handlers = new Map<string, Listener>();
  readonly #streams = new Set<EventStream<HeardEvent<T>>>();
  readonly #memberships = new Memberships(
    (event, data, options) => this.#ask(event, data, true, options),
    (error) => this.#report(error),
  );

  /** @throws {ClientError} `ERR_CLIENT_OPTION`. */
  constructor(url: string | URL, options: ConnectOptions<T> = {}) {
    const resolved = resolveOptions(url, options as ConnectOptions);
    this.#codec = resolved.codec;
    this.#contract = resolved.contract?.client;
    this.#outbox = new Outbox(resolved.queue);
    this.#calls = new Calls(this.#outbox, this.#send);
    this.#uplink = new Uplink(resolved, {
      changed: this.#changed,
      event: this.#receive,
      reply: (packet) => this.#calls.replied(packet),
      message: (message) => this.#dispatch("hub:message", message),
      failed: this.#report,
    });
  }

  /** What the server calls this connection; `undefined` while there is none. The next one has another. */
  get id(): string | undefined {
    return this.#uplink.id;
  }

  get state(): ClientState {
    return this.#uplink.state;
  }

  /**
   * Listens to an event that the server sends, or to one of the client's own: {@link ClientNotices}. What a listener throws
   * reaches `hub:error`, or, where nobody listens to that, the platform as an uncaught error.
   */
  on<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.add(event, listener, false);
    return this;
  }

  /** Like {@link on}, for the next time only. */
  once<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.add(event, listener, true);
    return this;
  }

  /** Stops listening. */
  off<E extends HeardName<T>>(event: E, listener: (data: HeardData<T, E>, context: EventContext) => unknown): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /**
   * Answers a request of the server's: with what the handler returns, or its promise resolves with. See
   * {@link ReplyError} for answering with an error. Each request has one handler.
   *
   * @returns a function that removes it.
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`.
   */
  handle<E extends EventName<ServerEvents<T>>>(
    event: E,
    handler: (data: EventData<ServerEvents<T>[E]>) => HandlerResult<ServerEvents<T>[E]>,
  ): () => void {
    checkEventName(event);
    if (this.#handlers.has(event)) throw bad(`"${event}" is handled already.`);
    this.#handlers.set(event, handler);
    return () => {
      // A second call must not remove what took its place meanwhile.
      if (this.#handlers.get(event) === handler) this.#handlers.delete(event);
    };
  }

  /**
   * Sends an event, or keeps it until there is a connection. The data is encoded now.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_CONTRACT`, `ERR_CLIENT_QUEUE_FULL`,
   *   `ERR_CLIENT_UNSERIALISABLE`.
   */
  emit<E extends EventName<ClientEvents<T>>>(event: E, ...[data]: DataArguments<ClientEvents<T>[E]>): void {
    checkEventName(event);
    this.#checked("checkSent", event, data);
    this.#post(event, this.#encode({ event, data }));
  }

  /**
   * Sends an event and resolves with the server's reply.
   *
   * @throws {ClientError} as a rejection: what `emit` throws, `ERR_CLIENT_TIMEOUT`, `ERR_CLIENT_DISCONNECTED`,
   *   `ERR_CLIENT_DROPPED`, and `ERR_CLIENT_REMOTE` with what the server answered; the signal's reason if it was aborted.
   */
  async request<E extends RequestName<ClientEvents<T>>>(
    event: E,
    ...[data, options = {}]: RequestArguments<ClientEvents<T>[E], RequestOptions>
  ): Promise<EventReply<ClientEvents<T>[E]>> {
    checkEventName(event);
    this.#checked("checkSent", event, data);
    const { idempotent = false } = options;
    const reply = await this.#ask(event, data, idempotent, options, idempotent ? createKey() : undefined);
    return this.#checked("checkReply", event, reply) as EventReply<ClientEvents<T>[E]>;
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  send(message: string | Uint8Array): void {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) throw bad("Send a string or a Uint8Array.");
    this.#post("message", message.slice());
  }

  /**
   * Joins a room, if the server's `joinable` allows. The client stays in it over lost connections, until it leaves or the
   * server refuses.
   *
   * @throws {ClientError} as a rejection: `ERR_CLIENT_REMOTE` with the server's reason, and what `request` throws.
   */
  join(room: string): Promise<void> {
    return this.#memberships.join(room);
  }

  /** Leaves a room. Otherwise like {@link join}. */
  leave(room: string): Promise<void> {
    return this.#memberships.leave(room);
  }

  /** The events that the server sends to this room and to no other. */
  room(name: string): Room<T> {
    return new Room(name, this.#listeners, this.#memberships);
  }

  /**
   * The events from now on, one after the other. The loop ends when the client is closed.
   *
   * @param options - `maxBuffered`: how many may wait for the loop, 1,000 by default. With more it fails with
   *   `ERR_CLIENT_OVERFLOW`.
   */
  events({ maxBuffered = 1_000 }: { readonly maxBuffered?: number } = {}): AsyncGenerator<
    HeardEvent<T>,
    void,
    undefined
  > {
    const stream = createEventStream<HeardEvent<T>>(maxBuffered, () => this.#streams.delete(stream));
    if (this.state === "closed") stream.end();
    else this.#streams.add(stream);
    return stream.events;
  }

  /** While the client waits: tries at once. */
  reconnect(): void {
    this.#uplink.retry();
  }

  /**
   * Closes the connection, after everything that was sent, and for good: what waits for a reply fails, what waits to be sent
   * is discarded. Resolves when the connection has ended.
   *
   * @param code - 1000 by default; your own are 3000 to 4999.
   * @param reason - at most 123 bytes in UTF-8.
   * @throws {ClientError} as a rejection: `ERR_CLIENT_ARGUMENT` for another code. With a reason that is too long, what the
   *   platform's `WebSocket.close` throws. The client stays as it is.
   */
  async close(code: number = NORMAL, reason = ""): Promise<void> {
    if (code !== NORMAL && !(code >= 3000 && code < 5000)) throw bad("Not 1000 or 3000 to 4999.");
    return this.#uplink.close(code, reason);
  }

  /**
   * On a new connection: first the rooms, then what was sent before, what has waited, and then whatever the listeners of
   * `hub:state` send.
   */
  readonly #changed = (change: StateChange): void => {
    const { state } = change;
    if (state === "open") {
      this.#memberships.joinAgain();
      this.#calls.sendAgain();
      for (const outgoing of this.#outbox.take()) this.#send(outgoing);
    } else if (state === "waiting") {
      this.#calls.disconnected();
    } else if (state === "closed") {
      this.#calls.close(closed(change));
      this.#outbox.clear();
      for (const stream of this.#streams) stream.end();
    }
    this.#dispatch("hub:state", change);
  };

  /** Sends now, or as soon as there is a connection. */
  readonly #send = (outgoing: Outgoing): void => {
    const { link, state } = this.#uplink;
    if (state === "closed") throw closed(this.#uplink.ending);
    if (link !== undefined) link.send(outgoing.message);
    else if (outgoing.again === undefined) this.#outbox.push(outgoing);
    else outgoing.again = true;
  };

  #post(event: string, message: string | Uint8Array): void {
    this.#send({ event, message, dropped: this.#report });
  }

  #ask(
    event: string,
    data: unknown,
    repeatable: boolean,
    options: RequestOptions = {},
    key?: string,
  ): Promise<unknown> {
    return this.#calls.start(event, (id) => this.#encode({ event, data, id, key }), repeatable, options);
  }

  readonly #receive = (packet: EventPacket, link: Link): void => {
    const { event, id, room } = packet;
    if (this.#uplink.state === "closed") return;
    if (event === DROPPED) this.#dispatch(event, packet.data);
    if (event.startsWith(RESERVED_PREFIX)) return;
    let { data } = packet;
    try {
      data = this.#checked("checkReceived", event, data);
    } catch (error) {
      this.#report(error);
      if (id !== undefined) this.#refuse(link, id, INVALID_DATA, messageOf(error));
      return;
    }
    if (id !== undefined) void this.#answer(link, event, id, data);
    const context = { event, room };
    this.#dispatch(event, data, context);
    if (room !== undefined) this.#dispatch(inRoom(event, room), data, context);
    for (const stream of this.#streams) stream.push({ ...context, data } as HeardEvent<T>);
  };

  async #answer(link: Link, event: string, id: number, data: unknown): Promise<void> {
    const handler = this.#handlers.get(event);
    if (handler === undefined) {
      this.#refuse(link, id, UNKNOWN_EVENT, `Not handled: ${event}`);
      return;
    }
    try {
      this.#reply(link, { reply: id, data: this.#checked("checkAnswer", event, await handler(data)) });
    } catch (error) {
      if (error instanceof ReplyError) {
        this.#refuse(link, id, error.reason, error.message);
      } else {
        this.#refuse(link, id, HANDLER_FAILED, "Client failed");
        this.#listenerFailed(error);
      }
    }
  }

  #refuse(link: Link, id: number, code: string, message: string): void {
    this.#reply(link, { reply: id, error: { code, message } });
  }

  /** On the connection that the request came on, or not at all. */
  #reply(link: Link, packet: ReplyPacket): void {
    const message = this.#encode(packet);
    if (this.#uplink.link === link) link.send(message);
  }

  #encode(packet: Packet): string | Uint8Array {
    try {
      return this.#codec.encode(packet);
    } catch (cause) {
      throw new ClientError("ERR_CLIENT_UNSERIALISABLE", `Cannot encode: ${messageOf(cause)}`, { cause });
    }
  }

  /** The data as the contract has it. */
  #checked(check: Check, event: string, data: unknown): unknown {
    try {
      return this.#contract === undefined ? data : this.#contract[check](event, data);
    } catch (cause) {
      throw new ClientError("ERR_CLIENT_CONTRACT", messageOf(cause), { cause });
    }
  }

  #dispatch(event: string, data: unknown, context: EventContext = { event, room: undefined }): void {
    this.#listeners.dispatch(event, [data, context], event === "hub:error" ? throwLater : this.#listenerFailed);
  }

  readonly #listenerFailed = (cause: unknown): void => {
    if (!this.#listeners.has("hub:error")) throwLater(cause);
    this.#report(new ClientError("ERR_CLIENT_LISTENER", `A listener: ${messageOf(cause)}`, { cause }));
  };

  readonly #report = (error: unknown): void => this.#dispatch("hub:error", error);
}

function closed({ code, reason }: Partial<Ending>): ClientError {
  return new ClientError("ERR_CLIENT_CLOSED", `Closed: ${code} ${reason}`);
}

/** What the protocol asks of the name of an application's event: not reserved, and of at most `MAX_EVENT_NAME_LENGTH`. */
const EVENT_NAME = /^(?!hub:)[^]{1,256}$/;

function checkEventName(event: unknown): void {
  if (typeof event !== "string" || !EVENT_NAME.test(event)) {
    throw bad(`Not an event: ${String(event)}`);
  }
}

/** 128 random bits: nobody else can ask for the reply. */
function createKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

function bad(message: string): ClientError {
  return new ClientError("ERR_CLIENT_ARGUMENT", message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** So that it is not lost, and nothing else is with it: the platform reports it as uncaught. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
