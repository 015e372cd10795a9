import type { PresenceNotice } from "../../protocol/packet.ts";

/** The presence of the rooms of a simulation, as the options of its hubs say. */
export interface SimulatedPresence {
  /** The number of users: the clients share them in turn. */
  readonly users: number;
  /** The option `presence.grace` of the hubs. */
  readonly grace: number;
  /** The option `cluster.lease` of the hubs. */
  readonly lease: number;
}

/** The time that messages take at most while nothing is wrong, in milliseconds. */
const TRANSIT = 1_000;

/** A listener of a node that was told of a user. */
export interface Happening {
  /** The life of the node. */
  readonly node: string;
  readonly room: string;
  readonly effect: "in" | "out" | "change";
  readonly user: string;
  readonly mine: boolean;
  readonly key: string;
  /** Whether the node cannot reach the engine. */
  readonly isCut: boolean;
  /** Whether the last socket of the user was on this node. */
  readonly isOwn: boolean;
}

/** What is true of one user in one room. */
interface Truth {
  /** The sockets that are in the room, each with the life of its node. */
  readonly sockets: Map<object, string>;
  since: number;
  /** The time when the last socket left; `undefined` while there is one. */
  absentSince: number | undefined;
  /** For how long the user was away before the present stay. */
  lastAbsence: number;
  /** The lives of nodes that knew the user when the last socket left. */
  witnesses: ReadonlySet<string>;
  /** Whether the stay was long, and nothing was wrong, so that all nodes knew of it. */
  wasKnown: boolean;
  /** How often a node was told to act since the last socket left, and by which keys. */
  readonly acts: string[];
}

export interface PresenceCheckerParts {
  readonly presence: SimulatedPresence;
  readonly now: () => number;
  /** The lives of nodes that are there now. */
  readonly lives: () => ReadonlySet<string>;
  readonly violated: (what: string) => void;
}

/** The list of users that one client has. */
export class ClientList {
  readonly users: Set<string> = new Set<string>();
  count = 0;
  isCounted = false;
  #version: number | undefined;

  /** Takes a notice. Returns what is wrong with it. */
  take({ v, reset, in: came = [], out = [], count }: PresenceNotice): string | undefined {
    const isCount = reset === undefined && came.length === 0 && out.length === 0;
    const fault =
      reset === true || isCount || v === (this.#version ?? Number.NaN) + 1 ? undefined : `${v} after ${this.#version}`;
    if (reset === true || isCount) this.users.clear();
    for (const [id] of came) this.users.add(id);
    for (const id of out) this.users.delete(id);
    this.#version = v;
    this.count = count;
    this.isCounted = isCount;
    return (
      fault ?? (isCount || this.users.size === count ? undefined : `${this.users.size} users, and a count of ${count}`)
    );
  }
}

/** I8: compares who is in the rooms with what nodes and clients are told of that. */
export class PresenceChecker {
  /** Number of times that a listener was told of a user who came or went. */
  happenings = 0;
  /** Number of departures on which a node has acted. */
  acts = 0;
  readonly #parts: PresenceCheckerParts;
  readonly #truths = new Map<string, Map<string, Truth>>();
  /** The time until which nodes may know too little. */
  #troubleUntil = 0;
  /** Whether anything has gone wrong by which two nodes may act, or none. */
  #isCalm = true;
  #patience = 0;

  constructor(parts: PresenceCheckerParts) {
    this.#parts = parts;
  }

  /** Notes that nodes may not hear each other until then, and for as long as it takes them to notice afterwards. */
  trouble(until: number): void {
    this.#isCalm = false;
    this.#troubleUntil = Math.max(this.#troubleUntil, until + 3 * this.#parts.presence.lease + TRANSIT);
  }

  /** Notes that a node is drained, whose users are waited for so much longer. */
  drained(within: number): void {
    this.#patience = within;
  }

  /** Notes that a node has died, which the others notice. */
  mourned(): void {
    this.#isCalm = false;
  }

  entered(room: string, user: string, socket: object, node: string): void {
    const { now } = this.#parts;
    const truth = this.#truthOf(room, user);
    if (truth.sockets.size === 0) {
      if (truth.absentSince !== undefined) {
        this.#checkActs(room, user, truth);
        truth.lastAbsence = now() - truth.absentSince;
      }
      truth.acts.length = 0;
      truth.since = now();
      truth.absentSince = undefined;
    }
    truth.sockets.set(socket, node);
  }

  exited(room: string, user: string, socket: object): void {
    const truth = this.#truthOf(room, user);
    if (truth.sockets.delete(socket)) this.#left(truth);
  }

  /** A node was killed, and with it the sockets that were on it. */
  died(node: string): void {
    for (const truths of this.#truths.values()) {
      for (const truth of truths.values()) {
        const dead = [...truth.sockets].filter(([, life]) => life === node);
        for (const [socket] of dead) truth.sockets.delete(socket);
        if (dead.length > 0) this.#left(truth);
      }
    }
  }

  happened({ node, room, effect, user, mine, key, isCut, isOwn }: Happening): void {
    const { now, presence, violated } = this.#parts;
    this.happenings++;
    const truth = this.#truthOf(room, user);
    if (effect !== "out") return;
    const what = `${node}: ${user} went out of ${room}`;
    // An outage of the engine empties no list.
    if (isCut && !isOwn) violated(`${what} while the engine was away`);
    // Who has just come back may have gone out in the same moment.
    const isBack = truth.absentSince === undefined && now() - truth.since < TRANSIT;
    const absence = isBack ? truth.lastAbsence : now() - (truth.absentSince ?? now());
    const isEarly = absence < Math.max(presence.grace, 1);
    if (isEarly && now() > this.#troubleUntil) violated(`${what}, but was never away for so long`);
    if (!mine) return;
    this.acts++;
    if (this.#isCalm && truth.acts.length > 0) violated(`${what}, and two nodes act`);
    if (this.#isCalm && truth.acts.includes(key)) violated(`${what} twice on one node`);
    truth.acts.push(key);
  }

  /** Compares what a node, or a client, knows of a room with what is true, when everything has come to rest. */
  compare(who: string, room: string, users: Iterable<string>): void {
    const told = [...users].toSorted().join(", ");
    const there = this.#there(room).join(", ");
    if (told !== there)
      this.#parts.violated(`${who} has ${told || "nobody"} in ${room}, where there are ${there || "nobody"}`);
  }

  compareCount(who: string, room: string, count: number): void {
    const { length } = this.#there(room);
    if (count !== length) this.#parts.violated(`${who} counts ${count} in ${room}, where there are ${length}`);
  }

  /** Looks whether somebody has acted for all who have gone. */
  checkEnd(): void {
    for (const [room, truths] of this.#truths) {
      for (const [user, truth] of truths) if (truth.absentSince !== undefined) this.#checkActs(room, user, truth);
    }
  }

  #there(room: string): readonly string[] {
    const truths = [...(this.#truths.get(room) ?? [])];
    return truths
      .filter(([, { sockets }]) => sockets.size > 0)
      .map(([user]) => user)
      .toSorted();
  }

  #truthOf(room: string, user: string): Truth {
    let truths = this.#truths.get(room);
    if (truths === undefined) this.#truths.set(room, (truths = new Map()));
    let truth = truths.get(user);
    if (truth === undefined) {
      truth = {
        sockets: new Map(),
        since: 0,
        absentSince: undefined,
        lastAbsence: 0,
        witnesses: new Set(),
        wasKnown: false,
        acts: [],
      };
      truths.set(user, truth);
    }
    return truth;
  }

  #left(truth: Truth): void {
    if (truth.sockets.size > 0) return;
    const { lives, now } = this.#parts;
    truth.absentSince = now();
    truth.witnesses = lives();
    truth.wasKnown = now() - truth.since > TRANSIT && now() > this.#troubleUntil;
  }

  #checkActs(room: string, user: string, { absentSince = 0, acts, wasKnown, witnesses }: Truth): void {
    const { lives, now, presence, violated } = this.#parts;
    const { grace, lease } = presence;
    const absence = now() - absentSince;
    // Some node that knew the user has lived for as long as it takes to notice, also that another one has not acted.
    const present = lives();
    const isWitnessed = [...witnesses].some((life) => present.has(life));
    const bound = grace + TRANSIT + 10 * lease + this.#patience;
    if (wasKnown && isWitnessed && absence > bound && now() > this.#troubleUntil && acts.length === 0) {
      violated(`${user} has been out of ${room} since ${absentSince.toFixed(0)}, and no node acts`);
    }
    if (this.#isCalm && absence > grace + 2 * TRANSIT + this.#patience && acts.length !== 1 && isWitnessed) {
      violated(`${acts.length} nodes act on the departure of ${user} from ${room}`);
    }
  }
}
