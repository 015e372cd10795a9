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
import { CloseCode, MAX_CLOSE_REASON_BYTES } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import {
  MAX_EVENT_NAME_LENGTH,
  RESERVED_PREFIX,
  WireErrorCode,
  type EventPacket,
  type Packet,
  type ReplyPacket,
} from "../protocol/packet.ts";
import { Calls, remote, type RequestOptions } from "./calls.ts";
import { ClientError, ReplyError } from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import type { ClientState, EventContext, HeardData, HeardEvent, HeardName, StateChange } from "./events.ts";
import type { Link } from "./link.ts";
import { attempt, Listeners, type Listener } from "./listeners.ts";
import { Memberships } from "./memberships.ts";
import { resolveOptions, resolveUrl, type ConnectOptions } from "./options.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { inRoom, Room } from "./room.ts";
import { Uplink } from "./uplink.ts";

/** A client of a hub: one that stays connected, over as many connections as it takes. Made by {@link connect}. */
export class Client<T extends HubTypes = HubTypes> {
  readonly #codec: Codec;
  readonly #contract: ClientSide<never> | undefined;
  readonly #uplink: Uplink;
  readonly #outbox: Outbox;
  readonly #calls = new Calls();
  readonly #listeners = new Listeners();
  readonly #inRooms = new Listeners();
  readonly #handlers = new Map<string, Listener>();
  readonly #streams = new Set<EventStream<HeardEvent<T>>>();
  readonly #memberships = new Memberships(
    (event, data) => this.#ask(event, data, {}, true),
    (error) => this.#report(error as ClientError),
  );

  /** @throws {ClientError} `ERR_CLIENT_OPTION`. */
  constructor(url: string | URL, options: ConnectOptions<T> = {}) {
    const resolved = resolveOptions(options);
    this.#codec = resolved.codec;
    this.#contract = resolved.contract?.client;
    this.#outbox = new Outbox(resolved.queue);
    this.#uplink = new Uplink(resolveUrl(url), resolved, {
      opened: (link) => this.#opened(link),
      lost: () => this.#lost(),
      changed: (change) => this.#changed(change),
      event: (packet, link) => this.#receive(packet, link),
      reply: (packet) => this.#calls.replied(packet),
      message: (message) => this.#dispatch("hub:message", message),
      refused: (error) => this.#report(remote(error)),
      failed: (error) => this.#report(error),
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
    if (this.#handlers.has(event)) throw bad(`"${event}" is handled already. Remove the first handler.`);
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
    this.#check((contract) => contract.checkSent(event, data));
    this.#post(this.#encode({ event, data }), `"${event}"`);
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
    this.#check((contract) => contract.checkSent(event, data));
    const { idempotent = false } = options;
    const reply = await this.#ask(event, data, options, idempotent, idempotent ? createKey() : undefined);
    const checked = this.#contract === undefined ? reply : this.#check((contract) => contract.checkReply(event, reply));
    return checked as EventReply<ClientEvents<T>[E]>;
  }

  /**
   * Sends a message as it is: a string as a text frame, bytes as a binary frame.
   *
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT`, `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  send(message: string | Uint8Array): void {
    if (typeof message === "string") this.#post(message, "A message");
    else if (message instanceof Uint8Array) this.#post(message.slice(), "A message");
    else throw bad("A message is a string or a Uint8Array.");
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
    return new Room(name, this.#inRooms, this.#memberships);
  }

  /**
   * The events from now on, one after the other. The loop ends when the client is closed.
   *
   * @param options - `maxBuffered`: how many may wait for the loop, 1,000 by default. With more it fails with
   *   `ERR_CLIENT_OVERFLOW`.
   */
  events({ maxBuffered = 1_000 }: { readonly maxBuffered?: number } = {}): AsyncIterableIterator<
    HeardEvent<T>,
    undefined
  > {
    const stream = new EventStream<HeardEvent<T>>(maxBuffered, () => this.#streams.delete(stream));
    if (this.state === "closed") stream.end();
    else this.#streams.add(stream);
    return stream;
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
   * @throws {ClientError} as a rejection: `ERR_CLIENT_ARGUMENT` for a code or reason that cannot be sent.
   */
  async close(code: number = CloseCode.normal, reason = ""): Promise<void> {
    if (code !== CloseCode.normal && !(code >= 3000 && code <= 4999))
      throw bad("A close code is 1000 or 3000 to 4999.");
    if (new TextEncoder().encode(reason).length > MAX_CLOSE_REASON_BYTES) {
      throw bad(`A reason has at most ${MAX_CLOSE_REASON_BYTES} bytes.`);
    }
    return this.#uplink.close(code, reason);
  }

  #opened(link: Link): void {
    // First the rooms, then what has waited, then whatever the listeners of `hub:state` send.
    this.#memberships.joinAgain();
    for (const outgoing of this.#outbox.take()) outgoing.transmit(link);
  }

  #changed(change: StateChange): void {
    if (change.state === "closed") {
      this.#calls.close(closed(change));
      this.#outbox.take();
      for (const stream of this.#streams) stream.end();
    }
    this.#dispatch("hub:state", change);
  }

  /** Sends now, or as soon as there is a connection. */
  #send(outgoing: Outgoing): void {
    const { link, state } = this.#uplink;
    if (state === "closed") throw closed();
    if (link === undefined) this.#outbox.push(outgoing);
    else outgoing.transmit(link);
  }

  #post(message: string | Uint8Array, what: string): void {
    this.#send({
      message,
      transmit: (link) => link.send(message),
      dropped: (error) => this.#report(new ClientError(error.code, `${what}: ${error.message}`)),
    });
  }

  #ask(
    event: string,
    data: unknown,
    { timeout = 10_000, signal }: RequestOptions,
    again: boolean,
    key?: string,
  ): Promise<unknown> {
    if (!(timeout > 0 && timeout < 2 ** 31)) throw bad("A timeout is a positive number of milliseconds.");
    const id = this.#calls.nextId();
    const message = this.#encode({ event, data, id, key });
    return this.#calls.start({
      id,
      event,
      message,
      repeatable: again,
      timeout,
      signal,
      begin: (call) => this.#send(call),
      settled: (call) => this.#outbox.delete(call),
    });
  }

  /** What was sent and can be sent again waits for the next connection, before everything else. */
  #lost(): void {
    for (const call of this.#calls.disconnected()) {
      try {
        this.#outbox.push(call);
      } catch (error) {
        call.failed(error);
      }
    }
  }

  #receive(packet: EventPacket, link: Link): void {
    const { event, id, room } = packet;
    if (this.#uplink.state === "closed" || event.startsWith(RESERVED_PREFIX)) return;
    let { data } = packet;
    try {
      if (this.#contract !== undefined) data = this.#contract.checkReceived(event, data);
    } catch (cause) {
      this.#report(new ClientError("ERR_CLIENT_CONTRACT", messageOf(cause), { cause }));
      if (id !== undefined)
        this.#reply(link, { reply: id, error: { code: WireErrorCode.invalidData, message: messageOf(cause) } });
      return;
    }
    if (id !== undefined) this.#answer(link, event, id, data);
    this.#dispatch(event, data, { event, room });
    if (room !== undefined) this.#inRooms.dispatch(inRoom(event, room), [data, { event, room }], this.#listenerFailed);
    for (const stream of this.#streams) stream.push({ event, data, room } as HeardEvent<T>);
  }

  #answer(link: Link, event: string, id: number, data: unknown): void {
    const handler = this.#handlers.get(event);
    const refuse = (code: string, message: string): void => this.#reply(link, { reply: id, error: { code, message } });
    if (handler === undefined) {
      refuse(WireErrorCode.unknownEvent, `The client handles no event "${event}".`);
      return;
    }
    const failed = (error: unknown): void => {
      if (error instanceof ReplyError) {
        refuse(error.reason, error.message);
      } else {
        refuse(WireErrorCode.handlerFailed, "The client failed to handle this.");
        this.#listenerFailed(error);
      }
    };
    attempt(
      () => handler(data),
      (reply) => {
        try {
          this.#contract?.checkAnswer(event, reply);
          this.#reply(link, { reply: id, data: reply });
        } catch (error) {
          failed(error);
        }
      },
      failed,
    );
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
      throw new ClientError("ERR_CLIENT_UNSERIALISABLE", `The data cannot be encoded: ${messageOf(cause)}`, { cause });
    }
  }

  #check(check: (contract: ClientSide<never>) => unknown): unknown {
    try {
      return this.#contract === undefined ? undefined : check(this.#contract);
    } catch (cause) {
      throw new ClientError("ERR_CLIENT_CONTRACT", messageOf(cause), { cause });
    }
  }

  #dispatch(event: string, data: unknown, context: EventContext = { event, room: undefined }): void {
    this.#listeners.dispatch(event, [data, context], event === "hub:error" ? throwLater : this.#listenerFailed);
  }

  readonly #listenerFailed = (cause: unknown): void => {
    if (!this.#listeners.has("hub:error")) throwLater(cause);
    this.#report(new ClientError("ERR_CLIENT_LISTENER", `A listener failed: ${messageOf(cause)}`, { cause }));
  };

  #report(error: ClientError): void {
    this.#dispatch("hub:error", error);
  }
}

function closed({ code, reason }: Partial<StateChange> = {}): ClientError {
  const how = code === undefined ? "" : ` (${code}${reason ? ` ${reason}` : ""})`;
  return new ClientError("ERR_CLIENT_CLOSED", `This client is closed${how}. Make a new one.`);
}

function checkEventName(event: unknown): void {
  if (typeof event !== "string" || event === "" || event.length > MAX_EVENT_NAME_LENGTH) {
    throw bad(`An event's name is a string of 1 to ${MAX_EVENT_NAME_LENGTH} characters.`);
  }
  if (event.startsWith(RESERVED_PREFIX))
    throw bad(`"${event}" is reserved. Choose a name without "${RESERVED_PREFIX}".`);
}

/** 128 random bits: nobody else can ask for the reply. */
function createKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
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
