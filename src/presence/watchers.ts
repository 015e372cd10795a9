import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import { guarded, microtask } from "../guard.ts";
import type { Member } from "../members/member.ts";
import type { Codec } from "../protocol/codec.ts";
import { ControlEvent, type PresenceNotice } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Effect, People } from "./people.ts";

/** The time between two messages of changes, in milliseconds. */
const BUNDLE = 250;

/** The time between two messages of a count alone, in milliseconds. */
const COUNT = 1_000;

/** The share of `full` below which users are named again, so that a room at the limit does not go back and forth. */
const FEWER = 0.9;

/** Receives failures that have no caller to tell. */
export interface PresenceReport extends ErrorReport {
  /** Called for a member for which the hub itself fails. */
  fail(member: Member, error: unknown): void;
}

export interface WatchersParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  /** The most users that are named. */
  readonly full: number;
  readonly report: PresenceReport;
}

/** The members of a room whose clients are told who is there. */
export class Watchers {
  readonly #room: string;
  readonly #people: People;
  readonly #parts: WatchersParts;
  readonly #told = new Set<Member>();
  /** Those who have been told nothing yet. */
  readonly #newcomers = new Set<Member>();
  /** The users that have changed since the last message, and whether the clients know them. */
  readonly #changed = new Map<string, boolean>();
  /** The number of the last message of a change. */
  #version = 0;
  /** The last count that clients were told; `undefined` while they are told who. */
  #count: number | undefined;
  /** The most users that are named: `full`, or less while so many do not fit into a message. */
  #most: number;
  #last = Number.NEGATIVE_INFINITY;
  #opening: Timer | undefined;
  /** Whether everybody is known, so that clients can be told. */
  #isOpen: boolean;
  /** The wait for the next message; `true` until the end of the turn. */
  #wait: Timer | true | undefined;

  /** @param isOpen - whether everybody is known. Otherwise clients wait for {@link openIn}. */
  constructor(room: string, people: People, isOpen: boolean, parts: WatchersParts) {
    this.#isOpen = isOpen;
    this.#most = parts.full;
    this.#room = room;
    this.#people = people;
    this.#parts = parts;
  }

  get size(): number {
    return this.#told.size + this.#newcomers.size;
  }

  /** Tells clients that wait after so many milliseconds, because everybody is known then, or they need not wait any more. */
  openIn(delay: number): void {
    this.#opening?.cancel();
    const open = (): void => {
      this.#isOpen = true;
      if (this.#newcomers.size > 0) this.#plan();
    };
    if (delay === 0) open();
    else this.#opening = this.#parts.clock.setTimeout(open, delay);
  }

  /** Tells a member who is there, and from then on what changes. */
  add(member: Member): void {
    this.#told.delete(member);
    this.#newcomers.add(member);
    this.#plan();
  }

  delete(member: Member): void {
    this.#told.delete(member);
    this.#newcomers.delete(member);
    if (this.#told.size === 0) this.#changed.clear();
  }

  /** Takes note of a change, after it has happened. */
  changed(user: string, effect: Effect): void {
    if (this.#told.size === 0) return;
    if (!this.#changed.has(user)) this.#changed.set(user, effect !== "in");
    this.#plan();
  }

  stop(): void {
    if (typeof this.#wait === "object") this.#wait.cancel();
    this.#opening?.cancel();
    this.#told.clear();
    this.#newcomers.clear();
    this.#changed.clear();
  }

  /** Tells at the end of this turn, or when enough time has passed since the last message. */
  #plan(): void {
    if (this.#wait !== undefined || !this.#isOpen) return;
    const { clock, report } = this.#parts;
    const tell = (): void => {
      this.#wait = undefined;
      this.#tell();
    };
    const rest = this.#last + (this.#isCounted ? COUNT : BUNDLE) - clock.now();
    if (rest > 0) this.#wait = clock.setTimeout(tell, rest);
    else {
      this.#wait = true;
      microtask(report, tell);
    }
  }

  get #isCounted(): boolean {
    const most = this.#most;
    return this.#people.size > (this.#count === undefined ? most : Math.max(most * FEWER, 1));
  }

  #tell(): void {
    if (this.size === 0) return;
    const { size: count } = this.#people;
    const { clock, report } = this.#parts;
    this.#last = clock.now();
    if (this.#isCounted) this.#tellCount(count);
    else {
      try {
        this.#tellWho(count);
      } catch (error) {
        // So much data does not fit into a message.
        report.failed(error, "codec", { event: ControlEvent.presence });
        this.#most = count - 1;
        this.#tellCount(count);
      }
    }
    this.#changed.clear();
    for (const member of this.#newcomers) this.#told.add(member);
    this.#newcomers.clear();
  }

  #tellWho(count: number): void {
    if (this.#count === undefined) this.#tellChanges(count);
    else {
      this.#version++;
      for (const member of this.#told) this.#newcomers.add(member);
    }
    if (this.#newcomers.size > 0) {
      const everybody = [...this.#people.places.keys()].map((user) => this.#named(user));
      this.#send(this.#newcomers, { room: this.#room, v: this.#version, reset: true, in: everybody, count });
    }
    this.#count = undefined;
    this.#most = this.#parts.full;
  }

  #tellCount(count: number): void {
    if (this.#count !== count) {
      this.#count = count;
      this.#send(this.#told, { room: this.#room, v: ++this.#version, count });
    }
    this.#send(this.#newcomers, { room: this.#room, v: this.#version, count });
  }

  #tellChanges(count: number): void {
    const came: (readonly [string, unknown])[] = [];
    const went: string[] = [];
    for (const [user, wasThere] of this.#changed) {
      if (this.#people.has(user)) came.push(this.#named(user));
      else if (wasThere) went.push(user);
    }
    if (came.length === 0 && went.length === 0) return;
    const changes = { ...(came.length > 0 && { in: came }), ...(went.length > 0 && { out: went }) };
    this.#send(this.#told, { room: this.#room, v: this.#version + 1, ...changes, count });
    this.#version++;
  }

  #named(user: string): readonly [user: string, data: unknown] {
    return [user, this.#people.latestOf(user)?.data ?? null];
  }

  /** @throws {HubError} if a codec cannot encode it, and then nobody was told. */
  #send(members: ReadonlySet<Member>, data: PresenceNotice): void {
    const { codecs, delivery, report } = this.#parts;
    const frames = new Map<Codec, OutgoingFrame>();
    for (const { codec } of members) {
      if (!frames.has(codec)) frames.set(codec, codecs.encode({ event: ControlEvent.presence, data }, codec));
    }
    for (const member of Array.from(members)) {
      const frame = frames.get(member.codec);
      if (frame === undefined || !member.isReachable) continue;
      guarded({ error: (error) => report.fail(member, error) }, () => delivery.send(member, frame));
    }
  }
}
