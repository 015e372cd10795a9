import type { Appended, BackplaneLog, LogEntry, LogLimits, LogPosition } from "../backplanes/backplane.ts";
import { createDeferred, type Deferred } from "../deferred.ts";
import { HubError } from "../errors.ts";
import { watch } from "../guard.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { NOWHERE } from "./log-reader.ts";

/** The most bytes that are appended at a time. A larger entry goes alone. */
const MAX_BATCH_BYTES = 64 * 1024;

/** The time after which an append is tried again that was not answered, or a hole that was refused, in milliseconds. */
const RETRY_DELAY = 1_000;

/** The time without a loss after which the next one is reported, in milliseconds. */
const SILENCE = 60_000;

/** The most entries that wait for each channel. */
const MAX_WAITING = 1_000;

const NOTHING = new Uint8Array();

/** An entry that the engine has not confirmed. */
interface Waiting {
  entry: LogEntry;
  readonly settled: Deferred<LogPosition>;
}

/** The entries of one channel that the engine has not confirmed, in order. */
interface Outbox {
  readonly channel: string;
  readonly limits: LogLimits;
  entries: Waiting[];
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
  #isUp = false;
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

  connected(): void {
    this.#isUp = true;
    for (const outbox of this.#outboxes.values()) this.#post(outbox);
  }

  disconnected(): void {
    this.#isUp = false;
    this.#session++;
    for (const outbox of this.#outboxes.values()) outbox.isUnderWay = false;
  }

  /**
   * Appends an envelope.
   *
   * @returns a promise of its place in the log. It rejects with `ERR_HUB_BACKPLANE` if the entry has become a hole, or
   *   nobody can say; with `ERR_HUB_CLOSED`.
   */
  append(channel: string, limits: LogLimits, envelope: Uint8Array): Promise<LogPosition> {
    let outbox = this.#outboxes.get(channel);
    if (outbox === undefined) {
      outbox = { channel, limits, entries: [], tried: 0, end: NOWHERE, isUnderWay: false };
      this.#outboxes.set(channel, outbox);
    }
    const entry: LogEntry = { origin: this.#parts.origin, number: ++this.#lastNumber, envelope };
    const settled = createDeferred<LogPosition>();
    outbox.entries.push({ entry, settled });
    this.#bytes += envelope.byteLength;
    this.#bound(outbox);
    this.#post(outbox);
    return settled.promise;
  }

  /** Confirms an entry of this node that was heard, whatever becomes of the answer of the engine. */
  heard(channel: string, { number, hole }: LogEntry, position: LogPosition): void {
    const outbox = this.#outboxes.get(channel);
    if (outbox !== undefined) this.#confirm(outbox, number, hole === true ? "unknown" : position);
  }

  /** Resolves when everything that was to be appended to these channels by now is settled. */
  async settled(channels: readonly string[] = [...this.#outboxes.keys()]): Promise<void> {
    await Promise.allSettled(
      channels.flatMap((channel) => this.#outboxes.get(channel)?.entries.at(-1)?.settled.promise ?? []),
    );
  }

  /** Rejects what waits, and stops. */
  stop(): void {
    this.disconnected();
    const error = new HubError("ERR_HUB_CLOSED", "The hub was closed before the event was recorded.");
    for (const { entries } of this.#outboxes.values()) for (const { settled } of entries) settled.reject(error);
    this.#outboxes.clear();
    this.#bytes = 0;
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
      for (const victim of victims) this.#empty(victim, "More waits for the engine than it takes.");
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
    if (outbox.entries.length === 0) this.#outboxes.delete(outbox.channel);
    if (outbox.entries.length === 0 || !this.#isUp) return;
    const isRetry = outbox.tried > 0;
    if (!isRetry) {
      outbox.tried = batchOf(outbox.entries);
      outbox.end = this.#parts.positionOf(outbox.channel);
    }
    outbox.isUnderWay = true;
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
      this.#confirm(outbox, number, appended);
    }
    const refused = batch[all.indexOf("refused")];
    if (refused?.entry.hole === true) {
      // Without the hole, the loss would be silent.
      this.#postLater(outbox, session);
      return;
    }
    if (refused !== undefined) {
      this.#empty(refused, "The engine has refused it.");
      if (!isRetry) outbox.tried = 0;
    }
    outbox.isUnderWay = false;
    this.#post(outbox);
  }

  #postLater(outbox: Outbox, session: number): void {
    this.#parts.clock.setTimeout(() => {
      if (session !== this.#session) return;
      outbox.isUnderWay = false;
      this.#post(outbox);
    }, RETRY_DELAY);
  }

  /** Settles an entry, and those before it, which the engine has taken before. */
  #confirm(outbox: Outbox, number: number, appended: LogPosition | "unknown"): void {
    let count = 0;
    for (const { entry, settled } of outbox.entries) {
      if (entry.number > number) break;
      count++;
      if (entry.number === number && appended !== "unknown" && entry.hole !== true) settled.resolve(appended);
      else settled.reject(new HubError("ERR_HUB_BACKPLANE", "Nobody can say whether the event was recorded."));
    }
    if (count > 0) this.#remove(outbox, count);
  }

  #remove(outbox: Outbox, count: number): void {
    for (const { entry } of outbox.entries.splice(0, count)) this.#bytes -= entry.envelope.byteLength;
    outbox.tried = Math.max(0, outbox.tried - count);
    if (outbox.entries.length === 0 && !outbox.isUnderWay) this.#outboxes.delete(outbox.channel);
  }
}

/** Returns the number of the first entries that are appended together. */
function batchOf(entries: readonly Waiting[]): number {
  let bytes = 0;
  for (const [index, { entry }] of entries.entries()) {
    bytes += entry.envelope.byteLength;
    if (index > 0 && bytes > MAX_BATCH_BYTES) return index;
  }
  return entries.length;
}
