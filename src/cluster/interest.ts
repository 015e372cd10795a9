import type { Backplane } from "../backplanes/backplane.ts";
import type { Clock, Timer } from "../time/clock.ts";

/**
 * What this node wants to hear: a channel from the moment that it is held until a while after it was released, so that rooms
 * which members leave and enter again cost the engine nothing.
 */
export class Interest {
  readonly #backplane: Backplane;
  readonly #clock: Clock;
  /** In milliseconds. */
  readonly #grace: number;
  /** Each with what it takes until it is heard. */
  readonly #channels = new Map<string, Promise<void>>();
  /** Those that nobody holds any more, and until when they are kept. The first to go comes first. */
  readonly #released = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(backplane: Backplane, clock: Clock, grace: number) {
    this.#backplane = backplane;
    this.#clock = clock;
    this.#grace = grace;
  }

  hold(channel: string): void {
    if (this.#released.delete(channel) || this.#channels.has(channel)) return;
    const subscribed = this.#backplane.subscribe(channel);
    // Whoever asks for it is told; it fails only when nobody can want it any more.
    subscribed.catch(() => {});
    this.#channels.set(channel, subscribed);
  }

  release(channel: string): void {
    this.#released.set(channel, this.#clock.now() + this.#grace);
    this.#timer ??= this.#clock.setTimeout(() => this.#sweep(), this.#grace);
  }

  /** Whether messages of this channel may come in. */
  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** Resolves when the engine has confirmed the channel; at once if nobody holds it. */
  async synced(channel: string): Promise<void> {
    await this.#channels.get(channel);
  }

  /** The same for all that are held now. */
  async allSynced(): Promise<void> {
    await Promise.all(this.#channels.values());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [channel, until] of this.#released) {
      if (until > now) {
        this.#timer = this.#clock.setTimeout(() => this.#sweep(), until - now);
        return;
      }
      this.#released.delete(channel);
      this.#channels.delete(channel);
      this.#backplane.unsubscribe(channel);
    }
  }
}
