import type { Clock, Timer } from "../time/clock.ts";
import type { Control } from "./envelope.ts";
import { ALL_NODES, nodeChannel } from "./channels.ts";

/** One server process, as the others know it. */
export interface NodeDescription {
  /** Made at its start, and never used again. The ids of its sockets begin with it. */
  readonly id: string;
  /** The option `cluster.name`. Several may have the same. */
  readonly name: string;
}

/** In each lease a node says so often that it is there: it may miss two. */
const SIGNS_IN_A_LEASE = 3;

/** How long who has just arrived waits for the others to say that they are there, in milliseconds. */
const ACQUAINTANCE = 200;

export interface NodesOptions {
  readonly clock: Clock;
  readonly self: NodeDescription;
  /** Whether it has, or may have, sockets. Who has not is no node to the others. */
  readonly isNode: boolean;
  /** After how long without a sign of life a node is gone, in milliseconds. */
  readonly lease: number;
  readonly tell: (channel: string, control: Control) => void;
  readonly came: (node: NodeDescription) => void;
  readonly went: (node: NodeDescription) => void;
  /** Everybody who is there has had the time to say so. */
  readonly acquainted: () => void;
}

/** The other nodes that are there: each says so in every part of a lease, and is gone when a whole one passes without. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #others = new Map<string, NodeDescription & { seen: number }>();
  readonly #interval: number;
  #timer: Timer | undefined;
  #acquaintance: Timer | undefined;
  #isAcquainted = false;
  /** When it was last looked after them. */
  #looked = 0;

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#interval = Math.ceil(options.lease / SIGNS_IN_A_LEASE);
  }

  /** Without this one. */
  get others(): ReadonlyMap<string, NodeDescription> {
    return this.#others;
  }

  /** The same. A copy. */
  get list(): readonly NodeDescription[] {
    return [...this.#others.values()].map(({ id, name }) => ({ id, name }));
  }

  get isAcquainted(): boolean {
    return this.#isAcquainted;
  }

  /** The engine is there: makes itself known. */
  arrive(): void {
    const { clock, acquainted } = this.#options;
    this.#announce(true);
    this.#looked = clock.now();
    this.#timer ??= clock.setTimeout(() => this.#look(), this.#interval);
    this.#acquaintance?.cancel();
    this.#acquaintance = clock.setTimeout(() => {
      this.#isAcquainted = true;
      acquainted();
    }, ACQUAINTANCE);
  }

  /** Something came from this node. Of one that is not known, only what it says of itself makes it known. */
  heard(from: string, control?: Control): void {
    const { clock, self, isNode, tell, came } = this.#options;
    const known = this.#others.get(from);
    if (known !== undefined) known.seen = clock.now();
    if (control?.type === "bye") this.#forget(from);
    if (control?.type === "alive" && known === undefined) {
      const node = { id: from, name: control.name };
      this.#others.set(from, { ...node, seen: clock.now() });
      came(node);
    }
    const asks = control?.type === "who" || (control?.type === "alive" && control.asks);
    if (asks && isNode) tell(nodeChannel(from), { type: "alive", name: self.name, asks: false });
  }

  /** Says goodbye. */
  leave(): void {
    this.#timer?.cancel();
    this.#acquaintance?.cancel();
    if (this.#options.isNode) this.#options.tell(ALL_NODES, { type: "bye" });
  }

  #announce(asks: boolean): void {
    const { self, isNode, tell } = this.#options;
    if (isNode) tell(ALL_NODES, { type: "alive", name: self.name, asks });
    else if (asks) tell(ALL_NODES, { type: "who" });
  }

  #look(): void {
    const { clock, lease } = this.#options;
    const now = clock.now();
    // Who slept itself has heard nothing from anybody, and must not take that for their end.
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
    this.#options.went({ id, name: node.name });
  }
}
