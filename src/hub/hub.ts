import { Answers } from "../inbound/idempotency.ts";
import { checkEventName, checkFunction, onlyValue } from "../checks/arguments.ts";
import { EVERYBODY } from "../members/audience.ts";
import type {
  ClientEvents,
  DataArguments,
  EventData,
  EventName,
  EventReply,
  HandlerResult,
  HubTypes,
  NodeEvents,
  RequestArguments,
  RequestName,
  ServerEvents,
} from "../event-types.ts";
import { Cluster, type BackplaneState } from "../cluster/cluster.ts";
import type { NodeMessageHandler } from "../cluster/node-messages.ts";
import { createNodeId } from "../cluster/node-id.ts";
import type { NodeDescription } from "../cluster/nodes.ts";
import { Core } from "../members/lifecycle.ts";
import { publish } from "./diagnostics.ts";
import { Door } from "../door/door.ts";
import { HubError } from "../errors.ts";
import { Heartbeat } from "../time/heartbeat.ts";
import { HUB_EVENTS, type ErrorContext, type HubEvents } from "./events.ts";
import { Inbound } from "../inbound/dispatcher.ts";
import { LifeCycle, type DrainOptions } from "./lifecycle.ts";
import { Listeners } from "./listeners.ts";
import type { AnyHandler, Member } from "../members/member.ts";
import { MiddlewareChain, type Middleware } from "../inbound/middleware.ts";
import { resolveOptions, type HubOptions, type ResolvedOptions, type TransportName } from "./options.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { ownedOnce } from "../checks/owned-once.ts";
import { CloseCode } from "../protocol/close-codes.ts";
import { ControlEvent } from "../protocol/packet.ts";
import { RateLimits } from "../limits/rate-limits.ts";
import { Reception } from "./connections.ts";
import type { Replies, RequestOptions } from "../members/requests.ts";
import { RoomRequests, type Joinable } from "../inbound/room-requests.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import { Socket } from "./socket.ts";
import type { HubStatistics } from "./statistics.ts";
import { Target } from "./target.ts";
import type { ListenAddress, ListenOptions, Transport } from "../transports/transport.ts";
import { uws } from "../transports/uws/index.ts";
import { ws } from "../transports/ws/index.ts";
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
  readonly #lifeCycle: LifeCycle;
  readonly #reception: Reception;
  readonly #listeners: Listeners<HubEvents<T>>;
  readonly #handlers = new Map<string, AnyHandler<unknown>>();
  readonly #middleware = new MiddlewareChain<Socket<T>>();
  readonly #everybody: Target<T>;

  /**
   * A transport that is attached to a server of the application's accepts connections from now on; otherwise
   * {@link listen} begins.
   *
   * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_PATH_TAKEN`.
   */
  constructor(options: HubOptions<T> = {}) {
    const settings = resolveOptions(options);
    const { clock, heartbeat, idempotency, joinable, limits } = settings;
    this.#listeners = new Listeners<HubEvents<T>>(HUB_EVENTS, limits.listeners, (error, event, args) => {
      // An `error` listener that fails has nobody left to tell, and `refusal` is about nobody's socket.
      if (event === "error") return;
      const context = { source: "listener", event } as const;
      this.#report(error, event === "refusal" ? context : { ...context, socket: args[0] as Socket<T> });
    });
    const transport = createTransport(settings.transport);
    const codecFailed = (error: unknown, event: string, member?: Member): void => {
      const context = { source: "codec", event } as const;
      this.#report(error, member === undefined ? context : { ...context, socket: socketOf(member) });
    };
    const node = settings.backplane === undefined ? "" : createNodeId();
    this.#core = new Core(settings, transport.topics, node, {
      departed: (member, code, reason) => {
        const socket = socketOf<T>(member);
        this.#listeners.dispatch("disconnection", socket, { code, reason });
        publish("disconnection", () => ({ hub: this, socket, code, reason }));
      },
      dropped: (member, reason) => publish("drop", () => ({ hub: this, socket: member.socket, reason })),
      failed: codecFailed,
    });
    this.#core.cluster = this.#joinCluster(settings, node);
    this.#everybody = new Target<T>(this.#core, EVERYBODY);
    const rooms = new RoomRequests<Socket<T>>(joinable as Joinable<Socket<T>> | undefined, limits.roomNameLength);
    this.#handlers.set(ControlEvent.join, rooms.join as AnyHandler<unknown>);
    this.#handlers.set(ControlEvent.leave, rooms.leave as AnyHandler<unknown>);
    // Like every message it has been taken for a sign of life.
    this.#handlers.set(ControlEvent.pong, () => {});
    const inbound = new Inbound({
      core: this.#core,
      contract: this.#core.contract,
      validateOutgoing: settings.validateOutgoing,
      answers: idempotency === false ? undefined : new Answers(idempotency, clock),
      rates: new RateLimits(limits, clock),
      middleware: this.#middleware as MiddlewareChain<unknown>,
      handlers: this.#handlers,
      message: (member, data) => {
        if (!this.#listeners.has("message")) return false;
        this.#listeners.dispatch("message", socketOf(member), data);
        return true;
      },
      failed: (error, member, event, isMiddleware) => {
        const isRoom = event === ControlEvent.join || event === ControlEvent.leave;
        const source = isMiddleware ? "middleware" : isRoom ? "joinable" : "handler";
        this.#report(error, { source, event, socket: socketOf(member) });
      },
    });
    const beat =
      heartbeat === false
        ? undefined
        : new Heartbeat<Member>(
            heartbeat,
            this.#core.members.all,
            clock,
            (member) => this.#reception.ping(member),
            (member) => {
              this.#core.counters.heartbeatLosses++;
              this.#core.expel(member, CloseCode.heartbeatLost, "No sign of life");
            },
          );
    this.#reception = new Reception({
      core: this.#core,
      door: new Door({
        settings,
        clock,
        library: this.#core.codecs.protocols,
        refused: (refusal) => {
          this.#core.counters.refusals++;
          this.#listeners.dispatch("refusal", refusal);
          publish("refusal", () => ({ hub: this, ...refusal }));
        },
        failed: (error, source) => this.#report(error, { source }),
      }),
      inbound,
      settings,
      nextPhase: () => beat?.nextPhase() ?? 0,
      admitted: (member) => {
        member.socket = new Socket<T>(this.#core, member);
      },
      connected: (member) => {
        const socket = socketOf<T>(member);
        this.#listeners.dispatch("connection", socket);
        publish("connection", () => ({ hub: this, socket }));
      },
      failed: codecFailed,
      broken: (error) => this.#report(error, { source: "transport" }),
    });
    this.#lifeCycle = new LifeCycle({
      core: this.#core,
      heartbeat: beat,
      reception: this.#reception,
      transport,
    });
    transport.start(this.#reception.handlers(), settings);
    beat?.start();
    this.#core.cluster?.start();
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

  /** This node, as the others know it; `undefined` without a backplane. */
  get node(): NodeDescription | undefined {
    return this.#core.cluster?.self;
  }

  /** The other nodes that are there. A copy. */
  get nodes(): readonly NodeDescription[] {
    return this.#core.cluster?.nodes.list ?? [];
  }

  /** How the connection with the other nodes stands; `undefined` without a backplane. */
  get backplaneState(): BackplaneState | undefined {
    return this.#core.cluster?.state;
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

  /** Everybody, with another answer to who reads too slowly. See {@link Target.overload}. */
  overload(policy: OverloadPolicy): Target<T> {
    return this.#everybody.overload(policy);
  }

  /** Everybody, for values of which only the newest counts. See {@link Target.latest}. */
  latest(key: string): Target<T> {
    return this.#everybody.latest(key);
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

  /**
   * Sends a message to the programs on all other nodes: see {@link onNode}. The data is copied now, as by `structuredClone`.
   * Without a backplane there is nobody to hear it.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_CLOSED`.
   */
  emitToNodes<E extends EventName<NodeEvents<T>>>(event: E, ...values: DataArguments<NodeEvents<T>[E]>): void {
    this.#core.checkOpen();
    checkEventName(event);
    this.#core.cluster?.emitToNodes(event, onlyValue(values));
  }

  /**
   * Handles a message of the program on another node. What a handler throws reaches `error`.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`.
   */
  onNode<E extends EventName<NodeEvents<T>>>(
    event: E,
    handler: (data: EventData<NodeEvents<T>[E]>, node: NodeDescription) => unknown,
  ): () => void {
    checkEventName(event);
    checkFunction(handler, "A handler");
    return this.#core.cluster?.onNode(event, handler as NodeMessageHandler) ?? ((): void => {});
  }

  /**
   * Resolves when what other nodes send to this room arrives here, so that a join a moment ago has taken effect everywhere;
   * without a room, to every room that has members here now. While the engine is away it waits. Without a backplane, and of a
   * room without members here, at once.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`; as a rejection.
   */
  async synced(room?: string): Promise<void> {
    this.#core.checkOpen();
    if (room !== undefined) this.#core.roomNames([room]);
    await this.#core.cluster?.synced(room);
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
   * Runs `middleware` around the handlers of all events that clients send, those of the protocol itself excepted. What was
   * added first is outermost.
   *
   * @returns a function that removes it.
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  use(middleware: Middleware<Socket<T>>): () => void {
    checkFunction(middleware, "Middleware");
    return this.#middleware.add(middleware);
  }

  /** What the hub has done and what there is: a copy. Counting costs nothing; a call looks at every socket once. */
  stats(): HubStatistics {
    const { cluster, counters, delivery, members } = this.#core;
    return {
      connections: members.all.size,
      newcomers: this.#reception.newcomers,
      rooms: members.rooms.entries.size,
      pendingBytes: delivery.pendingBytes(members.all.values()),
      ...counters,
      drops: { ...counters.drops },
      ...(cluster === undefined ? undefined : { cluster: { ...cluster.traffic } }),
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
  listen(where: number | ListenOptions = {}): Promise<ListenAddress> {
    return this.#lifeCycle.listen(where);
  }

  /**
   * Ends everything gently: refuses new clients with HTTP status 503, tells those who are in to come back, closes each with
   * 4200 as soon as its handlers have finished and it has answered what it was asked, and then does as {@link close}.
   *
   * Idempotent. `close` hurries it up.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`; as a rejection.
   */
  drain(options: DrainOptions = {}): Promise<void> {
    return this.#lifeCycle.drain(options);
  }

  /**
   * Ends everything: refuses new clients, settles all requests, closes every socket with 1001 after what was sent to it,
   * lets the `disconnection` listeners run, and resolves when nothing is left that would keep the process alive. A
   * server of the application's stays open.
   *
   * Idempotent. Afterwards the hub cannot be used again.
   */
  close(): Promise<void> {
    return this.#lifeCycle.close();
  }

  #joinCluster({ backplane, cluster: options }: ResolvedOptions, id: string): Cluster | undefined {
    if (backplane === undefined) return undefined;
    return new Cluster({
      core: this.#core,
      backplane: ownedOnce(backplane, "backplane"),
      options,
      self: { id, name: options.name },
      isNode: true,
      failed: (error, event) => {
        this.#report(error, event === undefined ? { source: "backplane" } : { source: "node", event });
      },
    });
  }

  #report(error: unknown, context: ErrorContext<T>): void {
    this.#listeners.dispatch("error", error, context);
    publish("error", () => ({ hub: this, error, ...context }));
  }
}

function createTransport(transport: TransportName | Transport): Transport {
  if (typeof transport === "string") return transport === "ws" ? ws() : uws();
  return ownedOnce(transport, "transport");
}

function socketOf<T extends HubTypes>(member: Member): Socket<T> {
  return member.socket as Socket<T>;
}
