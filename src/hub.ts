import { Answers } from "./answers.ts";
import { checkFunction } from "./arguments.ts";
import { EVERYBODY } from "./audience.ts";
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
} from "./event-types.ts";
import { closed, Core } from "./core.ts";
import { HubError } from "./errors.ts";
import { Door } from "./handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HUB_EVENTS, type ErrorContext, type HubEvents } from "./hub-events.ts";
import { Inbound } from "./inbound.ts";
import { Listeners } from "./listeners.ts";
import type { AnyHandler, Member } from "./member.ts";
import { resolveListenOptions, resolveOptions, type HubOptions, type TransportName } from "./options.ts";
import { CloseCode } from "./protocol/close-codes.ts";
import { ControlEvent } from "./protocol/packet.ts";
import { Reception } from "./reception.ts";
import type { Replies, RequestOptions } from "./requests.ts";
import { RoomRequests, type Joinable } from "./room-requests.ts";
import type { RoomNames } from "./rooms.ts";
import { Socket } from "./socket.ts";
import { Target } from "./target.ts";
import type { ListenAddress, ListenOptions, Transport } from "./transport.ts";
import { uws } from "./transports/uws.ts";
import { ws } from "./transports/ws.ts";
import { MapView, SetView } from "./views.ts";

/**
 * Rooms over WebSockets: the root of all sockets and targets.
 *
 * @example
 * const hub = new Hub({ transport: "ws" });
 * hub.on("connection", (socket) => socket.join("lobby"));
 * hub.handle("chat", (text, socket) => hub.to("lobby").emit("chat", { from: socket.id, text }));
 * const { port } = await hub.listen(8080);
 */
export class Hub<T extends HubTypes = HubTypes> {
  readonly #core: Core;
  readonly #transport: Transport;
  readonly #reception: Reception;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #listeners: Listeners<HubEvents<T>>;
  readonly #handlers = new Map<string, AnyHandler<unknown>>();
  readonly #everybody: Target<T>;
  #listening: Promise<ListenAddress> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * A transport that is attached to a server of the application's accepts connections from now on; otherwise
   * {@link listen} begins.
   *
   * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_PATH_TAKEN`.
   */
  constructor(options: HubOptions<T> = {}) {
    const settings = resolveOptions(options);
    const { heartbeat, idempotency, joinable } = settings;
    this.#listeners = new Listeners<HubEvents<T>>(HUB_EVENTS, (error, event, args) => {
      // An `error` listener that fails has nobody left to tell.
      if (event !== "error") this.#report(error, { source: "listener", event, socket: args[0] as Socket<T> });
    });
    this.#transport = createTransport(settings.transport);
    this.#core = new Core(settings, this.#transport.topics, (member, code, reason) => {
      this.#listeners.dispatch("disconnection", member.socket as Socket<T>, { code, reason });
    });
    this.#everybody = new Target<T>(this.#core, EVERYBODY);
    const rooms = new RoomRequests<Socket<T>>(joinable as Joinable<Socket<T>> | undefined);
    this.#handlers.set(ControlEvent.join, rooms.join as AnyHandler<unknown>);
    this.#handlers.set(ControlEvent.leave, rooms.leave as AnyHandler<unknown>);
    // Like every message it has been taken for a sign of life.
    this.#handlers.set(ControlEvent.pong, () => {});
    const inbound = new Inbound({
      core: this.#core,
      contract: this.#core.contract,
      validateOutgoing: settings.validateOutgoing,
      answers: idempotency === false ? undefined : new Answers(idempotency),
      handlers: this.#handlers,
      message: (member, data) => {
        if (!this.#listeners.has("message")) return false;
        this.#listeners.dispatch("message", member.socket as Socket<T>, data);
        return true;
      },
      failed: (error, member, event) => {
        this.#report(error, { source: "handler", event, socket: member.socket as Socket<T> });
      },
    });
    this.#reception = new Reception({
      core: this.#core,
      door: new Door(settings, this.#core.codecs.protocols, (error) => this.#report(error, { source: "authenticate" })),
      inbound,
      settings,
      admitted: (member) => {
        member.socket = new Socket<T>(this.#core, member);
      },
      connected: (member) => this.#listeners.dispatch("connection", member.socket as Socket<T>),
      failed: (error, event, member) => {
        const context = { source: "codec", event } as const;
        this.#report(error, member === undefined ? context : { ...context, socket: member.socket as Socket<T> });
      },
      broken: (error) => this.#report(error, { source: "transport" }),
    });
    if (heartbeat !== false) {
      this.#heartbeat = new Heartbeat(
        heartbeat,
        this.#core.members.all,
        (member) => this.#reception.ping(member),
        (member) => this.#core.expel(member, CloseCode.heartbeatLost, "No sign of life"),
      );
    }
    this.#transport.start(this.#reception.handlers(), settings);
    this.#heartbeat?.start();
  }

  /** The rooms of this node that have members: name to sockets. Live and read-only. */
  get rooms(): MapView<SetView<Socket<T>>> {
    const { members } = this.#core;
    return MapView.of(members.rooms.entries, (_, room) => {
      return SetView.of(
        () => members.rooms.get(room),
        socketOf<T>,
        ({ id }) => members.all.get(id),
      );
    });
  }

  /** The open sockets of this node by id. Live and read-only. */
  get sockets(): MapView<Socket<T>> {
    return MapView.of(this.#core.members.all, socketOf<T>);
  }

  /** The members of a room, or of several, each once. See {@link Target.to}. */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.#everybody.to(...rooms);
  }

  /** One socket by its id. See {@link Target.toSocket}. */
  toSocket(id: string): Target<T> {
    return this.#everybody.toSocket(id);
  }

  /** All sockets of a user. See {@link Target.toUser}. */
  toUser(id: string): Target<T> {
    return this.#everybody.toUser(id);
  }

  /** Everybody but the members of these rooms, and these sockets. See {@link Target.except}. */
  except(...excluded: readonly (RoomNames | Socket<T>)[]): Target<T> {
    return this.#everybody.except(...excluded);
  }

  /** Everybody who is not behind. See {@link Target.volatile}. */
  get volatile(): Target<T> {
    return this.#everybody.volatile;
  }

  /** Everybody on this node. See {@link Target.local}. */
  get local(): Target<T> {
    return this.#everybody.local;
  }

  /** Sends an event to everybody. See {@link Target.emit}. */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...data: DataArguments<ServerEvents<T>[E]>): void {
    this.#everybody.emit(event, ...data);
  }

  /** Sends a message as it is to everybody. See {@link Target.send}. */
  send(message: string | Uint8Array): void {
    this.#everybody.send(message);
  }

  /** Asks everybody. See {@link Target.request}. */
  request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...args: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<Replies<EventReply<ServerEvents<T>[E]>>> {
    return this.#everybody.request(event, ...args);
  }

  /** Listens to an event of the hub itself. What a listener throws reaches `error`. */
  on<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#listeners.add(event, listener, false);
    return this;
  }

  /** Like {@link on}, for the next time only. */
  once<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#listeners.add(event, listener, true);
    return this;
  }

  /** Stops listening. */
  off<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /**
   * Handles an event that clients send, for all sockets. What the handler returns, or its promise resolves with, answers
   * a request; see {@link ReplyError} for answering with an error.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`, `ERR_HUB_HANDLED` if the event has a handler.
   */
  handle<E extends EventName<ClientEvents<T>>>(
    event: E,
    handler: (data: EventData<ClientEvents<T>[E]>, socket: Socket<T>) => HandlerResult<ClientEvents<T>[E]>,
  ): () => void {
    this.#core.checkHandled(event);
    checkFunction(handler, "A handler");
    if (this.#handlers.has(event)) {
      throw new HubError(
        "ERR_HUB_HANDLED",
        `The hub handles "${event}" already. Remove the first handler or combine them.`,
      );
    }
    this.#handlers.set(event, handler as AnyHandler<unknown>);
    let removed = false;
    return () => {
      // A second call must not remove what took its place meanwhile.
      if (!removed) this.#handlers.delete(event);
      removed = true;
    };
  }

  /**
   * Starts the hub's own server.
   *
   * @param where - a port (0, the default, takes a free one), or an object for the rest.
   * @returns the port that was bound.
   * @throws {HubError} as a rejection: the system's code such as `EADDRINUSE`, `ERR_HUB_LISTENING` when it listens
   *   already, `ERR_HUB_ATTACHED` when the transport sits on a server of the application's, `ERR_HUB_CLOSED`.
   */
  async listen(where: number | ListenOptions = {}): Promise<ListenAddress> {
    this.#core.checkOpen();
    if (this.#closing !== undefined) throw closed();
    if (this.#listening !== undefined)
      throw new HubError("ERR_HUB_LISTENING", "This hub listens already. Use a second hub for a second port.");
    this.#listening = this.#transport.listen(resolveListenOptions(where));
    try {
      return await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /**
   * Ends everything: refuses new clients, settles all requests, closes every socket with 1001 after what was sent to it,
   * lets the `disconnection` listeners run, and resolves when nothing is left that would keep the process alive. A
   * server of the application's stays open.
   *
   * Idempotent. Afterwards the hub cannot be used again.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#heartbeat?.stop();
    this.#core.requests.close();
    this.#reception.close();
    // A server that is about to listen can only be stopped once it does.
    await this.#listening?.catch(() => {});
    this.#transport.stopListening();
    await this.#transport.destroy();
    this.#core.close();
  }

  #report(error: unknown, context: ErrorContext<T>): void {
    this.#listeners.dispatch("error", error, context);
  }
}

/** The transports that hubs were given. */
const taken = new WeakSet<Transport>();

function createTransport(transport: TransportName | Transport): Transport {
  if (typeof transport === "string") return transport === "ws" ? ws() : uws();
  if (taken.has(transport)) {
    throw new HubError("ERR_HUB_OPTION", "This transport belongs to another hub already. Make one for each hub.");
  }
  taken.add(transport);
  return transport;
}

function socketOf<T extends HubTypes>(member: Member): Socket<T> {
  return member.socket as Socket<T>;
}
