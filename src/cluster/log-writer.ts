import type { Appended, BackplaneLog, LogEntry, LogLimits, LogPosition } from "../backplanes/backplane.ts";
import { createDeferred, type Deferred } from "../deferred.ts";
import { HubError } from "../errors.ts";
import { watch } from "../guard.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { NOWHERE } from "./log-reader.ts";

/** The most bytes that are appended at a time. A larger entry goes alone. */
const MAX_BATCH_BYTES = 64 * 1024;

/** The time after which an append is tried again that was not answered, or a hole that was refused, in milliseconds. */
const RETRY_DELAY = 1_000;

/** The time without a loss after which the next one is reported, in milliseconds. */
const SILENCE = 60_000;

/** The most entries that wait for each channel. */
const MAX_WAITING = 1_000;

/** The longest wait for an entry that the engine has taken to be handed over, in milliseconds. */
const PATIENCE = 1_000;

/** The time for which other nodes may not have an entry that this one was handed over, in milliseconds. */
const LATELY = 10_000;

const NOTHING = new Uint8Array();

/** An entry that the engine has not confirmed. */
interface Waiting {
  entry: LogEntry;
  readonly settled: Deferred<LogPosition>;
}

/** An entry that the engine has confirmed, and that is still to be handed over here. */
interface Unheard {
  readonly number: number;
  readonly settle: () => void;
  readonly settled: Promise<LogPosition>;
}

/** Something that is done to a log between two entries. */
interface Step {
  /** The number of the last entry of this node before it. */
  readonly behind: number;
  readonly run: () => Promise<void>;
  readonly settled: Deferred;
  isRunning: boolean;
}

/** The entries of one channel that the engine has not confirmed, in order. */
interface Outbox {
  readonly channel: string;
  readonly limits: LogLimits;
  entries: Waiting[];
  /** The entries that the engine has confirmed, with their places, and that are still to be handed over here. */
  unheard: Unheard[];
  /** Ends the wait for them. */
  patience: Timer | undefined;
  /** What is to be done between the entries, in order. */
  steps: Step[];
  /** The number of the first entries that were tried: nobody knows whether they are in the log. */
  tried: number;
  /** The end of the log, as far as it was known, when they were tried first. */
  end: LogPosition;
  isUnderWay: boolean;
}

export interface LogWriterParts {
  readonly log: BackplaneLog;
  readonly clock: Clock;
  /** The id of this node. */
  readonly origin: string;
  /** The most bytes that may wait in all channels. */
  readonly maxPendingBytes: number;
  /** Returns the end of the log of a channel as far as this node knows it. */
  readonly positionOf: (channel: string) => LogPosition;
  /** Returns whether this node is handed over the entries of a channel. */
  readonly isFollowed: (channel: string) => boolean;
  /** Hands over to the engine what was published before, which an entry must not overtake. */
  readonly flush: () => void;
  /** Receives the first loss, and no further one until nothing was lost for {@link SILENCE}. */
  readonly report: ErrorReport;
}

/**
 * Appends to the logs of channels, in the order of the calls. One append is under way for each channel, and what is called
 * for meanwhile goes together afterwards. Without the engine the entries wait. An entry of unknown fate is tried again
 * under its number. What cannot wait, or is refused, becomes a hole in its place.
 *
 * The rules, R1 to R13, are those of `docs/decisions/0042-records-in-a-cluster.md`.
 */
export class LogWriter {
  readonly #parts: LogWriterParts;
  readonly #outboxes = new Map<string, Outbox>();
  #bytes = 0;
  #lastNumber = 0;
  /** The last number in each channel of late, the earliest first. */
  readonly #last = new Map<string, { readonly number: number; readonly time: number }>();
  #isUp = false;
  #isStopped = false;
  /** The number of this connection. */
  #session = 0;
  /** The time of the last loss. */
  #lost = -Infinity;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
  }

  /** Number of bytes that wait. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** The number of the last entry of this node in any channel. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** The channels with entries of this node that other nodes may not have yet, with the number of the last one in each. */
  get recent(): ReadonlyMap<string, number> {
    const recent = new Map<string, number>();
    for (const channel of [...this.#outboxes.keys(), ...this.#last.keys()]) {
      const number = this.recentOf(channel);
      if (number !== undefined) recent.set(channel, number);
    }
    return recent;
  }

  /** Returns the number of the last entry of this node in a channel, if other nodes may not have it yet. */
  recentOf(channel: string): number | undefined {
    const last = this.#last.get(channel);
    const isRecent = last !== undefined && this.#parts.clock.now() - last.time <= LATELY;
    return isRecent ? last.number : this.pendingOf(channel);
  }

  /** Returns the number of the last entry of this node in a channel, if it was not handed over yet. */
  pendingOf(channel: string): number | undefined {
    const outbox = this.#outboxes.get(channel);
    return outbox?.entries.at(-1)?.entry.number ?? outbox?.unheard.at(-1)?.number;
  }

  connected(): void {
    this.#isUp = true;
    for (const outbox of this.#outboxes.values()) this.#post(outbox);
  }

  disconnected(): void {
    this.#isUp = false;
    this.#session++;
    for (const outbox of this.#outboxes.values()) {
      outbox.isUnderWay = false;
      for (const { isRunning, settled } of outbox.steps) if (isRunning) settled.reject(lostError());
      outbox.steps = outbox.steps.filter(({ isRunning }) => !isRunning);
    }
  }

  /**
   * Appends an envelope.
   *
   * @param envelope - `undefined` for a hole.
   * @returns a promise of its place in the log, which resolves when it was handed over to this node, if it is. It rejects
   *   with `ERR_HUB_BACKPLANE` if the entry has become a hole, or nobody can say; with `ERR_HUB_CLOSED`.
   */
  append(channel: string, limits: LogLimits, envelope: Uint8Array | undefined): Promise<LogPosition> {
    if (this.#isStopped) return Promise.reject(closedError());
    const outbox = this.#outboxOf(channel, limits);
    const last = outbox.entries[outbox.entries.length - 1];
    // One hole stands for all that nobody can know.
    if (envelope === undefined && last?.entry.hole === true && outbox.entries.length > outbox.tried) {
      return last.settled.promise;
    }
    const { origin } = this.#parts;
    const number = ++this.#lastNumber;
    const entry: LogEntry =
      envelope === undefined ? { origin, number, envelope: NOTHING, hole: true } : { origin, number, envelope };
    const settled = createDeferred<LogPosition>();
    outbox.entries.push({ entry, settled });
    this.#note(channel, number);
    this.#bytes += entry.envelope.byteLength;
    this.#bound(outbox);
    this.#post(outbox);
    return settled.promise;
  }

  /**
   * Forgets the log of a channel behind what was appended before, and ahead of what is appended afterwards. The next log begins
   * with a hole: who hears an entry of another log knows that the one before is gone.
   */
  forget(channel: string, limits: LogLimits): Promise<void> {
    if (this.#isStopped) return Promise.reject(closedError());
    const outbox = this.#outboxOf(channel, limits);
    const { log, origin } = this.#parts;
    const behind = this.#lastNumber;
    const hole: LogEntry = { origin, number: ++this.#lastNumber, envelope: NOTHING, hole: true };
    const run = async (): Promise<void> => {
      await log.forget(channel);
      await log.append(channel, [hole], limits);
    };
    const step: Step = { behind, run, settled: createDeferred(), isRunning: false };
    outbox.steps.push(step);
    this.#post(outbox);
    return step.settled.promise;
  }

  /** Confirms an entry of this node that was heard, whatever becomes of the answer of the engine. */
  heard(channel: string, { number, hole }: LogEntry, position: LogPosition): void {
    const outbox = this.#outboxes.get(channel);
    if (outbox !== undefined) this.#confirm(outbox, number, hole === true ? "unknown" : position, true);
  }

  /** Waits for no entry to be handed over any more that the engine has taken, because the channel begins anew. */
  proceed(channel: string): void {
    const outbox = this.#outboxes.get(channel);
    if (outbox !== undefined) this.#hear(outbox, Infinity);
  }

  /** Resolves when everything that was to be appended by now is settled; `undefined` if everything is. */
  settled(): Promise<unknown> | undefined {
    const promises: Promise<unknown>[] = [];
    for (const { entries, unheard } of this.#outboxes.values()) {
      const last = entries.at(-1)?.settled.promise ?? unheard.at(-1)?.settled;
      if (last !== undefined) promises.push(last);
    }
    return promises.length === 0 ? undefined : Promise.allSettled(promises);
  }

  /** Rejects what waits, and stops. */
  stop(): void {
    this.disconnected();
    this.#isStopped = true;
    const error = closedError();
    for (const { entries, unheard, patience, steps } of this.#outboxes.values()) {
      patience?.cancel();
      for (const { settle } of unheard) settle();
      for (const { settled } of entries) settled.reject(error);
      for (const { settled } of steps) settled.reject(error);
    }
    this.#outboxes.clear();
    this.#bytes = 0;
  }

  #note(channel: string, number: number): void {
    const time = this.#parts.clock.now();
    this.#last.delete(channel);
    this.#last.set(channel, { number, time });
    for (const [earliest, { time: then }] of this.#last) {
      if (time - then < LATELY) return;
      this.#last.delete(earliest);
    }
  }

  #outboxOf(channel: string, limits: LogLimits): Outbox {
    const known = this.#outboxes.get(channel);
    if (known !== undefined) return known;
    const none = { entries: [], unheard: [], patience: undefined, steps: [] };
    const outbox: Outbox = { channel, limits, ...none, tried: 0, end: NOWHERE, isUnderWay: false };
    this.#outboxes.set(channel, outbox);
    return outbox;
  }

  /** R8: what is too much becomes one hole in its place, the oldest first that was not tried yet. */
  #bound(outbox: Outbox): void {
    const isTooMuch = (): boolean => {
      return outbox.entries.length > MAX_WAITING || this.#bytes > this.#parts.maxPendingBytes;
    };
    while (isTooMuch()) {
      const untried = outbox.entries.slice(outbox.tried);
      const victims = untried.slice(0, Math.ceil(untried.length / 2));
      const last = victims.at(-1);
      if (last === undefined || (victims.length === 1 && last.entry.hole === true)) return;
      for (const victim of victims) {
        this.#empty(victim, "More waits for the engine than it takes.");
        if (victim !== last) victim.settled.reject(lostError());
      }
      outbox.entries.splice(outbox.tried, victims.length, last);
    }
  }

  /** Makes an entry a hole. */
  #empty(waiting: Waiting, why: string): void {
    const { entry, settled } = waiting;
    if (entry.hole === true) return;
    const { origin, number, envelope } = entry;
    this.#bytes -= envelope.byteLength;
    waiting.entry = { origin, number, envelope: NOTHING, hole: true };
    const message = `An event was not recorded, and the members of its room are told of a gap. ${why}`;
    const error = new HubError("ERR_HUB_BACKPLANE", message);
    settled.reject(error);
    this.#sayLost(error);
  }

  #sayLost(error: HubError): void {
    const { clock, report } = this.#parts;
    const isFirst = clock.now() - this.#lost >= SILENCE;
    this.#lost = clock.now();
    if (isFirst) report.failed(error, "backplane");
  }

  #post(outbox: Outbox): void {
    if (outbox.isUnderWay) return;
    if (isDone(outbox)) this.#outboxes.delete(outbox.channel);
    const [next] = outbox.entries;
    const [step] = outbox.steps;
    const untilStep = step?.behind ?? Infinity;
    if (step !== undefined && (next === undefined || next.entry.number > untilStep)) {
      if (!step.isRunning) watch(this.#parts.report, this.#take(outbox, step));
      return;
    }
    if (next === undefined || !this.#isUp) return;
    const isRetry = outbox.tried > 0;
    if (!isRetry) {
      outbox.tried = batchOf(outbox.entries, untilStep);
      outbox.end = this.#parts.positionOf(outbox.channel);
    }
    outbox.isUnderWay = true;
    this.#parts.flush();
    watch(this.#parts.report, this.#append(outbox, outbox.entries.slice(0, outbox.tried), isRetry));
  }

  async #append(outbox: Outbox, batch: readonly Waiting[], isRetry: boolean): Promise<void> {
    const { channel, limits, end } = outbox;
    const session = this.#session;
    const entries = batch.map(({ entry }) => entry);
    let all: readonly Appended[];
    try {
      // R6, R7: the engine finds what it has, and makes a hole of what it cannot tell.
      all = await this.#parts.log.append(channel, entries, limits, isRetry ? end : undefined);
    } catch {
      // In an outage, the next connection tries again.
      this.#postLater(outbox, session);
      return;
    }
    if (session !== this.#session) return;
    for (const [index, { number }] of entries.entries()) {
      const appended = all[index] ?? "unknown";
      if (appended === "refused") break;
      this.#confirm(outbox, number, appended, !this.#parts.isFollowed(channel));
    }
    const refused = batch[all.indexOf("refused")];
    if (refused?.entry.hole === true) {
      // Without the hole, the loss would be silent.
      this.#postLater(outbox, session);
      return;
    }
    // It may have been heard meanwhile.
    if (refused !== undefined && outbox.entries.includes(refused)) {
      this.#empty(refused, "The engine has refused it.");
      if (!isRetry) outbox.tried = 0;
    }
    outbox.isUnderWay = false;
    this.#post(outbox);
  }

  async #take(outbox: Outbox, step: Step): Promise<void> {
    step.isRunning = true;
    try {
      await step.run();
      step.settled.resolve();
    } catch (error) {
      step.settled.reject(error);
    }
    outbox.steps = outbox.steps.filter((other) => other !== step);
    this.#post(outbox);
  }

  #postLater(outbox: Outbox, session: number): void {
    this.#parts.clock.setTimeout(() => {
      if (session !== this.#session) return;
      outbox.isUnderWay = false;
      this.#post(outbox);
    }, RETRY_DELAY);
  }

  /** Settles an entry, and those before it, which the engine has taken before, once this node has heard them. */
  #confirm(outbox: Outbox, number: number, appended: LogPosition | "unknown", isHeard: boolean): void {
    let count = 0;
    for (const { entry, settled } of outbox.entries) {
      if (entry.number > number) break;
      count++;
      const isTaken = entry.number === number && appended !== "unknown" && entry.hole !== true;
      const settle = (): void => {
        if (isTaken) settled.resolve(appended);
        else settled.reject(lostError());
      };
      outbox.unheard.push({ number: entry.number, settle, settled: settled.promise });
    }
    if (count > 0) this.#remove(outbox, count);
    if (isHeard) this.#hear(outbox, number);
    else if (count > 0) outbox.patience ??= this.#parts.clock.setTimeout(() => this.#hear(outbox, Infinity), PATIENCE);
  }

  #remove(outbox: Outbox, count: number): void {
    for (const { entry } of outbox.entries.splice(0, count)) this.#bytes -= entry.envelope.byteLength;
    outbox.tried = Math.max(0, outbox.tried - count);
  }

  /** Settles the entries with these numbers, because they were handed over, or nobody knows when they will be. */
  #hear(outbox: Outbox, number: number): void {
    const { unheard } = outbox;
    const isHeard = (entry: { readonly number: number }): boolean => entry.number <= number;
    if (unheard[0] === undefined || !isHeard(unheard[0])) return;
    outbox.unheard = unheard.filter((entry) => !isHeard(entry));
    if (outbox.unheard.length === 0) {
      outbox.patience?.cancel();
      outbox.patience = undefined;
    }
    for (const entry of unheard) if (isHeard(entry)) entry.settle();
    this.#post(outbox);
  }
}

function isDone({ entries, unheard, steps }: Outbox): boolean {
  return entries.length === 0 && unheard.length === 0 && steps.length === 0;
}

function closedError(): HubError {
  return new HubError("ERR_HUB_CLOSED", "The hub was closed before the event was recorded.");
}

function lostError(): HubError {
  return new HubError("ERR_HUB_BACKPLANE", "The event was not recorded, or nobody can say.");
}

/** Returns the number of the first entries that are appended together: none behind the number of the next step. */
function batchOf(entries: readonly Waiting[], untilStep: number): number {
  let bytes = 0;
  for (const [index, { entry }] of entries.entries()) {
    bytes += entry.envelope.byteLength;
    if (entry.number > untilStep || (index > 0 && bytes > MAX_BATCH_BYTES)) return index;
  }
  return entries.length;
}
