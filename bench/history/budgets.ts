/** What a record of rooms may cost. */
export interface Budget {
  /** What is measured, in words. */
  readonly name: string;
  readonly limit: number;
  /** The unit of the figures; an empty text for a ratio. */
  readonly unit: "" | "µs" | "s" | "MiB";
}

/** Members of a room and messages in a turn, and by how much a message that is recorded may be dearer than one that is not. */
export const RECORDED = [
  { members: 400, perTurn: 1, limit: 1.05 },
  { members: 400, perTurn: 16, limit: 1.05 },
  { members: 10, perTurn: 1, limit: 1.1 },
  { members: 10, perTurn: 64, limit: 1.4 },
] as const;

/** How much dearer a message to a room may be that no rule names. There is nothing that could be, and the rest is noise. */
export const OTHER_ROOMS = 1.02;

/** Memory of a ring, to 1.15 × the bytes of its events and 24 for each. */
export const RING: Budget = { name: "memory of a ring / 1.15 x its bytes + 24 for each event", limit: 1, unit: "" };

export const STORM: Readonly<Record<"join" | "caughtUp" | "memory", Budget>> = {
  join: { name: "CPU of a join with 20 missed messages, beside the handshake", limit: 30, unit: "µs" },
  caughtUp: { name: "from the last connect until all have caught up", limit: 10, unit: "s" },
  memory: { name: "resident memory above that of the same clients before", limit: 64, unit: "MiB" },
};
