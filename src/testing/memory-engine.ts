import type { Backplane, BackplaneHandlers } from "../backplanes/backplane.ts";

/** One node's way to the engine. */
class MemoryBackplane implements Backplane {
  readonly ordered = true;
  readonly #engine: MemoryEngine;
  readonly #wanted = new Map<string, { readonly promise: Promise<void>; readonly settle: () => void }>();
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
    if (!this.#engine.isRunning || this.#isClosed) throw new Error("The engine in memory is stopped.");
    const outage = this.#engine.outages;
    const copy = Uint8Array.from(envelope);
    // As on a network, what is published arrives later, and not at all when the engine stops meanwhile.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.#engine.outages !== outage) throw new Error("The engine in memory was stopped.");
    for (const backplane of this.#engine.backplanes) if (backplane !== this) backplane.#receive(channel, copy);
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    let settle!: () => void;
    const promise = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#wanted.set(channel, { promise, settle });
    if (this.#engine.isRunning) settle();
    return promise;
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // After what was published before.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#engine.backplanes.delete(this);
  }

  up(): void {
    for (const { settle } of this.#wanted.values()) settle();
    this.#handlers?.up();
  }

  down(): void {
    this.#handlers?.down(new Error("The engine in memory is stopped."));
  }

  #receive(channel: string, envelope: Uint8Array): void {
    if (this.#wanted.has(channel)) this.#handlers?.message(channel, envelope);
  }
}

/**
 * Connects the hubs of one process, as Redis or NATS connect those of many: for tests of what an application does with several
 * nodes.
 *
 * @example
 * const engine = new MemoryEngine();
 * const one = new Hub({ transport: memory(), backplane: engine.backplane() });
 * const two = new Hub({ transport: memory(), backplane: engine.backplane() });
 */
export class MemoryEngine {
  /** @internal */
  readonly backplanes: Set<MemoryBackplane> = new Set<MemoryBackplane>();
  #isRunning = true;
  #outages = 0;

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** How often it was stopped. */
  get outages(): number {
    return this.#outages;
  }

  /** A new one, for one hub. */
  backplane(): Backplane {
    return new MemoryBackplane(this);
  }

  /** Begins an outage: what is on its way is lost. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#outages++;
    for (const backplane of this.backplanes) backplane.down();
  }

  /** Ends it. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (const backplane of this.backplanes) backplane.up();
  }
}
