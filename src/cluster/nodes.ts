import type { Clock, Timer } from "../time/clock.ts";
import type { Control } from "./envelope.ts";
import { ALL_NODES, nodeChannel } from "./channels.ts";

/** One server process, as the others know it. */
export interface NodeDescription {
  /** The id of the node, made at its start and never used again. The ids of its sockets begin with it. */
  readonly id: string;
  /** The name from the option `cluster.name`. Several nodes may have the same name. */
  readonly name: string;
}

/** How often a node says in each lease that it is there: two of these signs may be lost. */
const SIGNS_IN_A_LEASE = 3;

/** How long a node that has just arrived waits for the others to say that they are there, in milliseconds. */
const ACQUAINTANCE = 200;

/** Whom the coming and going of nodes is told. */
export interface NodesReport {
  came(node: NodeDescription): void;
  went(node: NodeDescription): void;
  /** Called when all nodes that are there have had the time to say so. */
  acquainted(): void;
}

export interface NodesParts {
  readonly clock: Clock;
  readonly self: NodeDescription;
  /** Whether this process may have sockets. An emitter has none, and is no node to the others. */
  readonly isNode: boolean;
  /** After how long without a sign of life a node is gone, in milliseconds. */
  readonly lease: number;
  /** Sends a control to other nodes. */
  readonly tell: (channel: string, control: Control) => void;
  readonly report: NodesReport;
}

/** The other nodes that are there. A node says so several times in each lease, and is gone when a whole lease passes without. */
export class Nodes {
  readonly #parts: NodesParts;
  readonly #others = new Map<string, NodeDescription & { seen: number }>();
  readonly #interval: number;
  #timer: Timer | undefined;
  #acquaintance: Timer | undefined;
  #isAcquainted = false;
  /** When the nodes were last looked through. */
  #looked = 0;

  constructor(parts: NodesParts) {
    this.#parts = parts;
    this.#interval = Math.ceil(parts.lease / SIGNS_IN_A_LEASE);
  }

  /** The nodes without this one, by id. */
  get others(): ReadonlyMap<string, NodeDescription> {
    return this.#others;
  }

  /** The nodes without this one. A copy. */
  get list(): readonly NodeDescription[] {
    return [...this.#others.values()].map(({ id, name }) => ({ id, name }));
  }

  /** Whether all nodes that are there have had the time to say so. */
  get isAcquainted(): boolean {
    return this.#isAcquainted;
  }

  /** Makes this node known, because the engine is there. */
  arrive(): void {
    const { clock, report } = this.#parts;
    this.#announce(true);
    this.#looked = clock.now();
    this.#timer ??= clock.setTimeout(() => this.#look(), this.#interval);
    this.#acquaintance?.cancel();
    this.#acquaintance = clock.setTimeout(() => {
      this.#isAcquainted = true;
      report.acquainted();
    }, ACQUAINTANCE);
  }

  /** Takes a sign of life of a node. An unknown node becomes known only by its `alive`. */
  heard(from: string, control?: Control): void {
    const { clock, self, isNode, tell, report } = this.#parts;
    const known = this.#others.get(from);
    if (known !== undefined) known.seen = clock.now();
    if (control?.type === "bye") this.#forget(from);
    if (control?.type === "alive" && known === undefined) {
      const node = { id: from, name: control.name };
      this.#others.set(from, { ...node, seen: clock.now() });
      report.came(node);
    }
    const asks = control?.type === "who" || (control?.type === "alive" && control.asks);
    if (asks && isNode) tell(nodeChannel(from), { type: "alive", name: self.name, asks: false });
  }

  /** Takes leave of the other nodes. */
  leave(): void {
    this.#timer?.cancel();
    this.#acquaintance?.cancel();
    if (this.#parts.isNode) this.#parts.tell(ALL_NODES, { type: "bye" });
  }

  #announce(asks: boolean): void {
    const { self, isNode, tell } = this.#parts;
    if (isNode) tell(ALL_NODES, { type: "alive", name: self.name, asks });
    else if (asks) tell(ALL_NODES, { type: "who" });
  }

  #look(): void {
    const { clock, lease } = this.#parts;
    const now = clock.now();
    // A process that slept has heard nothing from any node, and must not take that for their end.
    const slept = now - this.#looked > 2 * this.#interval;
    this.#looked = now;
    for (const [id, node] of this.#others) {
      if (slept) node.seen = now;
      else if (now - node.seen >= lease) this.#forget(id);
    }
    this.#announce(false);
    this.#timer = clock.setTimeout(() => this.#look(), this.#interval);
  }

  #forget(id: string): void {
    const node = this.#others.get(id);
    if (node === undefined) return;
    this.#others.delete(id);
    this.#parts.report.went({ id, name: node.name });
  }
}
