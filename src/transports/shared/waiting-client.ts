/**
 * A client that waits for the answer to its upgrade request.
 *
 * Its abort signal is created only when somebody reads it: most decisions are taken at once, and a signal weighs as
 * much as everything else that an upgrade leaves behind.
 */
export class WaitingClient {
  #isGone = false;
  #controller: AbortController | undefined;

  /** Whether the client disconnected before it was answered. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Aborted when the client disconnects. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isGone) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Notes that the client disconnected. */
  disconnected(): void {
    this.#isGone = true;
    this.#controller?.abort();
  }
}
