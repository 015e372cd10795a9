import { setMaxListeners } from "node:events";

/** The context of a call of a handler, besides the data of the event and who has sent it. */
export interface HandlerContext {
  /**
   * The signal that is aborted when the socket ends, because results of the handler will not reach the client any more. For
   * a handler of `hub.handleNode`, when the timeout of the request is over, or the other node or this hub has closed.
   */
  readonly signal: AbortSignal;
}

/** A context that creates the signal only when a handler asks for it. */
export class LazyContext implements HandlerContext {
  readonly #isOver: () => boolean;
  #controller: AbortController | undefined;

  /** @param isOver - returns whether nobody waits for results any more, when a handler first asks for the signal. */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Any number of handlers may listen to one signal.
      setMaxListeners(0, this.#controller.signal);
      if (this.#isOver()) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Aborts the signal, if there is one. */
  abort(): void {
    this.#controller?.abort();
  }
}
