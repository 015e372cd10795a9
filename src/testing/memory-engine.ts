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
} from "../backplanes/backplane.ts";
import { MemoryLog } from "../backplanes/shared/memory-log.ts";
import { createDeferred, type Deferred } from "../deferred.ts";

/** The connection of one hub with the engine. */
class MemoryBackplane implements Backplane, BackplaneLog {
  readonly ordered = true;
  readonly log: BackplaneLog = this;
  readonly #engine: MemoryEngine;
  readonly #wanted = new Map<string, Deferred>();
  #handlers: BackplaneHandlers | undefined;
  #isClosed = false;

  constructor(engine: MemoryEngine) {
    this.#engine = engine;
  }

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    this.#engine.backplanes.add(this);
    queueMicrotask(() => {
      if (this.#isClosed) return;
      if (this.#engine.isRunning) this.up();
      else this.down();
    });
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(envelope);
    await this.#travel();
    for (const backplane of this.#engine.backplanes) if (backplane !== this) backplane.#receive(channel, copy);
  }

  async append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    const copies = entries.map((entry) => ({ ...entry, envelope: Uint8Array.from(entry.envelope) }));
    await this.#travel();
    const { records, places } = this.#engine.log.append(channel, copies, limits, retry);
    for (const record of records) for (const backplane of this.#engine.backplanes) backplane.#hear(channel, record);
    return places;
  }

  async read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    await this.#travel();
    return this.#engine.log.read(channel, after, most);
  }

  async heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    await this.#travel();
    return channels.map((channel) => this.#engine.log.headOf(channel));
  }

  async forget(channel: string): Promise<void> {
    await this.#travel();
    this.#engine.log.forget(channel);
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    const subscription = createDeferred();
    this.#wanted.set(channel, subscription);
    if (this.#engine.isRunning) subscription.resolve();
    return subscription.promise;
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[]> {
    await this.#travel();
    return channels.map((channel) => [...this.#engine.backplanes].some((backplane) => backplane.#wanted.has(channel)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // Envelopes that were published before are delivered first.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#engine.backplanes.delete(this);
  }

  /** Tells the hub that the engine is connected. */
  up(): void {
    for (const { resolve } of this.#wanted.values()) resolve();
    this.#handlers?.up();
  }

  /** Tells the hub that the engine is not connected. */
  down(): void {
    this.#handlers?.down(new Error("The engine in memory is stopped."));
  }

  /** As on a network, what is sent arrives later, and not at all when the engine stops meanwhile. */
  async #travel(): Promise<void> {
    if (!this.#engine.isRunning || this.#isClosed) throw new Error("The engine in memory is stopped.");
    const outage = this.#engine.outages;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.#engine.outages !== outage) throw new Error("The engine in memory was stopped.");
  }

  #hear(channel: string, record: LogRecord): void {
    if (this.#wanted.has(channel)) this.#handlers?.recorded?.(channel, record);
  }

  #receive(channel: string, envelope: Uint8Array): void {
    if (this.#wanted.has(channel)) this.#handlers?.message(channel, envelope);
  }
}

/**
 * An engine that connects the hubs of one process, as Redis or NATS connect hubs of many processes. It is for tests of
 * an application with several nodes.
 *
 * @example
 * const engine = new MemoryEngine();
 * const one = new Hub({ transport: memory(), backplane: engine.backplane() });
 * const two = new Hub({ transport: memory(), backplane: engine.backplane() });
 */
export class MemoryEngine {
  /** @internal */
  readonly backplanes: Set<MemoryBackplane> = new Set<MemoryBackplane>();
  /** @internal */
  readonly log: MemoryLog = new MemoryLog(() => performance.now());
  #isRunning = true;
  #outages = 0;

  /** Whether there is no outage. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** The number of outages so far. */
  get outages(): number {
    return this.#outages;
  }

  /** Creates a backplane for one hub. */
  backplane(): Backplane {
    return new MemoryBackplane(this);
  }

  /** Begins an outage. Envelopes on their way are lost; the logs of rooms are kept. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#outages++;
    for (const backplane of this.backplanes) backplane.down();
  }

  /** Ends the outage. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (const backplane of this.backplanes) backplane.up();
  }
}
