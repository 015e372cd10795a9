import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { checkEventName, checkFunction, checkIds } from "../checks/arguments.ts";
import type { BackplaneState } from "../cluster/cluster.ts";
import type { NodeMessageHandler } from "../cluster/node-messages.ts";
import type { NodeDescription } from "../cluster/nodes.ts";
import type {
  ClientEvents,
  EventData,
  EventName,
  HandlerResult,
  HubTypes,
  NamedEvent,
  NodeEvents,
} from "../event-types.ts";
import { HubError } from "../errors.ts";
import type { History } from "../history/history.ts";
import { checkQuery, type HistoryQuery, type HistoryResult } from "../history/query.ts";
import type { Rule } from "../history/rules.ts";
import { EVERYBODY } from "../members/audience.ts";
import type { Middleware } from "../inbound/middleware.ts";
import type { HandlerContext } from "../members/handler-context.ts";
import type { AnyHandler } from "../members/member.ts";
import type { ListenAddress, ListenOptions } from "../transports/transport.ts";
import { assembleHub, type HubAssembly } from "./assembly.ts";
import type { HubEvents } from "./events.ts";
import type { CloseOptions, DrainOptions } from "./lifecycle.ts";
import type { NodeTargetParts } from "./node-target.ts";
import { resolveHubOptions, type HubOptions } from "./options.ts";
import { socketOf } from "./reporter.ts";
import { RoomPresence } from "./room-presence.ts";
import { Sender } from "./sender.ts";
import type { Socket } from "./socket.ts";
import type { HubStatistics } from "./statistics.ts";
import type { Target } from "./target.ts";
import { MapView, SetView } from "./views.ts";

/** Refuses a server in the place of the options, which TypeScript would accept because all options may be absent. */
interface NoServer {
  readonly listen?: never;
}

/**
 * Rooms over WebSockets: the root of all sockets and targets.
 *
 * @example
 * const hub = new Hub({ transport: "ws" });
 * hub.on("connection", (socket) => socket.join("lobby"));
 * hub.handle("chat", (text, socket) => hub.to("lobby").emit("chat", { from: socket.id, text }));
 * const { port } = await hub.listen(8080);
 */
export class Hub<T extends HubTypes = HubTypes> extends Sender<T> {
  readonly #parts: HubAssembly<T>;

  /**
   * Creates a hub. A transport that is attached to a server of the application's accepts connections from now on;
   * otherwise {@link listen} begins.
   *
   * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_PATH_TAKEN`.
   */
  constructor(options: HubOptions<T> & NoServer = {}) {
    super();
    this.#parts = assembleHub<T>(this, resolveHubOptions(options));
    this.#parts.hubLifecycle.start();
  }

  /** A live, read-only view of the rooms of this node that have members: name to sockets. */
  get rooms(): MapView<SetView<Socket<T>>> {
    const { members } = this.#parts;
    return MapView.of(members.rooms.entries, (_, room) => {
      return SetView.of(
        () => members.rooms.get(room),
        socketOf<T>,
        ({ id }) => members.all.get(id),
      );
    });
  }

  /** A live, read-only view of the open sockets of this node, by id. */
  get sockets(): MapView<Socket<T>> {
    return MapView.of(this.#parts.members.all, socketOf<T>);
  }

  /** The description of this node that the other nodes have; `undefined` without a backplane. */
  get node(): NodeDescription | undefined {
    return this.#parts.cluster?.self;
  }

  /** A copy of the list of the other nodes that are there now. */
  get nodes(): readonly NodeDescription[] {
    return this.#parts.cluster?.nodes.list ?? [];
  }

  /** The state of the connection with the other nodes; `undefined` without a backplane. */
  get backplaneState(): BackplaneState | undefined {
    return this.#parts.cluster?.state;
  }

  override get everybody(): Target<T> {
    return this.#parts.everybody;
  }

  protected override get programs(): NodeTargetParts {
    return this.#parts;
  }

  /** Everybody on this node. See {@link Target.local}. */
  get local(): Target<T> {
    return this.everybody.local;
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
    return this.#parts.messages.add(event, handler as NodeMessageHandler);
  }

  /**
   * Handles a message of the program on another node, as {@link onNode} does, and answers requests: what it returns, or its
   * promise resolves with, is the reply to `requestNodes` and `toNode(id).request`, with all that `structuredClone` keeps.
   * A {@link ReplyError} answers with an error; what else it throws reaches `error`, and the other node `handler-failed`.
   * Its signal is aborted when the other node does not wait any more, or this hub closes.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`, `ERR_HUB_HANDLED` if there is one already.
   */
  handleNode<E extends EventName<NodeEvents<T>>>(
    event: E,
    handler: (
      data: EventData<NodeEvents<T>[E]>,
      node: NodeDescription,
      context: HandlerContext,
    ) => HandlerResult<NodeEvents<T>[E]>,
  ): () => void {
    checkEventName(event);
    return this.#parts.messages.handle(event, handler as NodeMessageHandler);
  }

  /**
   * Resolves when what other nodes send to this room arrives here, so that a join a moment ago has taken effect
   * everywhere. Where this node has put sockets of other nodes into the room, or taken them out of it, it resolves when
   * that is done and their nodes hear the room as well; a node that does not answer delays that by `cluster.lease`, or
   * twice that. Without a room, every room is meant. It waits while the engine is away. Without a backplane there is no wait.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` where the engine does not let a node hear
   *   the room; as a rejection.
   */
  async synced(room?: string): Promise<void> {
    this.#parts.preconditions.checkOpen();
    if (room !== undefined) this.#parts.preconditions.roomNames([room]);
    await this.#parts.cluster?.synced(room);
  }

  /**
   * Returns which of these users have a socket on any node. The engine tells: it knows the users that each node listens for,
   * so that no node is asked; a backplane that cannot tell asks all nodes. Without a backplane, the users of this node are
   * meant.
   *
   * A user who has connected is among them from the next {@link synced} of that node on. One whose last socket has closed
   * may be among them for `cluster.grace` longer. The users of a node that the engine has lost are not, until it is back.
   *
   * @example
   * const online = await hub.online(friends);
   * for (const id of friends) if (!online.has(id)) await push(id, text);
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` while the engine is away, or if a node that
   *   has to be asked does not answer; as a rejection.
   */
  async online(ids: readonly string[]): Promise<Set<string>> {
    const { cluster, members, preconditions } = this.#parts;
    preconditions.checkOpen();
    checkIds(ids);
    const users = [...new Set(ids)];
    const isHere = (id: string): boolean => members.areThere({ ...EVERYBODY, everybody: false, users: [id] });
    const elsewhere = users.filter((id) => !isHere(id));
    const there = new Set(elsewhere.length === 0 ? [] : await cluster?.online(elsewhere));
    return new Set(users.filter((id) => there.has(id) || isHere(id)));
  }

  /** Listens to an event of the hub itself. What a listener throws reaches `error`. */
  on<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#parts.reporter.listeners.add(event, listener, false);
    return this;
  }

  /** Listens to the next occurrence of an event of the hub itself. Otherwise like {@link on}. */
  once<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#parts.reporter.listeners.add(event, listener, true);
    return this;
  }

  /** Stops listening. */
  off<E extends keyof HubEvents<T>>(event: E, listener: (...args: HubEvents<T>[E]) => unknown): this {
    this.#parts.reporter.listeners.remove(event, listener);
    return this;
  }

  /**
   * Handles an event that clients send, for all sockets. What the handler returns, or its promise resolves with,
   * answers a request; see {@link ReplyError} for answering with an error.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`, `ERR_HUB_HANDLED` if the event has a handler.
   */
  handle<E extends EventName<ClientEvents<T>>>(
    event: E,
    handler: (
      data: EventData<ClientEvents<T>[E]>,
      socket: Socket<T>,
      context: HandlerContext,
    ) => HandlerResult<ClientEvents<T>[E]>,
  ): () => void {
    this.#parts.preconditions.checkHandled(event);
    checkFunction(handler, "A handler");
    return this.#parts.handlers.add(event, handler as AnyHandler<unknown>);
  }

  /**
   * Handles whatever event clients send that has no handler, neither of `handle` nor of the socket; never the protocol's
   * own. It gets the event's name beside the data, and is otherwise like one of {@link handle}. There is one at most. With
   * a contract, only its events get here, validated. Without one, clients may send any name, whatever the types say,
   * and none of them counts as unknown: throw a {@link ReplyError} to refuse one.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_HANDLED` if there is one already.
   */
  handleAny(
    handler: (named: NamedEvent<ClientEvents<T>>, socket: Socket<T>, context: HandlerContext) => unknown,
  ): () => void {
    checkFunction(handler, "A handler");
    return this.#parts.handlers.addFallback(handler as AnyHandler<unknown>);
  }

  /**
   * Runs `middleware` around the handlers of all events that clients send, except those of the protocol itself. The
   * middleware that was added first is outermost.
   *
   * @returns a function that removes it.
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  use(middleware: Middleware<Socket<T>>): () => void {
    checkFunction(middleware, "Middleware");
    return this.#parts.middleware.add(middleware);
  }

  /**
   * Reads the record of a room, for instance to answer the first request of a page over HTTP: the result is a position from
   * which a client can join, so that nothing is missing between the two. The events are as their data was sent, decoded by
   * the option `codec`; those that left somebody out are among them.
   *
   * @throws {HubError} `ERR_HUB_HISTORY` for a room that no rule names, `ERR_HUB_ROOM_NAME`, `ERR_HUB_ARGUMENT`,
   *   `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` if the engine does not let it be read; as a rejection.
   */
  async history(room: string, query: HistoryQuery = {}): Promise<HistoryResult> {
    const { history, rule } = this.#recorded(room);
    checkQuery(query);
    return history.read(room, rule, query);
  }

  /**
   * Deletes the record of a room. Its members are told that something may be missing, and so are those who come back.
   *
   * @throws {HubError} `ERR_HUB_HISTORY` for a room that no rule names, `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`,
   *   `ERR_HUB_BACKPLANE` if the engine has not confirmed it; as a rejection.
   */
  async forget(room: string): Promise<void> {
    const { history, rule } = this.#recorded(room);
    await history.forget(room, rule);
  }

  /** @throws {HubError} `ERR_HUB_HISTORY`, `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`. */
  #recorded(room: string): { readonly history: History; readonly rule: Rule } {
    const { history, preconditions } = this.#parts;
    preconditions.checkOpen();
    preconditions.roomNames([room]);
    const rule = history?.ruleOf({ ...EVERYBODY, everybody: false, rooms: [room] });
    if (history === undefined || rule === undefined) {
      throw new HubError("ERR_HUB_HISTORY", `No rule of the option "history" names the room "${room}".`);
    }
    return { history, rule };
  }

  /**
   * Who is in a room, on all nodes: a live view.
   *
   * @throws {HubError} `ERR_HUB_PRESENCE` for a room that the option `presence` does not name, `ERR_HUB_ROOM_NAME`,
   *   `ERR_HUB_CLOSED`.
   */
  presence(room: string): RoomPresence<T> {
    const { preconditions, presence, reporter } = this.#parts;
    preconditions.checkOpen();
    return new RoomPresence(room, { presence: preconditions.present(presence, room), listeners: reporter.presence });
  }

  /** Returns a copy of the counters and of the present numbers. A call looks at every socket once. */
  stats(): HubStatistics {
    const { cluster, connections, counters, delivery, history, members, presence, waiting, work } = this.#parts;
    return {
      connections: members.all.size,
      newcomers: connections.newcomers,
      closing: connections.closing,
      rooms: members.rooms.entries.size,
      pendingBytes: delivery.pendingBytes(members.all.values()),
      handling: work.count,
      handlingBytes: work.bytes,
      peakHandlingBytes: work.peak,
      waitingBytes: waiting.bytes,
      ...counters,
      drops: { ...counters.drops },
      ...(cluster === undefined ? undefined : { cluster: { ...cluster.traffic } }),
      ...(history === undefined ? undefined : { history: history.statistics }),
      ...(presence === undefined ? undefined : { presence: presence.statistics }),
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
    return this.#parts.hubLifecycle.listen(where);
  }

  /**
   * Takes an upgrade request, for an application that routes upgrades itself: of a hub with the transport
   * `ws({ noServer: true })`. The hub answers the client, whatever the request is, and has the socket from then on. The
   * option `path` holds here, too: other paths get 404.
   *
   * @example
   * server.on("upgrade", (request, socket, head) => {
   *   if (request.url === "/chat") hub.handleUpgrade(request, socket, head);
   *   else others.handleUpgrade(request, socket, head);
   * });
   *
   * @param request - the arguments of the event `upgrade` of an `http` or `https` server.
   * @throws {HubError} `ERR_HUB_OPTION` with any other transport, `ERR_HUB_ARGUMENT`.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#parts.hubLifecycle.handleUpgrade(request, socket, head);
  }

  /**
   * Ends everything gently: refuses new clients with HTTP status 503, tells the connected ones to reconnect, closes
   * each with 4200 as soon as its handlers have finished and it has answered what it was asked, waits until it has read
   * everything and until the handlers of {@link handleNode} have finished that other nodes wait for, and then does as
   * {@link close}. At the end of `within` it waits no longer.
   *
   * Idempotent. `close` ends the waiting.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`; as a rejection.
   */
  drain(options: DrainOptions = {}): Promise<void> {
    return this.#parts.hubLifecycle.drain(options);
  }

  /**
   * Ends everything: refuses new clients, settles all requests, closes every socket with 1001 after what was sent to
   * it, lets the `disconnection` listeners run, and resolves when nothing is left that would keep the process alive. A
   * server of the application's stays open.
   *
   * Clients that read slowly get what was sent to them; `within` bounds how long that may take. Idempotent: another call
   * can only bring the end forward. Afterwards the hub cannot be used again.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`; as a rejection.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#parts.hubLifecycle.close(options);
  }
}
