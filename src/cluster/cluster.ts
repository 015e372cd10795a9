import { Buffer } from "node:buffer";
import type { Backplane } from "../backplanes/backplane.ts";
import { createDeferred, type Deferred } from "../deferred.ts";
import type { Codecs, Encoding } from "../delivery/codecs.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import { HubError } from "../errors.ts";
import { guarded } from "../guard.ts";
import { EVERYBODY, type Audience } from "../members/audience.ts";
import type { MemberDescription } from "../members/description.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { PresenceControl, PresenceListener } from "../members/presence-feed.ts";
import type { RepeatKeeper } from "../members/repeats.ts";
import type { RequestOutcome, Requests } from "../members/requests.ts";
import type { Close } from "../protocol/close-codes.ts";
import { isReply, parsePacket } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { encodeAnswer } from "./answer.ts";
import { Arrivals } from "./arrivals.ts";
import { Claims, withoutReply } from "./claims.ts";
import {
  ALL_NODES,
  isNodeChannel,
  meaningOf,
  nodeBehind,
  nodeChannel,
  roomChannel,
  routesOf,
  userChannel,
} from "./channels.ts";
import { Courier } from "./courier.ts";
import {
  encodeControl,
  encodeFrames,
  type Asking,
  type Control,
  type EncodedMessage,
  type Manner,
  type RawReply,
  type RoomNumber,
  type Selection,
} from "./envelope.ts";
import type { Interest } from "./interest.ts";
import type { NodeMessages } from "./node-messages.ts";
import { NodeRequests } from "./node-requests.ts";
import { Nodes, type NodeDescription } from "./nodes.ts";
import type { ClusterOptions } from "./options.ts";
import { PendingMoves } from "./pending-moves.ts";
import { Queries, type Findings, type Inquiry, type ReadReply } from "./queries.ts";
import { Respondent } from "./respondent.ts";
import type { RoomLogs } from "./room-logs.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

/** The state of the connection between a node and its engine. */
export type BackplaneState =
  /** The engine has not been connected yet. Messages for other nodes wait. */
  | "connecting"
  | "connected"
  /**
   * The engine is not connected. Messages for other nodes are lost, and none arrive from them; this node goes on by
   * itself.
   */
  | "disconnected";

/** The longest wait for the first connection to the engine when the node ends, in milliseconds. */
const FIRST_ATTEMPT = 5_000;

/** The time in which the answers of a node arrive that it has sent before it said goodbye, in milliseconds. */
const LAST_WORDS = 500;

/** The longest wait for the engine to record what was sent when the node ends, in milliseconds. */
const LAST_APPEND = 5_000;

/** The most users that the engine, or the nodes, are asked for at once. */
const USERS_AT_ONCE = 1_000;

/** The time that the nodes have to say which users are online, if the engine cannot, in milliseconds. */
const NODES_TIMEOUT = 10_000;

const NO_USERS: Audience = { ...EVERYBODY, everybody: false };

export interface ClusterParts {
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly interest: Interest;
  /** Whether this process may have sockets. */
  readonly isNode: boolean;
  readonly local: LocalNode;
  /** The logs of rooms; `undefined` if no room is recorded. */
  readonly logs: RoomLogs | undefined;
  readonly members: Members;
  /** The handlers of messages of the programs on other nodes. */
  readonly messages: NodeMessages;
  readonly options: ClusterOptions;
  /** What this node knows of requests that clients may repeat; absent if it remembers nothing. */
  readonly keeper: RepeatKeeper | undefined;
  readonly requests: Requests<Member>;
  /** Hears of the users on other nodes; `undefined` if no room has presence. */
  readonly presence: PresenceListener | undefined;
  /** Names the rules by which rooms are recorded: see {@link Nodes}. */
  readonly rules: string | undefined;
  readonly self: NodeDescription;
  readonly report: ErrorReport;
}

/**
 * The other nodes of the cluster: carries operations on their sockets to them, and theirs on sockets of this node here.
 */
export class Cluster {
  readonly self: NodeDescription;
  readonly nodes: Nodes;
  readonly claims: Claims;
  /** The requests between the programs on the nodes. */
  readonly nodeRequests: NodeRequests;
  readonly traffic: Traffic = noTraffic();
  readonly #parts: ClusterParts;
  readonly #courier: Courier;
  readonly #queries: Queries;
  readonly #respondent: Respondent;
  readonly #arrivals: Arrivals;
  readonly #moves: PendingMoves;
  #state: BackplaneState = "connecting";
  #isClosing = false;
  /** Resolves when it is known for the first time whether the engine is there. */
  readonly #attempted: Deferred = createDeferred();
  /** Resolves when the engine is there. */
  #up: Deferred = createDeferred();
  #lastNumber = 0;

  constructor(parts: ClusterParts) {
    const { backplane, clock, codecs, interest, isNode, keeper, local, members, messages, options, report } = parts;
    const { presence, requests, self } = parts;
    this.#parts = parts;
    this.self = self;
    this.#courier = new Courier({
      backplane,
      clock,
      node: self.id,
      maxPendingBytes: options.maxPendingBytes,
      traffic: this.traffic,
      report,
    });
    const tell = (channel: string, control: Control): void => this.#tell(channel, control);
    this.#queries = new Queries(clock);
    this.#respondent = new Respondent({ clock, guardian: report, ordered: backplane.ordered, tell });
    this.nodes = new Nodes({
      clock,
      self,
      isNode,
      rules: parts.rules,
      presence: presence?.digest,
      lease: options.lease,
      tell,
      report: {
        came: (node) => this.#queries.came(node),
        differs: ({ name }) => {
          const message =
            `The node "${name}" has other rules of the options "history" and "presence" than this one, so that members miss ` +
            "events or are told of gaps, and lists of users differ. Give all nodes the same rules.";
          report.failed(new HubError("ERR_HUB_BACKPLANE", message), "backplane");
        },
        acquainted: () => {
          this.#queries.acquainted();
          this.claims.acquainted();
        },
        went: (node, hasClosed) => {
          const end = (): void => {
            this.#queries.went(node, hasClosed);
            this.claims.went(node.id);
            this.nodeRequests.went(node.id);
          };
          // Without an order of all channels, its goodbye may overtake its last answers.
          if (hasClosed && !backplane.ordered) clock.setTimeout(end, LAST_WORDS);
          else end();
        },
      },
      heard: (others, slept) => {
        keeper?.heard(others);
        presence?.looked(others, !slept && this.#state === "connected");
      },
      leaving: () => presence?.leave(),
    });
    this.claims = new Claims({
      self: self.id,
      clock,
      lease: options.lease,
      keeper,
      nodes: this.nodes,
      isCut: () => this.#state === "disconnected",
      tell,
    });
    this.#moves = new PendingMoves({
      clock,
      guardian: report,
      isOrdered: backplane.ordered,
      isAcquainted: () => this.nodes.isAcquainted,
      ask: (channels) => this.#confirmed(channels),
    });
    this.nodeRequests = new NodeRequests({
      self: self.id,
      clock,
      messages,
      nodes: this.nodes,
      maxPendingBytes: options.maxPendingBytes,
      isCut: () => this.#state === "disconnected",
      checkOpen: () => {
        if (this.#isClosing) throw closed();
      },
      nextId: () => requests.nextClusterId(),
      track: (inquiry) => this.#track(inquiry),
      ask: (request, channel) => this.#ask(request, [channel]),
      tell,
      report,
    });
    this.#arrivals = new Arrivals({
      self: self.id,
      isOrdered: backplane.ordered,
      clock,
      codecs,
      local,
      members,
      interest,
      nodes: this.nodes,
      queries: this.#queries,
      respondent: this.#respondent,
      messages,
      nodeRequests: this.nodeRequests,
      claims: this.claims,
      presence,
      traffic: this.traffic,
      tell,
      report,
    });
  }

  get state(): BackplaneState {
    return this.#state;
  }

  /** Begins to connect. */
  start(): void {
    const { backplane, interest, logs, report } = this.#parts;
    backplane.start({
      message: (channel, bytes) => this.#arrivals.take(channel, bytes),
      ...(logs === undefined ? undefined : { recorded: (channel, record) => logs.take(channel, record) }),
      up: (maxBytes) => guarded(report, () => this.#connected(maxBytes)),
      refused: (channel, error) => guarded(report, () => this.#refused(channel, error)),
      down: (error) => {
        if (this.#state === "connected") this.#up = createDeferred();
        this.#state = "disconnected";
        this.#attempted.resolve();
        interest.forgetRefusals();
        this.#courier.shut();
        logs?.disconnected();
        this.#giveUp();
        const message =
          "The engine of the backplane cannot be reached. Until it can, this node hears nothing of the others.";
        report.failed(new HubError("ERR_HUB_BACKPLANE", message, { cause: error }), "backplane");
      },
    });
    interest.hold(ALL_NODES);
    interest.hold(nodeChannel(this.self.id));
  }

  /**
   * Resolves when messages of other nodes to the room arrive on this node, and when the other nodes have moved their
   * sockets into and out of the room as this node has told them, and hear the room as well. Without a room, when that is
   * so for every room.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, or `ERR_HUB_BACKPLANE` where the engine refuses the room; as a rejection.
   */
  async synced(room?: string): Promise<void> {
    await this.#up.promise;
    const { interest } = this.#parts;
    const here = room === undefined ? interest.allSynced() : interest.synced(roomChannel(room));
    await Promise.all([here, this.#moves.settled(room)]);
  }

  /** Sends a message to the sockets of other nodes, in the shape of each codec. */
  deliver(audience: Audience, encoding: Encoding): void {
    this.#sendFrames(audience, encoding, undefined);
  }

  /** Sends a message as it is to the sockets of other nodes, whatever codecs they speak. */
  send(audience: Audience, frame: OutgoingFrame): void {
    this.#sendFrames(audience, frame, undefined, true);
  }

  /**
   * Sends a request to the sockets of other nodes.
   *
   * @returns the promise of their answers, which never rejects.
   */
  request(audience: Audience, asking: Asking, encoding: Encoding): Promise<Findings> {
    const { id, timeout } = asking;
    const routes = routesOf(audience, this.self.id);
    const probes = routes.every(isNodeChannel) ? routes : [ALL_NODES];
    const probe: Question = { type: "probe", id, routes, timeout };
    const findings = this.#inquire(probe, probes, timeout, (reply) => this.#read(asking.event, reply));
    this.#sendFrames(audience, encoding, asking);
    this.#ask(probe, probes);
    return findings;
  }

  /** Describes the sockets of other nodes. Never rejects. */
  describe(audience: Audience, keys: readonly string[], timeout: number): Promise<Findings> {
    const id = this.#parts.requests.nextClusterId();
    const routes = routesOf(audience, this.self.id);
    const channels = routes.every(isNodeChannel) ? routes : [ALL_NODES];
    const question: Question = { type: "describe", id, audience, keys };
    const findings = this.#inquire(question, channels, timeout, NO_REPLIES);
    this.#ask(question, channels);
    return findings;
  }

  /**
   * Returns which of these users have sockets on other nodes. The engine tells, or else the nodes. A user whose channel this
   * node still hears may be among them.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE` if nobody can tell, `ERR_HUB_CLOSED`; as a rejection.
   */
  async online(users: readonly string[]): Promise<readonly string[]> {
    await Promise.race([this.#attempted.promise, this.#up.promise]);
    const online: string[] = [];
    for (let start = 0; start < users.length; start += USERS_AT_ONCE) {
      // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
      online.push(...(await this.#onlineOf(users.slice(start, start + USERS_AT_ONCE))));
    }
    return online;
  }

  async #onlineOf(users: readonly string[]): Promise<readonly string[]> {
    if (this.#state !== "connected") throw unknownUsers("The engine of the backplane is not connected.");
    let interested: readonly boolean[] | undefined;
    try {
      interested = await this.#parts.backplane.interested?.(users.map(userChannel));
    } catch (cause) {
      throw this.#isClosing ? closed() : unknownUsers("The engine of the backplane has not answered.", cause);
    }
    if (interested !== undefined) return users.filter((_, index) => interested[index]);
    const { descriptions, silent, unfinished } = await this.describe({ ...NO_USERS, users }, [], NODES_TIMEOUT);
    if (this.#isClosing) throw closed();
    if (silent.length > 0 || unfinished !== undefined) {
      throw unknownUsers(`These nodes have not answered: ${silent.join(", ") || "all"}.`, unfinished);
    }
    return (descriptions as readonly MemberDescription[]).flatMap(({ user }) => user?.id ?? []);
  }

  /** Puts the sockets of other nodes into rooms. */
  join(audience: Audience, rooms: readonly string[]): void {
    const sent = this.#parts.logs?.mark.number;
    const routes = this.#act(audience, (selection) => ({ type: "join", selection, rooms, sent }));
    if (routes.length > 0) this.#moves.add(rooms, routes);
  }

  /** Takes the sockets of other nodes out of rooms. */
  leave(audience: Audience, rooms: readonly string[]): void {
    const sent = this.#sentTo(rooms);
    const routes = this.#act(audience, (selection) => ({ type: "leave", selection, rooms, sent }));
    // Where the engine keeps the order, everything that follows finds the sockets gone.
    if (routes.length > 0 && !this.#parts.backplane.ordered) this.#moves.add(rooms, routes);
  }

  /** Closes the sockets of other nodes. */
  close(audience: Audience, { code, reason }: Close): void {
    const sent = this.#sentTo();
    this.#act(audience, (selection) => ({ type: "close", selection, code, reason, sent }));
  }

  /**
   * Sends a message to the programs on other nodes.
   *
   * @param node - the id of the only one that is meant; if absent, all are.
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`.
   */
  emitToNodes(event: string, data: unknown, node?: string): void {
    let envelope: Buffer;
    try {
      envelope = encodeControl({ type: "message", event, data });
    } catch (error) {
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The data of "${event}" cannot be sent to other nodes.`, {
        cause: error,
      });
    }
    this.#courier.send([node === undefined ? ALL_NODES : nodeChannel(node)], envelope);
  }

  /** Tells other nodes of the users on this one. */
  tellPresence(channel: string, control: PresenceControl): void {
    this.#tell(channel, control);
  }

  /** Resolves when all nodes have answered that live, behind what they were asked before. */
  async answered(): Promise<void> {
    await this.#confirmed([ALL_NODES]);
    if (this.#isClosing) throw closed();
  }

  /** Resolves when the engine is connected; at once if it is. */
  connected(): Promise<unknown> {
    return this.#up.promise;
  }

  /** Settles the application's questions to other nodes, and those that it asks from now on, because this node closes. */
  settle(): void {
    this.#isClosing = true;
    this.#queries.settle(closed);
  }

  /**
   * Tells the other nodes that this one leaves. Resolves when the engine has taken the last byte.
   *
   * @param within - the longest wait for records, in milliseconds. Default: a few seconds.
   */
  async disconnect(within: number = Infinity): Promise<void> {
    const { logs } = this.#parts;
    this.settle();
    const isWaiting = this.#courier.isWaiting || logs?.settled() !== undefined;
    if (this.#state === "connecting" && isWaiting) await this.#firstAttempt();
    if (this.#state === "connected") await this.#recorded(within);
    logs?.stop();
    this.#queries.giveUp(closed);
    this.claims.stop();
    this.nodeRequests.stop();
    this.#parts.messages.stop();
    this.#respondent.stop();
    this.#moves.stop();
    this.nodes.leave();
    this.#parts.interest.stop();
    this.#courier.flush();
    this.#up.reject(new HubError("ERR_HUB_CLOSED", "The hub was closed."));
    await this.#parts.backplane.close();
    // Messages from now on, such as late replies, may be lost.
    this.#courier.shut();
  }

  /** Waits until the engine has recorded what was sent, a few seconds at most. */
  async #recorded(within: number): Promise<void> {
    const settled = this.#parts.logs?.settled();
    if (settled === undefined) return;
    const deadline = createDeferred();
    const timer = this.#parts.clock.setTimeout(deadline.resolve, Math.min(within, LAST_APPEND));
    await Promise.race([settled, deadline.promise]);
    timer.cancel();
  }

  /**
   * Waits for the first connection, so that messages from the very beginning are not lost because the node ends soon.
   */
  async #firstAttempt(): Promise<void> {
    const { clock } = this.#parts;
    const timer = clock.setTimeout(this.#attempted.resolve, FIRST_ATTEMPT);
    await this.#attempted.promise;
    timer.cancel();
  }

  #connected(maxBytes?: number): void {
    this.#state = "connected";
    this.#attempted.resolve();
    this.#courier.open(maxBytes);
    this.#parts.logs?.connected();
    this.nodes.arrive();
    this.#parts.presence?.connected();
    this.#up.resolve();
  }

  #refused(channel: string, cause: unknown): void {
    const { interest, report } = this.#parts;
    this.traffic.refused++;
    const message =
      `The engine does not let this node hear ${meaningOf(channel)}. Look at its permissions and limits. ` +
      "Further refusals on this connection are only counted.";
    const error = new HubError("ERR_HUB_BACKPLANE", message, { cause });
    this.#parts.logs?.refused(channel);
    if (interest.refuse(channel, error)) report.failed(error, "backplane");
  }

  /** Ends all questions, because no other node can be heard. */
  #giveUp(): void {
    this.claims.giveUp();
    this.#queries.giveUp((who) => {
      return new HubError("ERR_HUB_BACKPLANE", `The engine cannot be reached, and with it the ${who}.`);
    });
  }

  /** Waits for the answers of other nodes to a question, which is asked afterwards, because it may be lost at once. */
  #inquire(question: Question, channels: readonly string[], timeout: number, read: ReadReply): Promise<Findings> {
    const { others, isAcquainted } = this.nodes;
    const isForAll = channels.includes(ALL_NODES);
    const nodes = [...others.values()].filter(({ id: node }) => isForAll || channels.includes(nodeChannel(node)));
    const askAgain = (node: string): void => this.#ask(question, [nodeChannel(node)]);
    const isOpen = isForAll && !isAcquainted;
    const isInternal = question.type === "probe" && question.syncs === true;
    return this.#track({ id: question.id, nodes, isOpen, isInternal, timeout, read, askAgain });
  }

  #track(inquiry: Inquiry): Promise<Findings> {
    const findings = this.#queries.track(inquiry);
    if (this.#state === "disconnected") this.#giveUp();
    if (this.#isClosing) this.#queries.settle(closed);
    return findings;
  }

  /**
   * Asks nodes to confirm that they hear all rooms of their sockets. Resolves when they have, or are silent, with the
   * rooms that some of them cannot hear.
   */
  async #confirmed(channels: readonly string[]): Promise<readonly string[]> {
    const { options, requests } = this.#parts;
    const id = requests.nextClusterId();
    const probe: Question = { type: "probe", id, routes: [], timeout: options.lease, syncs: true };
    const findings = this.#inquire(probe, channels, options.lease, NO_REPLIES);
    this.#ask(probe, channels);
    return (await findings).refused;
  }

  #sendFrames(audience: Audience, encoding: Encoding, asking: Asking | undefined, isForAllCodecs = false): void {
    const routes = routesOf(audience, this.self.id);
    if (routes.length === 0) return;
    const { codecs } = this.#parts;
    const messages: EncodedMessage[] = [];
    if (encoding instanceof OutgoingFrame) {
      // The only codec of this node is named, too: others may have more.
      const protocol = isForAllCodecs ? undefined : codecs.nameOf(codecs.plain);
      messages.push({ protocol, binary: encoding.binary, payload: encoding.payload });
    } else {
      for (const [codec, { binary, payload }] of encoding) {
        messages.push({ protocol: codecs.nameOf(codec), binary, payload });
      }
    }
    const channels = this.#moves.widened(routes, audience.rooms);
    const selection = this.#selectionOf(audience, channels);
    const envelope = encodeFrames({ selection, manner: mannerOf(audience), asking, messages });
    let left = channels.length;
    const lost = ({ id }: Asking): readonly Buffer[] => {
      if (--left === 0) return this.#lost(id);
      this.#queries.missed(id);
      return [];
    };
    this.#courier.send(channels, envelope, asking && (() => lost(asking)));
  }

  /** Returns what this node has sent to rooms, or to all rooms, and that other nodes may not have yet. */
  #sentTo(rooms?: readonly string[]): readonly RoomNumber[] | undefined {
    const sent = this.#parts.logs?.recentIn(rooms) ?? [];
    return sent.length === 0 ? undefined : sent;
  }

  /** Hands over to the engine what waits. */
  flush(): void {
    if (this.#courier.isWaiting) this.#courier.flush();
  }

  /** Sends an act on sockets to their nodes. Returns the channels that the audience consists of. */
  #act(audience: Audience, controlOf: (selection: Selection) => Control): readonly string[] {
    const routes = routesOf(audience, this.self.id);
    if (routes.length === 0) return routes;
    const channels = this.#moves.widened(routes, audience.rooms);
    const control = controlOf(this.#selectionOf(audience, channels));
    // What is too large for the engine is sent without what was on its way.
    const bare = (): readonly Buffer[] => [encodeControl({ ...control, sent: undefined } as Control)];
    const isMarked = control.type === "close" && control.sent !== undefined;
    this.#courier.send(channels, encodeControl(control), isMarked ? bare : undefined);
    return routes;
  }

  /**
   * Nodes of the release before count the copies that come to them by `routes`, so these are all channels that the
   * envelope is sent to: otherwise they would ask a socket twice.
   */
  #selectionOf({ sockets, exceptRooms, exceptSockets }: Audience, channels: readonly string[]): Selection {
    // Sockets of this node cannot be on another one, so there is nothing to exclude there.
    const excluded = exceptSockets.filter((id) => !id.startsWith(this.self.id));
    return {
      ...(sockets.length === 0 ? undefined : { sockets }),
      ...(exceptRooms.length === 0 ? undefined : { exceptRooms }),
      ...(excluded.length === 0 ? undefined : { exceptSockets: excluded }),
      ...(channels.length > 1 ? { routes: channels, number: ++this.#lastNumber } : undefined),
    };
  }

  /** Decodes the reply of a socket of another node, within the same bounds as the reply of a socket of this node. */
  #read(event: string, [socket, name, message]: RawReply): RequestOutcome {
    const { codecs, requests } = this.#parts;
    try {
      const codec = codecs.named(name);
      if (codec === undefined) throw new RangeError(`The codec "${name}" is unknown here.`);
      codecs.weigh(codec, Buffer.from(message as string), typeof message !== "string");
      const packet = parsePacket(codec.decode(message));
      if (!isReply(packet)) throw new TypeError("The message is no reply.");
      return requests.outcomeOf(event, socket, packet);
    } catch (error) {
      const text = `The reply of the socket ${socket} to "${event}" cannot be read on the node that asked.`;
      return new HubError("ERR_HUB_UNSERIALISABLE", text, { cause: error });
    }
  }

  #tell(channel: string, control: Control): void {
    if (control.type === "answer") {
      for (const { envelope, instead } of encodeAnswer(control, this.#courier.maxEnvelopeBytes)) {
        this.#courier.send([channel], envelope, instead);
      }
    } else if (control.type === "claim" || control.type === "claimed" || control.type === "handled") {
      this.#courier.send([channel], encodeControl(control), () => [encodeControl(withoutReply(control))]);
    } else {
      this.#courier.send([channel], encodeControl(control));
    }
  }

  /** Sends a question to nodes. */
  #ask(question: Question, channels: readonly string[]): void {
    for (const channel of channels) {
      this.#courier.send([channel], encodeControl(question), () => this.#lost(question.id, nodeBehind(channel)));
    }
  }

  /** Ends a question that was lost, or the wait for one node. Nothing is sent instead. */
  #lost(id: number, node?: string): readonly Buffer[] {
    this.#queries.lost(id, node);
    return [];
  }
}

/** A control that other nodes answer. */
type Question = Extract<Control, { readonly type: "describe" | "probe" | "request" }>;

/** Reads replies to a question that asks for none. */
const NO_REPLIES: ReadReply = () => new HubError("ERR_HUB_UNSERIALISABLE", "No reply was asked for.");

function closed(): HubError {
  return new HubError("ERR_HUB_CLOSED", "The hub was closed before the reply came.");
}

function unknownUsers(reason: string, cause?: unknown): HubError {
  return new HubError("ERR_HUB_BACKPLANE", `Nobody can say which users are online. ${reason} Try again later.`, {
    cause,
  });
}

function mannerOf({ volatile, uncompressed, overload }: Audience): Manner {
  return {
    ...(volatile ? { volatile } : undefined),
    ...(uncompressed ? { uncompressed } : undefined),
    ...(overload === undefined ? undefined : { policy: overload.policy }),
    ...(overload?.key === undefined ? undefined : { key: overload.key }),
  };
}
