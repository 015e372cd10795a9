import { type HubOptions, type PresenceNotice } from "roomcast";
import type { Client, Node } from "../history/memory-cluster.ts";

/** Options of a hub that lets its clients join, and knows who is in the rooms whose names begin so. */
export function present(
  presence: Partial<NonNullable<HubOptions["presence"]>> = {},
  options: HubOptions = {},
): HubOptions {
  return { joinable: () => true, ...options, presence: { rooms: ["chat*"], ...presence } };
}

/** Options by which clients are the users that their addresses name, as in "/?ann". */
export function named(presence: Partial<NonNullable<HubOptions["presence"]>> = {}): HubOptions {
  return present(presence, { authenticate: ({ url }) => ({ id: url.slice(2) }) });
}

/** The users that a node knows, in the order of their names. */
export function usersOf({ hub }: Node, room = "chat"): readonly string[] {
  return [...hub.presence(room).users.keys()].toSorted();
}

/** The list of users as a client keeps it that follows the protocol. */
export class List {
  readonly users: Map<string, unknown> = new Map<string, unknown>();
  count: number | undefined;
  version: number | undefined;
  /** The numbers that it missed or got twice. */
  readonly faults: string[] = [];
  /** The users who came and went, once it knew everybody. */
  readonly seen: string[] = [];

  take({ v, reset, in: came, out, count }: PresenceNotice): void {
    if (reset === undefined && v !== (this.version ?? v - 1) + 1 && (came ?? out) !== undefined) {
      this.faults.push(`${v} after ${this.version}`);
    }
    if (reset === true || (came ?? out) === undefined) this.users.clear();
    for (const [id, data] of came ?? []) {
      if (reset === undefined && !this.users.has(id)) this.seen.push(`+${id}`);
      this.users.set(id, data);
    }
    for (const id of out ?? []) {
      this.seen.push(`-${id}`);
      this.users.delete(id);
    }
    this.version = v;
    this.count = count;
  }
}

/** Takes what a client was told of who is present. */
export function noticesOf(client: Client): readonly PresenceNotice[] {
  return client.heard
    .splice(0)
    .flatMap(({ event, data }) => (event === "hub:presence" ? [data as PresenceNotice] : []));
}
