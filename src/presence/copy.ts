import type { PresenceControl, PresentUser } from "../members/presence-feed.ts";
import type { NodeSet } from "./people.ts";

/** A change of the set of a node. */
export type SetChange = Extract<PresenceControl, { readonly type: "present" }>;

/** The most changes that are kept while the set before them is awaited. */
const MOST_AHEAD = 100;

/** A set as another node has told it, in one part or several. */
export interface ToldSet {
  readonly version: number;
  readonly users: readonly PresentUser[];
}

/** What this node knows of the set of another node. */
export class Copy implements NodeSet {
  readonly node: string;
  count = 0;
  /** The number of the last change that is known; -1 while nothing is. */
  version = -1;
  /** The time since which the node has listeners that learn who comes and goes; `undefined` if it has none. */
  listens: number | undefined;
  /** The time when the node was asked for its set; `undefined` once it has answered. */
  asked: number | undefined;
  /** How often it was asked in vain. */
  tries = 0;
  /** The parts of the set that have come, without a gap. */
  #parts: { readonly version: number; readonly users: PresentUser[]; count: number } | undefined;
  /** Changes that came before the changes that they follow. */
  #ahead: SetChange[] = [];

  constructor(node: string) {
    this.node = node;
  }

  /** Takes a part of the set. Returns the set once it is whole. */
  assemble(control: Extract<PresenceControl, { readonly type: "here" }>): ToldSet | undefined {
    const { version, users = [], part = 0, more } = control;
    if (part === 0) this.#parts = { version, users: [], count: 0 };
    const parts = this.#parts;
    if (parts?.version !== version || parts.count !== part) return undefined;
    parts.count++;
    for (const user of users) parts.users.push(user);
    if (more === true) return undefined;
    this.#parts = undefined;
    return parts;
  }

  /** Keeps a change until those before it have come. */
  keep(change: SetChange): void {
    if (this.#ahead.length < MOST_AHEAD) this.#ahead.push(change);
  }

  /** Returns the next change among those that were kept, and forgets it with the earlier ones. */
  next(): SetChange | undefined {
    const next = this.#ahead.find(({ version }) => version === this.version + 1);
    this.#ahead = this.#ahead.filter(({ version }) => version > this.version + 1);
    return next;
  }

  /** Whether changes are kept that cannot be made yet. */
  get isBehind(): boolean {
    return this.#ahead.length > 0;
  }
}
