import type {
  Appended,
  Backplane,
  BackplaneHandlers,
  BackplaneLog,
  LogEntry,
  LogLimits,
  LogPosition,
  LogRecord,
  LogTail,
} from "../../backplanes/backplane.ts";
import { MemoryLog } from "../../backplanes/shared/memory-log.ts";
import { roomChannel, roomOf } from "../../cluster/channels.ts";
import { createDeferred, type Deferred } from "../../deferred.ts";
import { handled } from "../../guard.ts";
import type { Random } from "../random.ts";
import type { Network } from "./network.ts";
import type { NodeProcess } from "./node-process.ts";
import type { Timeline } from "./timeline.ts";

/** Hears what happens to the logs. */
interface LogObserver {
  /**
   * Called with each entry that is in a log from now on.
   *
   * @param by - who has appended it; `undefined` for one that has survived the end of the log before.
   */
  appended(channel: string, record: LogRecord, by: Line | undefined): void;
  /** Called when a log ends, unless that is because of its age. */
  ended(channel: string): void;
}

/** How the engine is, beside what happens to it. */
export interface EngineWeather {
  /** The probability that an append is refused from some entry on. */
  refusal: number;
}

interface EngineParts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  readonly observer: LogObserver;
  /** The most entries that the engine keeps of a log, whatever the hub asks for. */
  readonly mostEntries: number;
}

/** Everything up to the first entry. */
const BEGINNING: LogPosition = { epoch: "", at: 0 };

/** An engine like Redis or NATS with what can befall one: outages, lost messages and answers, and logs that it loses. */
export class SimulatedEngine {
  readonly parts: EngineParts;
  readonly weather: EngineWeather = { refusal: 0 };
  /** The connections with nodes. */
  readonly lines: Set<Line> = new Set();
  /** The number of reads so far. */
  reads = 0;
  readonly #log: MemoryLog;
  /** The channels that have had a log, with its bounds. */
  readonly #limits = new Map<string, LogLimits>();
  #awayUntil = 0;

  constructor(parts: EngineParts) {
    this.parts = parts;
    this.#log = new MemoryLog(() => parts.timeline.now);
  }

  /** Whether nodes can connect. */
  get isUp(): boolean {
    return this.parts.timeline.now >= this.#awayUntil;
  }

  /** Creates the backplane of one node. */
  backplane(process: NodeProcess): Line {
    return new Line(this, process);
  }

  /** Ends all connections, and takes none for a while. */
  fail(duration: number): void {
    this.#awayUntil = Math.max(this.#awayUntil, this.parts.timeline.now + duration);
    for (const line of this.lines) line.cut();
  }

  /** Ends every outage. */
  heal(): void {
    this.#awayUntil = 0;
    this.weather.refusal = 0;
    for (const line of this.lines) line.heal();
  }

  /** Loses the logs of these channels; by default of all. */
  flush(channels: Iterable<string> = this.#limits.keys()): void {
    for (const channel of channels) {
      this.parts.observer.ended(channel);
      this.#log.forget(channel);
    }
  }

  /** Loses the log of a room. */
  evict(room: string): void {
    this.flush([roomChannel(room)]);
  }

  /** Loses the last entries of all logs. What is left begins a new epoch, in which the same offsets come again. */
  loseTails(count: () => number): void {
    for (const [channel, limits] of this.#limits) {
      const tail = this.#log.read(channel, BEGINNING, Number.MAX_SAFE_INTEGER);
      if (tail === undefined) continue;
      const left = tail.records.slice(0, Math.max(0, tail.records.length - count()));
      this.flush([channel]);
      const { records } = left.length === 0 ? { records: [] } : this.#log.append(channel, left.map(entryOf), limits);
      for (const record of records) this.parts.observer.appended(channel, record, undefined);
    }
  }

  append(
    by: Line,
    channel: string,
    entries: readonly LogEntry[],
    given: LogLimits,
    retry?: LogPosition,
  ): readonly Appended[] {
    const limits = { ...given, size: Math.min(given.size, this.parts.mostEntries) };
    this.#limits.set(channel, limits);
    const { records, places } = this.#log.append(channel, entries, limits, retry);
    for (const record of records) {
      this.parts.observer.appended(channel, record, by);
      for (const line of this.lines) line.hand(channel, record);
    }
    return places;
  }

  read(channel: string, after: LogPosition, most: number): LogTail | undefined {
    this.reads++;
    return this.#log.read(channel, after, most);
  }

  headOf(channel: string): LogPosition | undefined {
    return this.#log.headOf(channel);
  }

  isSubscribed(channel: string): boolean {
    return [...this.lines].some((line) => line.hears(channel));
  }

  publish(from: Line, channel: string, envelope: Uint8Array): void {
    for (const line of this.lines) if (line !== from) line.message(channel, envelope);
  }
}

/** The connection of one node with the engine. What goes there, and what comes back, stays in order as long as it lasts. */
export class Line implements Backplane, BackplaneLog {
  readonly ordered = true;
  readonly log: BackplaneLog = this;
  /** The number of messages that the connection loses next. */
  toLose = 0;
  /** The number of messages on the channels of rooms, beside what is recorded, that the connection loses next. */
  wordsToLose = 0;
  readonly #engine: SimulatedEngine;
  readonly #process: NodeProcess;
  readonly #wanted = new Map<string, Deferred>();
  /** The channels that the engine hands over. */
  #subscribed = new Set<string>();
  #handlers: BackplaneHandlers | undefined;
  /** The failures of what is under way. */
  #pending = new Set<(error: Error) => void>();
  #session = 0;
  #isUp = false;
  #isClosed = false;
  #there = 0;
  #back = 0;
  #cutUntil = 0;

  constructor(engine: SimulatedEngine, process: NodeProcess) {
    this.#engine = engine;
    this.#process = process;
  }

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    this.#engine.lines.add(this);
    this.#dial();
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(envelope);
    return this.#call(() => this.#engine.publish(this, channel, copy));
  }

  append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    const { parts, weather } = this.#engine;
    const taken = parts.random.chance(weather.refusal)
      ? parts.random.between(0, retry === undefined ? entries.length - 1 : 0)
      : entries.length;
    const copies = entries.map((entry) => ({ ...entry, envelope: Uint8Array.from(entry.envelope) }));
    return this.#call(() => [
      ...(taken === 0 ? [] : this.#engine.append(this, channel, copies.slice(0, taken), limits, retry)),
      ...copies.slice(taken).map((): Appended => "refused"),
    ]);
  }

  read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    return this.#call(() => this.#engine.read(channel, after, most));
  }

  heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    return this.#call(() => channels.map((channel) => this.#engine.headOf(channel)));
  }

  forget(channel: string): Promise<void> {
    return this.#call(() => this.#engine.flush([channel]));
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    const subscription = createDeferred();
    void handled(subscription.promise);
    this.#wanted.set(channel, subscription);
    if (this.#isUp) this.#subscribe(channel);
    return subscription.promise;
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
    this.#subscribed.delete(channel);
  }

  interested(channels: readonly string[]): Promise<readonly boolean[]> {
    return this.#call(() => channels.map((channel) => this.#engine.isSubscribed(channel)));
  }

  /** Whether the engine hands this channel over. */
  hears(channel: string): boolean {
    return this.#isUp && this.#subscribed.has(channel);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#call(() => {})]);
    this.kill();
  }

  /** Ends the connection, and makes no other one for a while. */
  partition(duration: number): void {
    this.#cutUntil = this.#engine.parts.timeline.now + duration;
    this.cut();
  }

  /** Ends the partition. What is to be lost still is: it may be the last message, which has no successor. */
  heal(): void {
    this.#cutUntil = 0;
  }

  /** Ends the connection for good, because the process has ended. What is under way may still be done. */
  kill(): void {
    this.#isClosed = true;
    this.#isUp = false;
    this.#session++;
    this.#engine.lines.delete(this);
  }

  /** Ends the connection. What is under way may still be done, and nobody hears of it. */
  cut(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#session++;
    this.#subscribed = new Set();
    const pending = this.#pending;
    this.#pending = new Set();
    this.#process.defer(() => {
      this.#handlers?.down(new Error("The engine is not connected any more."));
      for (const fail of pending) fail(new Error("The engine was disconnected before it answered."));
    });
    this.#dial();
  }

  /** Hands over what was appended. */
  hand(channel: string, record: LogRecord): void {
    if (!this.hears(channel)) return;
    if (this.toLose > 0) this.toLose--;
    else this.#return(() => this.#wanted.has(channel) && this.#handlers?.recorded?.(channel, record));
  }

  /** Hands over what was published. */
  message(channel: string, envelope: Uint8Array): void {
    if (!this.hears(channel)) return;
    if (this.wordsToLose > 0 && roomOf(channel) !== undefined) this.wordsToLose--;
    else this.#return(() => this.#wanted.has(channel) && this.#handlers?.message(channel, envelope));
  }

  #dial(): void {
    const { random, timeline } = this.#engine.parts;
    timeline.schedule(
      () => {
        if (this.#isClosed || this.#isUp) return;
        if (!this.#engine.isUp || timeline.now < this.#cutUntil) {
          this.#dial();
          return;
        }
        this.#isUp = true;
        this.#subscribed = new Set(this.#wanted.keys());
        const session = this.#session;
        this.#process.defer(() => {
          if (session !== this.#session) return;
          for (const channel of this.#wanted.keys()) {
            if (this.#subscribed.has(channel)) this.#wanted.get(channel)?.resolve();
            else this.#subscribe(channel);
          }
          this.#handlers?.up();
        });
      },
      random.between(5, 200),
      timeline.world,
    );
  }

  #subscribe(channel: string): void {
    const subscribed = this.#call(() => {
      if (this.#wanted.has(channel)) this.#subscribed.add(channel);
    });
    // In an outage, the next connection subscribes.
    void handled(subscribed.then(() => this.#wanted.get(channel)?.resolve()));
  }

  #call<V>(act: () => V): Promise<V> {
    const { network, random, timeline } = this.#engine.parts;
    return new Promise((resolve, reject) => {
      if (!this.#isUp) {
        reject(new Error("The engine is not connected."));
        return;
      }
      this.#pending.add(reject);
      this.#there = Math.max(this.#there, timeline.now + network.delay());
      const session = this.#session;
      const arrive = (): void => {
        // What was sent before a cut may have arrived, but nothing of it comes behind what the next connection sends.
        const isCut = session !== this.#session;
        if (isCut && (this.#isUp || this.#session > session + 1 || !this.#engine.isUp || random.chance(0.5))) return;
        const value = act();
        if (isCut) return;
        this.#return(() => {
          this.#pending.delete(reject);
          resolve(value);
        });
      };
      timeline.schedule(arrive, this.#there - timeline.now, timeline.world);
    });
  }

  #return(arrive: () => void): void {
    const { network, timeline } = this.#engine.parts;
    const session = this.#session;
    this.#back = Math.max(this.#back, timeline.now + network.delay());
    timeline.schedule(
      () => {
        if (session !== this.#session) return;
        // A process that stands still may find its connection ended when it goes on.
        this.#process.defer(() => session === this.#session && arrive());
      },
      this.#back - timeline.now,
      timeline.world,
    );
  }
}

function entryOf({ origin, number, envelope, hole }: LogRecord): LogEntry {
  return hole === true ? { origin, number, envelope, hole } : { origin, number, envelope };
}
