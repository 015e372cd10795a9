import { microtask } from "../guard.ts";
import type {
  AbsentNode,
  AbsentUser,
  PresenceControl,
  PresenceFeed,
  PresentUser,
  RoomPresenceControl,
} from "../members/presence-feed.ts";
import type { Timer } from "../time/clock.ts";
import { Copy, type SetChange, type ToldSet } from "./copy.ts";
import { Duties, keyOf, type ListeningNode } from "./duties.ts";
import { Lingering } from "./lingering.ts";
import { People, type Departure, type Effect, type NodeSet, type Place } from "./people.ts";
import { takePortion } from "./portions.ts";
import type { Stamps } from "./stamps.ts";
import { Watchers, type PresenceReport, type WatchersParts } from "./watchers.ts";

/** The time for which changes are collected for the other nodes, in milliseconds. */
const BUNDLE = 50;

/** The most users of this node that are told with a question, with little data. */
const MOST_IN_QUESTION = 50;

/** The time after which a node is asked again that has not answered, in milliseconds. */
const PATIENCE = 1_000;

/** The number of times that other nodes are asked for what they have: one message may be lost. */
export const ROUNDS = 3;

/** A user, as listeners get it. */
export interface RoomUser {
  readonly id: string;
  /** The data that was set last; `null` if none was. */
  readonly data: unknown;
}

/** What listeners get beside the user. */
export interface PresenceContext {
  /**
   * For `out`, whether this node is the one to act on it: of all nodes that listen, the one that had the user's last socket or,
   * if that does not listen, the one that has listened for the longest time. For the others, whether this node has the user.
   */
  readonly mine: boolean;
  /**
   * For `out`, a text that is the same on all nodes whose views agree, and for no other departure. For the others, a text for the
   * stay of the user on the node of which they tell.
   */
  readonly key: string;
}

/** Hears who comes and goes. */
export interface PresenceRoomReport extends PresenceReport {
  happened(room: string, effect: Effect, user: RoomUser, context: PresenceContext): void;
}

export interface PresenceRoomParts extends WatchersParts {
  readonly feed: PresenceFeed | undefined;
  /** Returns the time until which a user is kept whose last socket goes now. */
  readonly keptUntil: () => number;
  /** The most bytes of the data of a user, as JSON. */
  readonly maxBytes: number;
  readonly stamps: Stamps;
  /** Returns in what way another node is absent; `undefined` for one that speaks for itself. */
  readonly absenceOf: (node: string) => AbsentNode | undefined;
  /** Called when the version has changed that this node tells. */
  readonly changed: (room: PresenceRoom) => void;
  readonly report: PresenceRoomReport;
}

type Here = Extract<PresenceControl, { readonly type: "here" }>;

/** Who is in one room: the users of this node, of which it tells the others, and those of the others, of which it has copies. */
export class PresenceRoom {
  readonly name: string;
  readonly people: People = new People();
  readonly watchers: Watchers;
  /** The time when somebody last wanted to know who is here. */
  lookedAt: number = Number.NEGATIVE_INFINITY;
  readonly #parts: PresenceRoomParts;
  readonly #own: NodeSet;
  /** Number of sockets of each user of this node; 0 for one whose last socket has gone. */
  readonly #sockets = new Map<string, number>();
  readonly #lingering: Lingering;
  readonly #copies = new Map<string, Copy>();
  /** The users of this node whose changes the others have not been told; with those who have gone, when, and who acts. */
  readonly #untold = new Map<string, { readonly left: number; readonly acted: boolean } | undefined>();
  /** Whether the other nodes know of users of this node. */
  #isToldOf = false;
  #version: number;
  /** The time since which this node has listeners; `undefined` if it has none. */
  #listens: number | undefined;
  #lastTold = Number.NEGATIVE_INFINITY;
  #telling: Timer | true | undefined;
  /** The number of times that the others are still to be asked. */
  #rounds = 0;
  /** The version of each set that each node was last told, and when. */
  readonly #answered = new Map<string, { readonly version: number; readonly at: number }>();
  readonly #duties: Duties;
  #isStopped = false;

  /** @param version - a number that is no lower than any that this node has told of the room. */
  constructor(name: string, version: number, parts: PresenceRoomParts) {
    this.name = name;
    this.#version = version;
    this.#parts = parts;
    this.#own = { node: parts.feed?.self ?? "", count: 0 };
    this.#lingering = new Lingering({
      clock: parts.clock,
      keptUntil: parts.keptUntil,
      expired: (user) => this.#letGo(user),
    });
    this.#duties = new Duties({
      clock: parts.clock,
      self: this.#own.node,
      lease: parts.feed?.lease,
      listening: () => this.#listening(),
      inherited: (user, data, key) => {
        parts.report.happened(name, "out", { id: user, data }, { mine: true, key });
        this.#tellActed(user, key);
      },
    });
    this.watchers = new Watchers(name, this.people, parts.feed === undefined, parts);
  }

  get version(): number {
    return this.#version;
  }

  /** Whether nobody of this node is here, and nobody wants to know who is. */
  get isIdle(): boolean {
    return this.#sockets.size === 0 && this.watchers.size === 0 && this.#listens === undefined;
  }

  /** A socket of a user has entered the room. */
  enter(user: string): void {
    const count = this.#sockets.get(user);
    this.#sockets.set(user, (count ?? 0) + 1);
    this.#lingering.delete(user);
    if (count !== undefined) return;
    const known = this.people.latestOf(user);
    this.#put(this.#own, user, this.#parts.stamps.next(), known?.data, known?.dataSince ?? 0);
    this.#plan(user);
  }

  /** A socket of a user has left the room. */
  exit(user: string): void {
    const count = this.#sockets.get(user);
    if (count === undefined || count === 0) return;
    this.#sockets.set(user, count - 1);
    if (count > 1) return;
    this.#lingering.add(user);
  }

  /** Keeps all users who are without a socket as long as if they had gone now. */
  keepLingering(): void {
    this.#lingering.extend();
  }

  /** Returns whether a user of this node has data. */
  hasData(user: string): boolean {
    return (this.people.placeIn(this.#own, user)?.dataSince ?? 0) > 0;
  }

  /**
   * Sets the data of a user of this node.
   *
   * @param stamp - the time when it was set: what was set later stays.
   */
  setData(user: string, data: unknown, stamp: number): void {
    const place = this.people.placeIn(this.#own, user);
    if (place === undefined || place.dataSince > stamp) return;
    this.#put(this.#own, user, place.since, data, stamp);
    this.#plan(user);
  }

  /** Sets whether this node has listeners that learn who comes and goes. */
  listen(listens: boolean): void {
    if (listens === (this.#listens !== undefined)) return;
    this.#listens = listens ? this.#parts.stamps.next() : undefined;
    this.#tellOthers();
    this.#tellChange();
  }

  /** Compares what this node has with the others, because it hears them again. */
  greet(): void {
    this.#rounds = ROUNDS;
    this.#ask();
  }

  /** Asks other nodes for what they know, when this one begins to hear them, and tells them what it has, if that is little. */
  question(): RoomPresenceControl {
    this.#rounds = ROUNDS - 1;
    this.#tellOthers();
    const users = this.#sockets.size <= MOST_IN_QUESTION ? { users: this.#toldSet() } : undefined;
    return { ...this.#hereOf(), ...users, asks: this.#known() };
  }

  /** Takes what another node tells of its users. */
  take(node: string, control: RoomPresenceControl): void {
    if (control.type === "acted") {
      this.#duties.acted(control.user, control.key);
      return;
    }
    const copy = this.#copyOf(control.type === "here" ? (control.of?.node ?? node) : node);
    if (control.type === "present") {
      this.#follow(copy, control);
      return;
    }
    if (control.version >= copy.version) copy.listens = control.of?.within === undefined ? control.listens : undefined;
    if (control.users === undefined) this.compare(node, control.version);
    else {
      const told = copy.assemble(control);
      if (told !== undefined) this.#replace(copy, told);
    }
    if (control.asks !== undefined) this.#answer(node, control.asks);
  }

  /** Compares the version that another node has told with that of the copy here. */
  compare(node: string, version: number): void {
    const copy = this.#copyOf(node);
    if (copy.version !== version) this.#askFor(copy);
  }

  /** Returns the version of the set of a node that is known here. */
  versionOf(node: string): number {
    return this.#copies.get(node)?.version ?? -1;
  }

  /** Tells a node the set of this one, unless it has this version. */
  tellNode(node: string, version: number): void {
    this.#tellOthers();
    if (version !== this.#version && (this.#isToldOf || this.#listens !== undefined)) this.#tellSet(node);
  }

  /** A node has said that it leaves: it does not act any more. */
  dismiss(node: string): void {
    const copy = this.#copies.get(node);
    if (copy !== undefined) copy.listens = undefined;
    this.#duties.gone(node);
  }

  /** Forgets the users of a node that is gone. */
  drop(node: string): void {
    const copy = this.#copies.get(node);
    this.#copies.delete(node);
    if (copy !== undefined) for (const user of this.people.usersIn(copy)) this.#remove(copy, user);
    this.#duties.gone(node);
  }

  /** Called several times in each lease: asks again for what has not come. */
  look(): void {
    const now = this.#parts.clock.now();
    if (this.#rounds > 0) this.#ask();
    for (const [key, { at }] of this.#answered) if (now - at >= PATIENCE) this.#answered.delete(key);
    for (const copy of this.#copies.values()) {
      // One message may be lost, but a node that follows the room no more does not answer.
      if (copy.asked !== undefined && copy.tries < ROUNDS) this.#askFor(copy);
    }
    this.#duties.look();
  }

  /** Tells the other nodes what they do not know yet, and stops, because this node leaves. */
  leave(): void {
    this.#tellOthers();
    this.stop();
  }

  stop(): void {
    this.#isStopped = true;
    this.#lingering.stop();
    if (typeof this.#telling === "object") this.#telling.cancel();
    this.watchers.stop();
  }

  // The set of this node

  /** Takes out a user who has been without a socket for long enough. */
  #letGo(user: string): void {
    this.#sockets.delete(user);
    const left = this.#parts.stamps.next();
    const acted = this.#remove(this.#own, user, left);
    this.#plan(user, { left, acted });
  }

  /** Tells the other nodes of a user, at the end of this turn or when enough time has passed since they were last told. */
  #plan(user: string, farewell?: { readonly left: number; readonly acted: boolean }): void {
    const { clock, feed, report } = this.#parts;
    if (feed === undefined) return;
    this.#untold.set(user, farewell);
    if (this.#telling !== undefined) return;
    const tell = (): void => {
      this.#telling = undefined;
      if (!this.#isStopped) this.#tellOthers();
    };
    const rest = this.#lastTold + BUNDLE - clock.now();
    if (rest > 0) this.#telling = clock.setTimeout(tell, rest);
    else {
      this.#telling = true;
      // Behind the listeners of this node, which act before the others learn that they need not.
      microtask(report, tell);
    }
  }

  #tellOthers(): void {
    if (this.#untold.size === 0) return;
    this.#lastTold = this.#parts.clock.now();
    const isFirst = !this.#isToldOf;
    this.#isToldOf = this.#sockets.size > 0;
    const came: PresentUser[] = [];
    const went: AbsentUser[] = [];
    for (const [user, farewell] of this.#untold) {
      const here = this.#told(user);
      if (here !== undefined) came.push(here);
      else if (farewell !== undefined) went.push(farewell.acted ? [user, farewell.left, true] : [user, farewell.left]);
    }
    this.#untold.clear();
    if (isFirst && this.#isToldOf) {
      // Who knows nothing of this node can begin with the whole set.
      this.#raise();
      this.#tellSet();
      return;
    }
    const { maxBytes } = this.#parts;
    while (came.length > 0 || went.length > 0) {
      this.#tellChange({ in: takePortion(came, maxBytes), out: takePortion(went, maxBytes) });
    }
  }

  #tellChange(users?: Pick<SetChange, "in" | "out">): void {
    this.#raise();
    const { name: room } = this;
    this.#parts.feed?.tell({ type: "present", room, version: this.#version, listens: this.#listens, ...users });
  }

  #raise(): void {
    this.#version++;
    this.#parts.changed(this);
  }

  /** Answers a node that has the sets in these versions, also for nodes that cannot. */
  #answer(node: string, versions: Readonly<Record<string, number>>): void {
    const { absenceOf, feed } = this.#parts;
    if (feed === undefined) return;
    this.#tellOthers();
    if (versions[feed.self] !== this.#version)
      this.#tellOnce(node, feed.self, this.#version, () => this.#tellSet(node));
    for (const copy of this.#copies.values()) {
      if (copy.count === 0 || copy.node === node || versions[copy.node] === copy.version) continue;
      const of = absenceOf(copy.node);
      const { listens, version } = copy;
      if (of === undefined) continue;
      const here = { ...this.#hereOf(), of, listens, version };
      this.#tellOnce(node, copy.node, version, () => this.#send(here, this.#toldIn(copy), node));
    }
  }

  /** Tells a node a set, unless it was just told this version of it: it may ask for several reasons at once. */
  #tellOnce(node: string, owner: string, version: number, tell: () => void): void {
    const now = this.#parts.clock.now();
    const key = `${node} ${owner}`;
    const last = this.#answered.get(key);
    if (last?.version === version && now - last.at < PATIENCE) return;
    this.#answered.set(key, { version, at: now });
    tell();
  }

  /** Tells a node, or all that hear the room, the whole set of this node. */
  #tellSet(node?: string): void {
    this.#send(this.#hereOf(), this.#toldSet(), node);
  }

  #send(here: Here, users: PresentUser[], node?: string): void {
    const { feed, maxBytes } = this.#parts;
    for (let part = 0; part === 0 || users.length > 0; part++) {
      const portion = takePortion(users, maxBytes);
      const control = { ...here, users: portion, part, ...(users.length > 0 ? { more: true as const } : undefined) };
      if (node === undefined) feed?.tell(control);
      else feed?.tellNode(node, control);
    }
  }

  /** Returns a user of a set as nodes are told. */
  #told(user: string, set: NodeSet = this.#own): PresentUser | undefined {
    const place = this.people.placeIn(set, user);
    if (place === undefined) return undefined;
    const { since, data, dataSince } = place;
    return dataSince === 0 ? [user, since] : [user, since, data, dataSince];
  }

  #toldSet(): PresentUser[] {
    return [...this.#sockets.keys()].map((user) => this.#told(user)).filter((user) => user !== undefined);
  }

  #toldIn(copy: Copy): PresentUser[] {
    return this.people.usersIn(copy).map((user) => this.#told(user, copy) as PresentUser);
  }

  #hereOf(): Here {
    return { type: "here", room: this.name, version: this.#version, listens: this.#listens };
  }

  // The sets of the other nodes

  #copyOf(node: string): Copy {
    let copy = this.#copies.get(node);
    if (copy === undefined) this.#copies.set(node, (copy = new Copy(node)));
    return copy;
  }

  #known(): Record<string, number> {
    return Object.fromEntries([...this.#copies.values()].map(({ node, version }) => [node, version]));
  }

  #ask(): void {
    this.#rounds--;
    this.#tellOthers();
    this.#parts.feed?.tell({ ...this.#hereOf(), asks: this.#known() });
  }

  #askFor(copy: Copy): void {
    const now = this.#parts.clock.now();
    if (copy.asked !== undefined && now - copy.asked < PATIENCE) return;
    copy.asked = now;
    copy.tries++;
    this.#parts.feed?.tellNode(copy.node, { ...this.#hereOf(), asks: { [copy.node]: copy.version } });
  }

  /** P1: a change counts only if it is the next one. */
  #follow(copy: Copy, change: SetChange): void {
    if (change.version <= copy.version) return;
    if (change.version !== copy.version + 1) {
      this.#askFor(copy);
      return;
    }
    copy.version = change.version;
    copy.listens = change.listens;
    for (const [user, left, acted] of change.out ?? []) {
      this.#parts.stamps.heard(left);
      this.#remove(copy, user, left, acted);
    }
    for (const user of change.in ?? []) this.#takeIn(copy, user);
  }

  #replace(copy: Copy, { version, users }: ToldSet): void {
    if (version >= copy.version) {
      const there = new Set(users.map(([user]) => user));
      for (const user of this.people.usersIn(copy)) if (!there.has(user)) this.#remove(copy, user);
      copy.version = version;
      for (const user of users) this.#takeIn(copy, user);
    }
    copy.asked = undefined;
    copy.tries = 0;
  }

  #takeIn(copy: Copy, [user, since, data, dataSince = 0]: PresentUser): void {
    const { stamps } = this.#parts;
    stamps.heard(Math.max(since, dataSince));
    this.#put(copy, user, since, data, dataSince);
    const own = this.people.placeIn(this.#own, user);
    if (own === undefined || own.dataSince >= dataSince) return;
    // So that the data stays when the user leaves the other node.
    this.#put(this.#own, user, own.since, data, dataSince);
    this.#plan(user);
  }

  // What changes for those who look

  #put(set: NodeSet, user: string, since: number, data: unknown, dataSince: number): void {
    const effect = this.people.put(set, user, since, data, dataSince);
    if (effect === undefined) return;
    this.watchers.changed(user, effect);
    if (effect === "in") this.#duties.returned(user);
    this.#tellPresent(effect, user, keyOf({ node: set.node, since }));
  }

  /** Tells listeners of a user who is here. */
  #tellPresent(effect: Effect, user: string, key: string): void {
    const mine = this.people.placeIn(this.#own, user) !== undefined;
    const data = this.people.latestOf(user)?.data ?? null;
    this.#parts.report.happened(this.name, effect, { id: user, data }, { mine, key });
  }

  /**
   * Takes a user out of a set.
   *
   * @param left - the time, if it is known.
   * @param acted - whether another node has told its listeners that they act.
   * @returns whether this node has told its listeners that they act.
   */
  #remove(set: NodeSet, user: string, left?: number, acted = false): boolean {
    const { report } = this.#parts;
    const data = this.people.latestOf(user)?.data ?? null;
    const effect = this.people.remove(set, user, left);
    if (effect === undefined) return false;
    this.watchers.changed(user, effect);
    if (effect !== "out") {
      const { set: other, since } = this.people.latestOf(user) as Place;
      this.#tellPresent(effect, user, keyOf({ node: other.node, since }));
      return false;
    }
    const departure = this.people.takeDeparture(user) as Departure;
    const key = keyOf(departure);
    const mine = this.#duties.decide(user, data, departure, acted);
    report.happened(this.name, "out", { id: user, data }, { mine, key });
    if (mine && set !== this.#own) this.#tellActed(user, key);
    return mine;
  }

  /** Tells the other nodes that this one has acted, once its listeners have. */
  #tellActed(user: string, key: string): void {
    const { feed, report } = this.#parts;
    microtask(report, () => feed?.tell({ type: "acted", room: this.name, user, key }));
  }

  #listening(): readonly ListeningNode[] {
    const { node } = this.#own;
    const nodes = [...this.#copies.values(), { node, listens: this.#listens }];
    return nodes.flatMap(({ node: id, listens }) => (listens === undefined ? [] : [{ node: id, listens }]));
  }
}
