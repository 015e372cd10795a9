import type { Mutant } from "./mutant.ts";

/** How a mutant is looked for. */
export interface Hunted {
  /** What is broken, as a rule of decision 41 or 42 if it is one. */
  readonly rule: string;
  /** The replacements, which are in force together. */
  readonly mutants: readonly Mutant[];
  /** A seed that finds it, and is tried first; another one may do so as well. */
  readonly seed: number;
  /** Whether it shows only where nothing goes wrong. Default: `false`. */
  readonly isCalm?: boolean;
  /** Whether it is about who is present. Default: `false`. */
  readonly isPresence?: boolean;
}

const ENTRANCES = "history/entrances.ts";
const HISTORY = "history/history.ts";

function mutant(file: string, from: string, to: string): Mutant {
  return { name: `${file}: ${to}`, file, from, to };
}

/** The rules of the records of one node. */
const ON_ONE_NODE: readonly Hunted[] = [
  {
    rule: "what is told has a position",
    seed: 1,
    mutants: [
      mutant(
        HISTORY,
        "if (isKnown && (isRecovery || given === undefined)) this.#notices",
        "if (isRecovery) this.#notices",
      ),
    ],
  },
  {
    rule: "a position before the record is a gap",
    seed: 1,
    mutants: [
      mutant(HISTORY, "const isRecovery = isOfRecord && given.at >= ring.floor;", "const isRecovery = isOfRecord;"),
      mutant(ENTRANCES, "if (record.isForgotten || entrance.at < ring.floor) {", "if (record.isForgotten) {"),
    ],
  },
  {
    rule: "a position of another record is a gap",
    seed: 1,
    mutants: [
      mutant(
        HISTORY,
        "record.continues(given.epoch) && given.at <= ring.head;\n    const isRecovery",
        "given.at <= ring.head;\n    const isRecovery",
      ),
    ],
  },
  {
    rule: "what is trimmed while it is replayed is a gap",
    seed: 2,
    mutants: [mutant(ENTRANCES, "() => report.overrun(entrance)", "() => {}")],
  },
  {
    rule: "what was missed comes before the join",
    seed: 2,
    mutants: [
      mutant(
        ENTRANCES,
        "if (entrance.at < ring.head) return member.backlog === undefined ? 0 : Number.POSITIVE_INFINITY;",
        "",
      ),
    ],
  },
  {
    rule: "what was replayed leaves out whom it was not for",
    seed: 2,
    mutants: [mutant(ENTRANCES, "return !isExcepted(note,", "return true || !isExcepted(note,")],
  },
  {
    rule: "R9: what leaves out a socket leaves out its successor",
    seed: 1,
    mutants: [mutant("history/successors.ts", "return successors.length === 0 ?", "return successors.length >= 0 ?")],
  },
  {
    rule: "R9: a position names the sockets of before",
    seed: 1,
    mutants: [mutant("history/position.ts", "sockets: sockets.slice(0, MAX_SOCKETS)", "sockets: []")],
  },
  {
    rule: "a record that is forgotten is a gap for its members",
    seed: 24,
    mutants: [mutant(HISTORY, "if (!this.#records.forget(room)) return;", "this.#records.forget(room); return;")],
  },
  {
    rule: "clients are sent the same page only if they have missed the same",
    seed: 59,
    mutants: [
      mutant(ENTRANCES, "const name = `${codec} ${at} ${ring.head}`;", "const name = `${codec} ${ring.head}`;"),
    ],
  },
  {
    rule: "a record keeps no more than its rule says",
    seed: 2,
    mutants: [mutant("history/ring.ts", "if (this.#count > this.#parts.size) this.#trimOldest();", "")],
  },
  {
    rule: "the library's client keeps its position",
    seed: 1,
    mutants: [
      mutant("client/memberships.ts", "if (at && position) this.positions.set(room, { ...position, at });", ""),
    ],
  },
  {
    rule: "the library's client forgets its position when it is taken out",
    seed: 4,
    mutants: [
      mutant(
        "client/memberships.ts",
        "this.positions.delete(room);\n      // A request that is on its way",
        "// A request that is on its way",
      ),
    ],
  },
];

const READER = "cluster/log-reader.ts";
const WRITER = "cluster/log-writer.ts";

/** The rules of decision 42, by which the records of several nodes stay the same. */
const ON_SEVERAL_NODES: readonly Hunted[] = [
  {
    rule: "R1: nothing is told past a hole",
    seed: 2,
    mutants: [mutant(READER, "if (previous === position.at) {", "if (previous >= 0) {")],
  },
  {
    rule: "R2: what does not reach back is a gap",
    seed: 2,
    mutants: [mutant(READER, "this.#begin(followed, tail, gap);", "this.#begin(followed, tail);")],
  },
  {
    rule: "R3: a position ahead of the node is read first",
    seed: 10,
    mutants: [
      mutant(
        READER,
        "const isAhead = position?.epoch === since.epoch && since.at > position.at;",
        "const isAhead = false;",
      ),
    ],
  },
  {
    rule: "R4: the same offset of another epoch is no continuation",
    seed: 2,
    mutants: [mutant(READER, "tail.epoch !== position.epoch || tail.floor", "tail.floor")],
  },
  {
    rule: "R5: what is on its way from an epoch before is dropped",
    seed: 64,
    mutants: [
      mutant(READER, "} else if (epoch === followed.left) {", "} else if (epoch === NO_EPOCH) {"),
      mutant(READER, "if (isLate) return;", ""),
    ],
  },
  {
    rule: "R6: an entry of unknown fate is taken once",
    seed: 9,
    mutants: [mutant(WRITER, "isRetry ? end : undefined", "undefined")],
  },
  {
    rule: "R7 and R12: what may have been told before is not told again",
    seed: 9,
    mutants: [
      mutant("backplanes/shared/memory-log.ts", '? 0 : "unknown";', "? 0 : 0;"),
      mutant(READER, 'isKnown(seen) ? "again" : isKnown(told) ? "before" : "new"', '"new"'),
    ],
  },
  {
    rule: "R8: what is refused becomes a hole",
    seed: 21,
    mutants: [
      mutant(
        WRITER,
        'this.#empty(refused, "The engine has refused it.");',
        'this.#empty(refused, ""); outbox.entries.splice(outbox.entries.indexOf(refused), 1);',
      ),
    ],
  },
  {
    rule: "R8: what is more than may wait becomes a hole",
    seed: 4,
    mutants: [
      mutant(
        WRITER,
        "outbox.entries.splice(outbox.tried, victims.length, last);",
        "outbox.entries.splice(outbox.tried, victims.length);",
      ),
    ],
  },
  {
    rule: "R10: a read that ends with its connection is done again",
    seed: 65,
    mutants: [mutant(READER, "for (const followed of this.#followed.values()) this.#read(followed);", "")],
  },
  {
    rule: "R11: a log that has fallen silent is compared",
    seed: 27,
    mutants: [mutant(READER, "if (this.#isUp && this.#silent.size > 0)", "if (this.#silent.size < 0)")],
  },
  {
    rule: "R12: what was told in an epoch that has ended is not new",
    seed: 135,
    mutants: [mutant(READER, 'isKnown(told) ? "before" : "new"', '"new"')],
  },
  {
    rule: "R13: the first entry of a room is no gap",
    seed: 2,
    mutants: [
      mutant(READER, "position.epoch === NO_EPOCH && previous === 0", "position.epoch === NO_EPOCH && previous < 0"),
    ],
    isCalm: true,
  },
];

const PRESENT = "presence/room.ts";
const LEASES = "presence/node-leases.ts";

function ofPresence(rule: string, seed: number, ...mutants: readonly Mutant[]): Hunted {
  return { rule, seed, mutants, isPresence: true };
}

/** The rules of decision 46, by which all nodes and clients know who is present. */
const PRESENCE: readonly Hunted[] = [
  ofPresence(
    "P1: a change counts only behind the one before it",
    127,
    mutant(PRESENT, "if (change.version !== copy.version + 1) {", "if (change.version === copy.version) {"),
  ),
  ofPresence(
    "P2: signs of life tell versions",
    66,
    mutant("presence/presence.ts", 'inMessages("versions", this.#toldVersions(),', 'inMessages("versions", [],'),
  ),
  ofPresence(
    "P3: a node that is silent takes its users with it",
    7,
    mutant(LEASES, "else if (now - seen >= this.#lease) {", "else if (now < seen) {"),
  ),
  ofPresence(
    "P4: a user whose last socket has gone is kept for a while",
    1,
    mutant("presence/presence.ts", "Math.max(now, this.#drainedUntil) + this.#grace + TRANSIT", "now"),
  ),
  ofPresence(
    "P5: the users of a node that leaves are on their way",
    38,
    mutant(LEASES, "this.#clock.setTimeout(end, within)", "this.#clock.setTimeout(end, 1)"),
  ),
  ofPresence(
    "P6: nobody's lease ends while the engine is away",
    2,
    mutant(LEASES, "    if (!isAwake) {\n      this.renew();\n      return;\n    }\n", "    void isAwake;\n"),
  ),
  ofPresence(
    "a list that was counted is told anew when users are named again",
    8,
    mutant("presence/watchers.ts", "for (const member of this.#told) this.#newcomers.add(member);", ""),
  ),
];

export const HUNTED: readonly Hunted[] = [...ON_ONE_NODE, ...ON_SEVERAL_NODES, ...PRESENCE];
