import type {
  Appended,
  BackplaneLog,
  LogEntry,
  LogLimits,
  LogPosition,
  LogRecord,
  LogTail,
} from "../../../../src/backplanes/backplane.ts";
import { MemoryLog } from "../../../../src/backplanes/shared/memory-log.ts";
import type { Random } from "../../../support/random.ts";
import type { Timeline } from "./timeline.ts";

/** How much goes wrong, as probabilities. */
export interface Weather {
  /** That a message of the engine is not handed to a node. */
  readonly loss: number;
  /** That the engine refuses an append from some entry on. */
  readonly refusal: number;
  /** That something takes long. */
  readonly delay: number;
}

/** What a node does for the engine. */
export interface Peer {
  heard(channel: string, record: LogRecord): void;
  up(): void;
  down(): void;
}

/** An engine that delays, loses and refuses, with the true history of its logs. */
export class Engine {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly log: MemoryLog;
  /** Everything that was ever appended, in order. */
  readonly history: { readonly channel: string; readonly record: LogRecord }[] = [];
  readonly lines: Set<Line> = new Set();
  weather: Weather;
  /** Whether it has ever lost what it should have handed over. */
  readonly wasLossy: boolean;
  isUp = true;
  reads = 0;

  constructor(timeline: Timeline, random: Random, weather: Weather) {
    this.timeline = timeline;
    this.random = random;
    this.weather = weather;
    this.wasLossy = weather.loss > 0;
    this.log = new MemoryLog(() => timeline.now());
  }

  append(channel: string, entries: readonly LogEntry[], limits: LogLimits, retry?: LogPosition): readonly Appended[] {
    const { records, places } = this.log.append(channel, entries, limits, retry);
    for (const record of records) {
      this.history.push({ channel, record });
      for (const line of this.lines) line.hand(channel, record);
    }
    return places;
  }

  /** Ends all connections for a while. */
  fail(duration: number): void {
    this.isUp = false;
    for (const line of this.lines) line.cut();
    this.timeline.setTimeout(() => (this.isUp = true), duration);
  }
}

/** The connection of one node with the engine. */
export class Line implements BackplaneLog {
  readonly #engine: Engine;
  readonly #peer: Peer;
  readonly channels: Set<string> = new Set();
  /** The failures of what is under way. */
  #pending = new Set<(error: Error) => void>();
  #session = 0;
  #isUp = false;
  #there = 0;
  #back = 0;

  constructor(engine: Engine, peer: Peer) {
    this.#engine = engine;
    this.#peer = peer;
    engine.lines.add(this);
    this.#dial();
  }

  append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    const { random, weather } = this.#engine;
    const count = random.chance(weather.refusal)
      ? random.between(0, retry === undefined ? entries.length - 1 : 0)
      : entries.length;
    return this.#call(() => [
      ...this.#engine.append(channel, entries.slice(0, count), limits, retry),
      ...entries.slice(count).map((): Appended => "refused"),
    ]);
  }

  read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    this.#engine.reads++;
    return this.#call(() => this.#engine.log.read(channel, after, most));
  }

  heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    return this.#call(() => channels.map((channel) => this.#engine.log.headOf(channel)));
  }

  forget(channel: string): Promise<void> {
    return this.#call(() => this.#engine.log.forget(channel));
  }

  /** Hands over what was appended. */
  hand(channel: string, record: LogRecord): void {
    const { random, weather } = this.#engine;
    if (!this.#isUp || !this.channels.has(channel) || random.chance(weather.loss)) return;
    this.#return(() => this.#peer.heard(channel, record));
  }

  /** Ends the connection. What is under way may have been done. */
  cut(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#session++;
    this.#peer.down();
    const pending = this.#pending;
    this.#pending = new Set();
    for (const fail of pending) fail(new Error("Cut."));
    this.#dial();
  }

  #dial(): void {
    const { random, timeline } = this.#engine;
    timeline.setTimeout(
      () => {
        if (!this.#engine.isUp) {
          this.#dial();
          return;
        }
        this.#isUp = true;
        this.#peer.up();
      },
      random.between(5, 200),
    );
  }

  #call<V>(act: () => V): Promise<V> {
    const { timeline } = this.#engine;
    return new Promise((resolve, reject) => {
      if (!this.#isUp) {
        reject(new Error("Not connected."));
        return;
      }
      this.#pending.add(reject);
      this.#there = Math.max(this.#there, timeline.now() + this.#delay());
      const session = this.#session;
      timeline.setTimeout(() => {
        // What was sent before a cut may have arrived, but nothing of it comes behind what the next connection sends.
        const isCut = session !== this.#session;
        if (
          isCut &&
          (this.#isUp || this.#session > session + 1 || !this.#engine.isUp || this.#engine.random.chance(0.5))
        )
          return;
        let settle: () => void;
        try {
          const value = act();
          settle = () => resolve(value);
        } catch (error) {
          settle = () => reject(error);
        }
        if (isCut) return;
        this.#return(() => {
          this.#pending.delete(reject);
          settle();
        });
      }, this.#there - timeline.now());
    });
  }

  #return(arrive: () => void): void {
    const { timeline } = this.#engine;
    const session = this.#session;
    this.#back = Math.max(this.#back, timeline.now() + this.#delay());
    timeline.setTimeout(() => {
      if (session === this.#session) arrive();
    }, this.#back - timeline.now());
  }

  #delay(): number {
    const { random, weather } = this.#engine;
    return random.chance(weather.delay) ? random.next() * 300 : random.next() * 2;
  }
}
