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
import type { Close, CloseCode } from "../protocol/close-codes.ts";
import { type ControlEvent, RESERVED_PREFIX, type EventPacket, type WireErrorCode } from "../protocol/packet.ts";
import { badArgument, ClientError, messageOf } from "./errors.ts";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { ClientState, EventContext, HeardData, HeardEvent, HeardName, StateChange } from "./events.ts";
import { Handlers } from "./handlers.ts";
import type { Link } from "./link.ts";
import { ClientListeners } from "./listeners.ts";
import { Memberships } from "./memberships.ts";
import { resolveOptions, type ConnectOptions } from "./options.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { check, encode, type PacketFormat } from "./packet-format.ts";
import { ClientRequests, type RequestOptions } from "./requests.ts";
import { inRoom, Room } from "./room.ts";
import { Uplink } from "./uplink.ts";

const NORMAL = 1000 satisfies typeof CloseCode.normal;

/** A client of a hub, over as many connections as it takes. {@link connect} makes one. */
export class Client<T extends HubTypes = HubTypes> {
  readonly #format: PacketFormat;
  readonly #uplink: Uplink;
  readonly #outbox: Outbox;
  readonly #requests: ClientRequests;
  readonly #listeners = new ClientListeners();
  readonly #handlers: Handlers;
  readonly #streams = new Set<EventStream<HeardEvent<T>>>();
  readonly #memberships = new Memberships(
    (event, data, options) => this.#ask(event, data, true, options),
    this.#listeners.report,
  );

  /** @throws {ClientError} `ERR_CLIENT_OPTION`. */
  constructor(url: string | URL, options: ConnectOptions<T> = {}) {
    const resolved = resolveOptions(url, options as ConnectOptions);
    this.#format = resolved;
    this.#handlers = new Handlers(this.#format, this.#listeners.failed);
    this.#outbox = new Outbox(resolved.queue);
    this.#requests = new ClientRequests(this.#outbox, this.#send);
    this.#uplink = new Uplink(resolved, {
      changed: this.#changed,
      event: this.#receive,
      reply: (packet) => this.#requests.replied(packet),
      message: (message) => this.#listeners.dispatch("hub:message", message),
      failed: this.#listeners.report,
    });
  }

  /** The id that the server gave this connection; `undefined` while there is none. The next connection gets another. */
  get id(): string | undefined {
    return this.#uplink.id;
  }

  /** The state of the client. Every change is reported in `hub:state`. */
  get state(): ClientState {
    return this.#uplink.state;
  }

  /**
   * Listens to an event that the server sends, or to one of the client's own: {@link ClientNotices}. An error that a
   * listener throws goes to `hub:error` or, if that has no listener, to the platform as an uncaught error.
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
    checkEventName(event);
    return this.#handlers.add(event, handler);
  }

  /**
   * Sends an event, or queues it until there is a connection. The data is encoded at once.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_CONTRACT`, `ERR_CLIENT_QUEUE_FULL`,
   *   `ERR_CLIENT_UNSERIALISABLE`.
   */
  emit<E extends EventName<ClientEvents<T>>>(event: E, ...[data]: DataArguments<ClientEvents<T>[E]>): void {
    checkEventName(event);
    check(this.#format, "checkSent", event, data);
    this.#post(event, encode(this.#format, { event, data }));
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
    ...[data, options = {}]: RequestArguments<ClientEvents<T>[E], RequestOptions>
  ): Promise<EventReply<ClientEvents<T>[E]>> {
    checkEventName(event);
    check(this.#format, "checkSent", event, data);
    const { idempotent = false } = options;
    const reply = await this.#ask(event, data, idempotent, options, idempotent ? createKey() : undefined);
    return check(this.#format, "checkReply", event, reply) as EventReply<ClientEvents<T>[E]>;
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  send(message: string | Uint8Array): void {
    if (typeof message !== "string" && !(message instanceof Uint8Array))
      throw badArgument("Not a string or Uint8Array.");
    this.#post("message", message.slice());
  }

  /**
   * Joins a room, if the server's `joinable` allows this. The client joins the room again after every lost connection,
   * until it leaves the room or the server refuses.
   *
   * @throws {ClientError} as a rejection: `ERR_CLIENT_REMOTE` with the server's reason, and what `request` throws.
   */
  join(room: string): Promise<void> {
    return this.#memberships.join(room);
  }

  /** Leaves a room. Rejects like {@link join}. */
  leave(room: string): Promise<void> {
    return this.#memberships.leave(room);
  }

  /** Returns a view of one room: the events that the server sends to this room and to no other. */
  room(name: string): Room<T> {
    return new Room(name, this.#listeners, this.#memberships);
  }

  /**
   * Returns the events from now on, one after the other. The loop over them ends when the client is closed.
   *
   * @param options - `maxBuffered` is the most events that may wait for the loop, 1,000 by default. One more makes the
   *   loop fail with `ERR_CLIENT_OVERFLOW`.
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

  /** Reconnects at once if the client waits for its next attempt. */
  reconnect(): void {
    this.#uplink.retry();
  }

  /**
   * Closes the client for good, after everything that was sent. Requests that wait for a reply reject, and queued
   * messages are discarded. Resolves when the connection has ended.
   *
   * @param code - 1000 by default; applications may use 3000 to 4999.
   * @param reason - at most 123 bytes in UTF-8.
   * @throws {ClientError} as a rejection: `ERR_CLIENT_ARGUMENT` for another code. For a reason that is too long, the
   *   error that the platform's `WebSocket.close` throws; the client then stays as it is.
   */
  async close(code: number = NORMAL, reason = ""): Promise<void> {
    if (code !== NORMAL && !(code >= 3000 && code < 5000)) throw badArgument("Not 1000 or 3000 to 4999.");
    return this.#uplink.close(code, reason);
  }

  /**
   * Follows a change of the state. On a new connection the order is: the rooms, the requests that were sent before, the
   * queued messages, and then what the listeners of `hub:state` send.
   */
  readonly #changed = (change: StateChange): void => {
    const { state } = change;
    if (state === "open") {
      this.#memberships.joinAgain();
      this.#requests.sendAgain();
      for (const outgoing of this.#outbox.take()) this.#send(outgoing);
    } else if (state === "waiting") {
      this.#requests.disconnected();
    } else if (state === "closed") {
      this.#requests.close(closed(change));
      this.#outbox.clear();
      for (const stream of this.#streams) stream.end();
    }
    this.#listeners.dispatch("hub:state", change);
  };

  /** Sends a message now, or as soon as there is a connection. */
  readonly #send = (outgoing: Outgoing): void => {
    const { link, state } = this.#uplink;
    if (state === "closed") throw closed(this.#uplink.ending);
    if (link !== undefined) link.send(outgoing.message);
    else if (outgoing.again === undefined) this.#outbox.push(outgoing);
    else outgoing.again = true;
  };

  #post(event: string, message: string | Uint8Array): void {
    this.#send({ event, message, dropped: this.#listeners.report });
  }

  #ask(
    event: string,
    data: unknown,
    repeatable: boolean,
    options: RequestOptions = {},
    key?: string,
  ): Promise<unknown> {
    return this.#requests.start(event, (id) => encode(this.#format, { event, data, id, key }), repeatable, options);
  }

  readonly #receive = (packet: EventPacket, link: Link): void => {
    const { event, id, room } = packet;
    if (this.#uplink.state === "closed") return;
    if (event === ("hub:dropped" satisfies typeof ControlEvent.dropped)) this.#listeners.dispatch(event, packet.data);
    if (event.startsWith(RESERVED_PREFIX)) return;
    let { data } = packet;
    try {
      data = check(this.#format, "checkReceived", event, data);
    } catch (error) {
      this.#listeners.report(error);
      if (id !== undefined)
        this.#handlers.refuse(link, id, "invalid-data" satisfies typeof WireErrorCode.invalidData, messageOf(error));
      return;
    }
    if (id !== undefined) void this.#handlers.answer(link, event, id, data);
    const context = { event, room };
    this.#listeners.dispatch(event, data, context);
    if (room !== undefined) this.#listeners.dispatch(inRoom(event, room), data, context);
    for (const stream of this.#streams) stream.push({ ...context, data } as HeardEvent<T>);
  };
}

function closed({ code, reason }: Partial<Close>): ClientError {
  return new ClientError("ERR_CLIENT_CLOSED", `Closed: ${code} ${reason}`);
}

/**
 * The names that the protocol allows for events of applications: not reserved, and of at most `MAX_EVENT_NAME_LENGTH`.
 */
const EVENT_NAME = /^(?!hub:)[^]{1,256}$/;

function checkEventName(event: unknown): void {
  if (typeof event !== "string" || !EVENT_NAME.test(event)) {
    throw badArgument(`Not an event: ${String(event)}`);
  }
}

/** Creates a key of 128 random bits, so that nobody else can ask for the reply. */
function createKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
