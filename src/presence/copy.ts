import type { PresenceControl, PresentUser } from "../members/presence-feed.ts";
import type { NodeSet } from "./people.ts";

/** A change of the set of a node. */
export type SetChange = Extract<PresenceControl, { readonly type: "present" }>;

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
}
