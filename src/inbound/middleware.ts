import { HubError } from "../errors.ts";
import { isThenable } from "../hub/listeners.ts";

/** A message from a client on its way to its handler. */
export interface Call<S> {
  readonly event: string;
  /** What the handler will get. Middleware may replace it. */
  data: unknown;
  readonly socket: S;
  /** Whether the client waits for a reply. */
  readonly isRequest: boolean;
}

/**
 * Runs around the handlers of an application's events. What it returns, or its promise resolves with, is the reply.
 *
 * @param next - runs what comes after, the handler last, and returns its result. Without a call of it the handler does not
 *   run.
 */
export type Middleware<S> = (call: Call<S>, next: () => unknown) => unknown;

/** What happened during a call, so that a failure of the handler can be told from one of the middleware around it. */
export interface CallTrace {
  handlerFailure?: { readonly error: unknown };
  /** Whether the client has its answer. */
  ended: boolean;
}

/** Middleware, in the order in which it runs. */
export class MiddlewareChain<S> {
  #links: readonly Middleware<S>[] = [];

  /** Returns a function that removes it. */
  add(middleware: Middleware<S>): () => void {
    // The same function may be there twice.
    const link: Middleware<S> = (call, next) => middleware(call, next);
    this.#links = [...this.#links, link];
    return () => {
      this.#links = this.#links.filter((other) => other !== link);
    };
  }

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  /**
   * Calls the handler through the middleware that there is now.
   *
   * @param late - called with what was thrown when the call had ended: by then nobody waits for it.
   */
  run(
    call: Call<S>,
    handler: (data: unknown, socket: S) => unknown,
    trace: CallTrace,
    late: (error: unknown) => void,
  ): unknown {
    const links = this.#links;
    let lost: { readonly error: unknown } | undefined;
    // Middleware may forget what next() returned: that must neither end the process nor go unheard.
    const watch = (result: unknown): unknown => {
      if (!isThenable(result)) return result;
      const promise = Promise.resolve(result);
      promise.catch((error: unknown) => {
        // Links further out only pass on what was reported.
        if (!trace.ended || (lost !== undefined && Object.is(lost.error, error))) return;
        lost = { error };
        late(error);
      });
      return promise;
    };
    const enter = (index: number): unknown => {
      const link = links[index];
      if (link === undefined) return traced(trace, () => handler(call.data, call.socket));
      let entered = false;
      return link(call, () => {
        if (entered) throw new HubError("ERR_HUB_ARGUMENT", "next() was called twice by the same middleware.");
        entered = true;
        return watch(enter(index + 1));
      });
    };
    return enter(0);
  }
}

function traced(trace: CallTrace, handle: () => unknown): unknown {
  const failed = (error: unknown): never => {
    trace.handlerFailure = { error };
    throw error;
  };
  try {
    const result = handle();
    return isThenable(result) ? Promise.resolve(result).catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}
