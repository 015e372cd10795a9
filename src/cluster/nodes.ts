import type { Clock, Timer } from "../time/clock.ts";
import type { Control } from "./envelope.ts";
import { ALL_NODES, nodeChannel } from "./channels.ts";

/** The description of one node, which is one server process. */
export interface NodeDescription {
  /** The id of the node, made at its start and never used again. The ids of its sockets begin with it. */
  readonly id: string;
  /** The name from the option `cluster.name`. Several nodes may have the same name. */
  readonly name: string;
}

/** Another node, as this one knows it. */
export interface OtherNode extends NodeDescription {
  /** Whether it answers the questions about requests that clients have repeated. */
  readonly answersClaims: boolean;
}

/** Number of signs of life that a node sends in each lease: two of them may be lost. */
const SIGNS_IN_A_LEASE = 3;

/** The time that a node which has just started waits for the signs of life of the others, in milliseconds. */
const ACQUAINTANCE = 200;

/** Receives the arrivals and departures of nodes. */
export interface NodesReport {
  came(node: NodeDescription): void;
  /** Called for a node that has other rules, when it has come. */
  differs(node: NodeDescription): void;
  /** @param hasClosed - whether the node has said that it leaves. */
  went(node: NodeDescription, hasClosed: boolean): void;
  /** Called when all other nodes have had the time to send a sign of life, once for each connection to the engine. */
  acquainted(): void;
}

export interface NodesParts {
  readonly clock: Clock;
  readonly self: NodeDescription;
  /** Whether this process may have sockets. An emitter has none, and the other nodes do not list it. */
  readonly isNode: boolean;
  /** Names the rules by which this node records rooms; `undefined` if it records none. All nodes should have the same. */
  readonly rules: string | undefined;
  /** Names the rules of presence, likewise. */
  readonly presence: string | undefined;
  /** The time without a sign of life after which a node is gone, in milliseconds. */
  readonly lease: number;
  /** Sends a control to other nodes. */
  readonly tell: (channel: string, control: Control) => void;
  readonly report: NodesReport;
  /**
   * Called several times in each lease, before the next sign of life of this node.
   *
   * @param nodes - the nodes that have given a sign of life since the last call.
   * @param slept - whether this process was suspended meanwhile.
   */
  readonly heard: (nodes: ReadonlySet<string>, slept: boolean) => void;
  /** Called before this node says that it leaves. Returns the time for the control `bye`. */
  readonly leaving: () => number | undefined;
}

/**
 * The other nodes of the cluster. A node sends several signs of life in each lease, and is gone when a whole lease
 * passes without one.
 */
export class Nodes {
  readonly #parts: NodesParts;
  readonly #others = new Map<string, OtherNode & { seen: number }>();
  /** The nodes that have said that they leave, and when: what they had sent before may arrive afterwards. */
  readonly #departed = new Map<string, number>();
  /** The nodes that have given a sign of life since the nodes were last checked. */
  #heard = new Set<string>();
  readonly #interval: number;
  #hasLeft = false;
  #timer: Timer | undefined;
  #acquaintance: Timer | undefined;
  #isAcquainted = false;
  /** The time when the nodes were last checked. */
  #looked = 0;

  constructor(parts: NodesParts) {
    this.#parts = parts;
    this.#interval = Math.ceil(parts.lease / SIGNS_IN_A_LEASE);
  }

  /** The other nodes, by id. */
  get others(): ReadonlyMap<string, OtherNode> {
    return this.#others;
  }

  /** A copy of the list of the other nodes. */
  get list(): readonly NodeDescription[] {
    return [...this.#others.values()].map(({ id, name }) => ({ id, name }));
  }

  /** Whether all other nodes have had the time to send a sign of life since the engine was connected last. */
  get isAcquainted(): boolean {
    return this.#isAcquainted;
  }

  /** Announces this node, because the engine is connected. */
  arrive(): void {
    const { clock, report } = this.#parts;
    this.#announce(true);
    this.#looked = clock.now();
    this.#timer ??= clock.setTimeout(() => this.#look(), this.#interval);
    this.#acquaintance?.cancel();
    // In a long outage this node has taken all others for dead, and does not know which have come.
    this.#isAcquainted = false;
    this.#acquaintance = clock.setTimeout(() => {
      this.#isAcquainted = true;
      report.acquainted();
    }, ACQUAINTANCE);
  }

  /** Takes a sign of life of a node. An unknown node becomes known only by its `alive`. */
  heard(from: string, control?: Control): void {
    const { clock, self, isNode, presence, rules, tell, report } = this.#parts;
    const known = this.#others.get(from);
    if (known !== undefined) known.seen = clock.now();
    this.#heard.add(from);
    if (control?.type === "bye") {
      this.#departed.set(from, clock.now());
      this.#forget(from, true);
    }
    if (control?.type === "alive" && known === undefined && !this.#departed.has(from)) {
      const node = { id: from, name: control.name, answersClaims: control.claims === true };
      this.#others.set(from, { ...node, seen: clock.now() });
      report.came(node);
      const areOthers = control.rules !== rules || (isNode && control.presence !== presence);
      if (areOthers) report.differs(node);
    }
    const asks = control?.type === "who" || (control?.type === "alive" && control.asks);
    if (!asks || !isNode || this.#hasLeft) return;
    tell(nodeChannel(from), { type: "alive", name: self.name, asks: false, claims: true, rules, presence });
  }

  /** Tells the other nodes that this one leaves. */
  leave(): void {
    this.#hasLeft = true;
    this.#timer?.cancel();
    this.#acquaintance?.cancel();
    const within = this.#parts.leaving();
    if (this.#parts.isNode) this.#parts.tell(ALL_NODES, { type: "bye", within });
  }

  #announce(asks: boolean): void {
    const { self, isNode, presence, rules, tell } = this.#parts;
    if (isNode) tell(ALL_NODES, { type: "alive", name: self.name, asks, claims: true, rules, presence });
    else if (asks) tell(ALL_NODES, { type: "who" });
  }

  #look(): void {
    const { clock, lease } = this.#parts;
    const now = clock.now();
    // A process that was suspended has received nothing from any node, which does not mean that they are gone.
    const slept = now - this.#looked > 2 * this.#interval;
    this.#looked = now;
    for (const [id, node] of this.#others) {
      if (slept) node.seen = now;
      else if (now - node.seen >= lease) this.#forget(id, false);
    }
    const heard = this.#heard;
    this.#heard = new Set();
    this.#parts.heard(heard, slept);
    for (const [id, since] of this.#departed) if (now - since >= lease) this.#departed.delete(id);
    this.#announce(false);
    this.#timer = clock.setTimeout(() => this.#look(), this.#interval);
  }

  #forget(id: string, hasClosed: boolean): void {
    const node = this.#others.get(id);
    if (node === undefined) return;
    this.#others.delete(id);
    this.#parts.report.went({ id, name: node.name }, hasClosed);
  }
}
