/**
 * Whether a client has gone away before it was answered. Its signal is made only for those who ask: most decisions are
 * taken at once, and a signal weighs as much as everything else that an upgrade leaves behind.
 */
export class Vanishing {
  #vanished = false;
  #controller: AbortController | undefined;

  get vanished(): boolean {
    return this.#vanished;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#vanished) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  vanish(): void {
    this.#vanished = true;
    this.#controller?.abort();
  }
}
