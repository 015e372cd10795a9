import type { Backplane, BackplaneHandlers } from "roomcast";

/** The connection of one node with the engine, which breaks by itself. */
export class BreakableBackplane implements Backplane {
  readonly ordered = true;
  readonly #inner: Backplane;
  #handlers: BackplaneHandlers | undefined;
  #isBroken = false;
  #isMute = false;
  #isDeaf = false;

  constructor(inner: Backplane) {
    this.#inner = inner;
  }

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    this.#inner.start({
      ...handlers,
      message: (channel, envelope) => {
        if (!this.#isBroken && !this.#isMute && !this.#isDeaf) handlers.message(channel, envelope);
      },
    });
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    if (this.#isBroken) throw new Error("The connection is broken.");
    if (this.#isMute) return;
    await this.#inner.publish(channel, envelope);
  }

  subscribe(channel: string): Promise<void> {
    return this.#inner.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#inner.unsubscribe(channel);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  break(): void {
    this.#isBroken = true;
    this.#handlers?.down(new Error("The connection is broken."));
  }

  mend(): void {
    this.#isBroken = false;
    this.#handlers?.up();
  }

  /** Carries nothing any more, in either direction, as if the node had been killed. */
  kill(): void {
    this.#isMute = true;
  }

  /** Carries everything again. */
  revive(): void {
    this.#isMute = false;
  }

  /** Carries nothing to the node any more. */
  deafen(): void {
    this.#isDeaf = true;
  }
}
