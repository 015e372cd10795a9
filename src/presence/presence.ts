import { Buffer } from "node:buffer";
import { digestOf } from "../checks/digest.ts";
import { MAX_DELAY } from "../checks/option-rules.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { createDeferred, type Deferred } from "../deferred.ts";
import { HubError, messageOf, RoomLimitError } from "../errors.ts";
import { guarded, microtask, watch } from "../guard.ts";
import type { Member } from "../members/member.ts";
import type { PresenceControl, PresenceFeed, PresenceListener, PresenceVersions } from "../members/presence-feed.ts";
import { Pattern } from "../rooms/pattern.ts";
import type { MemberObserver } from "../rooms/rooms.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { DataChanges } from "./data-changes.ts";
import { NodeLeases } from "./node-leases.ts";
import type { PresenceOptions } from "./options.ts";
import type { People } from "./people.ts";
import { PresenceRoom, ROUNDS, type PresenceRoomReport } from "./room.ts";
import { Stamps } from "./stamps.ts";

const GRACE = 5_000;
const FULL = 200;
const MAX_BYTES = 1_024;

/**
 * The time that is added to the grace, in milliseconds: a user who comes back in time on another node is known there before this
 * node says that the user has left.
 */
const TRANSIT = 500;

/** The number of rooms whose versions are told with a sign of life although nothing has changed. */
const COMPARED = 100;

/** The most rooms in one message of versions. */
const MOST_ROOMS = 1_000;

/** The time for which a room is followed after somebody has looked at it, in milliseconds. */
const IDLE = 60_000;

export interface PresenceParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  /** The other nodes; `undefined` without a backplane. */
  readonly feed: PresenceFeed | undefined;
  readonly options: PresenceOptions;
  /** The most rooms of a socket. */
  readonly mostRooms: number;
  /** Returns whether a member is in a room. */
  readonly isIn: (member: Member, room: string) => boolean;
  readonly report: PresenceRoomReport;
}

/** The counts of presence, all of them of now. */
export interface PresenceStatistics {
  /** Rooms of which this node knows who is there. */
  readonly rooms: number;
  /** Users in these rooms, on all nodes. */
  readonly users: number;
  /** Sockets of this node whose clients are told. */
  readonly watchers: number;
}

/** What is wanted of a socket that is not in the room yet. */
interface Early {
  data?: (() => void) | undefined;
  watches?: boolean;
}

/** Who is in which room, on all nodes. */
export class Presence implements MemberObserver<Member>, PresenceListener {
  readonly #parts: PresenceParts;
  readonly #patterns: readonly Pattern[];
  readonly #grace: number;
  readonly #maxBytes: number;
  readonly #stamps: Stamps;
  readonly #changes: DataChanges;
  readonly #leases: NodeLeases | undefined;
  readonly #rooms = new Map<string, PresenceRoom>();
  /** What is wanted of sockets before they are in a room, by its name. */
  readonly #early = new WeakMap<Member, Map<string, Early>>();
  /** Nodes that have come, and how often they are still asked for what they have: they may not have noticed that they were gone. */
  readonly #strangers = new Map<string, number>();
  /** Whose turn it is to have its version told although nothing has changed. */
  #turn: Iterator<string> = this.#rooms.keys();
  /** The rooms whose versions have changed, and when. */
  readonly #changed = new Map<string, number>();
  /** The rooms about which all nodes are asked next. */
  #asking: { readonly rooms: Set<PresenceRoom>; readonly answered: Deferred } | undefined;
  /** The number of nodes that have said that they leave. */
  #departures = 0;
  /** The highest version of all rooms that this node has forgotten. */
  #highest = 0;
  /** Until when the clients of this node come back elsewhere, because it is drained. */
  #drainedUntil = Number.NEGATIVE_INFINITY;
  #sweeping: Timer | undefined;
  #isStopped = false;

  constructor(parts: PresenceParts) {
    const { clock, feed, options } = parts;
    this.#parts = parts;
    this.#patterns = options.rooms.map((text) => new Pattern(text));
    this.#grace = options.grace ?? GRACE;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#stamps = new Stamps(clock);
    this.#changes = new DataChanges(clock);
    this.#leases =
      feed &&
      new NodeLeases(clock, feed.lease, () => feed.isCut, {
        came: (node) => this.#strangers.set(node, ROUNDS),
        left: (node) => this.#forEach((room) => room.dismiss(node)),
        gone: (node) => this.#forEach((room) => room.drop(node)),
      });
  }

  /** A text that is the same for the same rules: see {@link NodesParts.presence}. */
  get digest(): string {
    return digestOf([this.#patterns.map(({ text }) => text), this.#grace]);
  }

  get statistics(): PresenceStatistics {
    let [users, watchers] = [0, 0];
    this.#forEach((room) => {
      users += room.people.size;
      watchers += room.watchers.size;
    });
    return { rooms: this.#rooms.size, users, watchers };
  }

  /** Returns whether the rules name a room. */
  has(room: string): boolean {
    return this.#rooms.has(room) || this.#patterns.some((pattern) => pattern.matches(room));
  }

  /** Returns who is in a room, and follows it for a while. */
  peopleOf(name: string): People {
    const room = this.#roomOf(name);
    room.lookedAt = this.#parts.clock.now();
    return room.people;
  }

  /** Sets whether this node has listeners that learn who comes into a room, and who goes. */
  listen(room: string, listens: boolean): void {
    if (!this.#isStopped) this.#roomOf(room).listen(listens);
  }

  /** Resolves when this node knows what the others know of a room. */
  async synced(name: string): Promise<void> {
    const room = this.#roomOf(name);
    room.lookedAt = this.#parts.clock.now();
    await this.#parts.feed?.synced(name);
    await this.#learn(room);
  }

  /**
   * Sets the data of a member's user in a room: from the join on, if the member is not in the room yet.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`, `ERR_HUB_LIMIT`.
   */
  setData(member: Member, name: string, data: unknown): void {
    const copy = this.#copyOf(data);
    const set = (): void => {
      const user = userOf(member);
      const stamp = this.#stamps.next();
      const change = (): void => {
        if (this.#parts.isIn(member, name)) this.#rooms.get(name)?.setData(user, copy, stamp);
      };
      // What a user begins with is no change.
      if (this.#rooms.get(name)?.hasData(user) === true) this.#changes.add(member, name, change);
      else change();
    };
    if (this.#parts.isIn(member, name)) set();
    else this.#earlyOf(member, name).data = set;
  }

  /**
   * Tells a member who is in a room, as long as it is in there.
   *
   * @throws {HubError} `ERR_HUB_LIMIT`.
   */
  watch(member: Member, name: string): void {
    if (this.#parts.isIn(member, name)) this.#roomOf(name).watchers.add(member);
    else this.#earlyOf(member, name).watches = true;
  }

  entered(name: string, member: Member): void {
    if (this.#isStopped || !this.has(name)) return;
    const room = this.#roomOf(name);
    room.enter(userOf(member));
    const early = this.#early.get(member)?.get(name);
    if (early === undefined) return;
    this.#early.get(member)?.delete(name);
    early.data?.();
    if (early.watches === true) room.watchers.add(member);
  }

  exited(name: string, member: Member): void {
    const room = this.#rooms.get(name);
    if (room === undefined || this.#isStopped) return;
    room.watchers.delete(member);
    room.exit(userOf(member));
  }

  /** The clients of this node are told to come back elsewhere within so many milliseconds. */
  drain(within: number): void {
    this.#drainedUntil = this.#parts.clock.now() + within;
    this.#forEach((room) => room.keepLingering());
  }

  leave(): number {
    this.#forEach((room) => room.leave());
    this.stop();
    return this.#keptUntil() - this.#parts.clock.now();
  }

  stop(): void {
    this.#isStopped = true;
    this.#sweeping?.cancel();
    this.#changes.stop();
    this.#leases?.stop();
    this.#forEach((room) => room.stop());
  }

  // What the other nodes tell

  follows(room: string): boolean {
    return this.#rooms.has(room);
  }

  take(node: string, control: PresenceControl): void {
    if (this.#isStopped || this.#leases === undefined) return;
    if (control.type === "versions") {
      // A sign of life: what has left gives none.
      if (!this.#leases.heard(node)) return;
      for (const [room, version] of control.rooms) this.#rooms.get(room)?.compare(node, version);
      return;
    }
    if (!this.#leases.mayTell(node)) return;
    if (control.type === "sets") {
      for (const [room, version] of control.rooms) this.#rooms.get(room)?.tellNode(node, version);
      return;
    }
    const absent = control.type === "here" ? control.of : undefined;
    if (absent !== undefined && (absent.node === this.#parts.feed?.self || !this.#leases.believe(absent))) return;
    this.#rooms.get(control.room)?.take(node, control);
  }

  alive(node: string): void {
    if (!this.#isStopped) this.#leases?.heard(node);
  }

  left(node: string, within: number): void {
    this.#departures++;
    const time = Number.isFinite(within) ? within : 0;
    this.#leases?.leave(node, Math.min(Math.max(time, this.#grace), MAX_DELAY));
  }

  looked(heard: ReadonlySet<string>, isAwake: boolean): void {
    if (this.#isStopped) return;
    this.#leases?.look(heard, isAwake);
    if (isAwake) {
      for (const [node, rounds] of this.#strangers) {
        this.#askForSets(node);
        if (rounds > 1) this.#strangers.set(node, rounds - 1);
        else this.#strangers.delete(node);
      }
      this.#forEach((room) => room.look());
    }
    // P2
    inMessages("versions", this.#toldVersions(), (control) => this.#parts.feed?.tellAll(control));
  }

  connected(): void {
    this.#leases?.renew();
    this.#forEach((room) => room.greet());
  }

  /** Asks a node for its sets in all rooms that are followed here. */
  #askForSets(node: string): void {
    const versions = [...this.#rooms.values()].map((room) => [room.name, room.versionOf(node)] as const);
    inMessages("sets", versions, (control) => this.#parts.feed?.tellNode(node, control));
  }

  /** Returns the versions that this node tells with a sign of life. */
  #toldVersions(): PresenceVersions {
    const { clock, feed } = this.#parts;
    const since = clock.now() - (feed?.lease ?? 0);
    for (const [name, at] of this.#changed) if (at < since || !this.#rooms.has(name)) this.#changed.delete(name);
    // All others in turn, so that whatever was missed is found in the end.
    const names = new Set(this.#changed.keys());
    for (let count = 0; count < COMPARED; count++) {
      const { value: name } = this.#turn.next();
      if (name === undefined) {
        this.#turn = this.#rooms.keys();
        break;
      }
      names.add(name);
    }
    return [...names].flatMap((name) => {
      const room = this.#rooms.get(name);
      return room === undefined ? [] : [[name, room.version] as const];
    });
  }

  // The rooms

  #roomOf(name: string): PresenceRoom {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const { clock, codecs, delivery, feed, options, report } = this.#parts;
    const room = new PresenceRoom(name, this.#highest, {
      clock,
      codecs,
      delivery,
      feed,
      full: options.full ?? FULL,
      maxBytes: this.#maxBytes,
      keptUntil: () => this.#keptUntil(),
      stamps: this.#stamps,
      absenceOf: (node) => this.#leases?.absenceOf(node),
      changed: () => {
        // The one that has changed last is the last one.
        this.#changed.delete(name);
        this.#changed.set(name, clock.now());
      },
      report,
    });
    this.#rooms.set(name, room);
    this.#sweeping ??= clock.setTimeout(this.#sweep, IDLE);
    if (feed !== undefined) {
      feed.hold(name);
      watch(report, this.#begin(room, feed));
    }
    return room;
  }

  /** Begins to hear what other nodes tell of a room. Clients are told once that is known, but do not wait for the engine. */
  async #begin(room: PresenceRoom, feed: PresenceFeed): Promise<void> {
    room.watchers.openIn(feed.isCut ? 1 : feed.lease);
    try {
      await feed.synced(room.name);
      if (this.#rooms.get(room.name) === room) await this.#learn(room);
    } catch {
      // Whoever waits for the room is told that the engine refuses it, or that the hub was closed.
    }
    room.watchers.openIn(0);
  }

  /** Resolves when all nodes that live have told what they know of a room. */
  async #learn(room: PresenceRoom): Promise<void> {
    const { feed } = this.#parts;
    if (feed === undefined) return;
    for (let departures = -1; departures !== this.#departures;) {
      // A node that leaves meanwhile may not have answered, and the others not known yet that they have to speak for it.
      departures = this.#departures;
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      await this.#ask(room, feed);
    }
  }

  /** Asks all nodes about a room, with the others of this turn. Resolves when they have answered. */
  async #ask(room: PresenceRoom, feed: PresenceFeed): Promise<void> {
    const { report } = this.#parts;
    const asking = (this.#asking ??= { rooms: new Set(), answered: createDeferred() });
    if (asking.rooms.size === 0) {
      const ask = (): void => {
        this.#asking = undefined;
        const answered = feed.ask(Array.from(asking.rooms, (each) => each.question()));
        answered.then(asking.answered.resolve, asking.answered.reject);
      };
      microtask(report, ask);
    }
    asking.rooms.add(room);
    await asking.answered.promise;
  }

  #keptUntil(): number {
    const now = this.#parts.clock.now();
    return Math.max(now, this.#drainedUntil) + this.#grace + TRANSIT;
  }

  /** Forgets the rooms that nobody of this node is in, or looks at. */
  readonly #sweep = (): void => {
    const { clock, feed } = this.#parts;
    const since = clock.now() - IDLE;
    for (const [name, room] of this.#rooms) {
      if (!room.isIdle || room.lookedAt > since) continue;
      room.stop();
      this.#rooms.delete(name);
      this.#highest = Math.max(this.#highest, room.version);
      feed?.release(name);
    }
    this.#sweeping = this.#rooms.size === 0 ? undefined : clock.setTimeout(this.#sweep, IDLE);
  };

  #forEach(act: (room: PresenceRoom) => void): void {
    for (const room of this.#rooms.values()) guarded(this.#parts.report, () => act(room));
  }

  #earlyOf(member: Member, room: string): Early {
    let rooms = this.#early.get(member);
    if (rooms === undefined) this.#early.set(member, (rooms = new Map()));
    const early = rooms.get(room) ?? {};
    if (rooms.size >= this.#parts.mostRooms && !rooms.has(room)) {
      throw new RoomLimitError(member.id, this.#parts.mostRooms);
    }
    rooms.set(room, early);
    return early;
  }

  /** Returns data as all nodes and clients get it. */
  #copyOf(data: unknown): unknown {
    let text: string;
    try {
      text = JSON.stringify(data ?? null);
    } catch (error) {
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The data of a user must be JSON: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (typeof text !== "string") {
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The data of a user must be JSON, and no ${typeof data}.`);
    }
    const bytes = Buffer.byteLength(text);
    if (bytes <= this.#maxBytes) return JSON.parse(text);
    throw new HubError(
      "ERR_HUB_MESSAGE_TOO_LARGE",
      `The data of a user takes ${bytes} bytes, but at most ${this.#maxBytes} are allowed. Keep less there, or raise ` +
        '"maxBytes" of the option "presence".',
    );
  }
}

/** Tells versions in as many messages as it takes. */
function inMessages(
  type: "sets" | "versions",
  versions: PresenceVersions,
  tell: (control: PresenceControl) => void,
): void {
  for (let at = 0; at < versions.length; at += MOST_ROOMS) tell({ type, rooms: versions.slice(at, at + MOST_ROOMS) });
}

/** Returns the user of a member or, without one, the id of its socket. */
function userOf({ id, user }: Member): string {
  return user?.id ?? id;
}
