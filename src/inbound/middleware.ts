import { isThenable } from "../checks/is-thenable.ts";
import { HubError } from "../errors.ts";
import { HandlerList } from "../handler-list.ts";
import type { HandlerContext } from "../members/handler-context.ts";

/** A message from a client on its way to its handler. */
export interface Call<S> {
  readonly event: string;
  /** The data that the handler will get. Middleware may replace it. */
  data: unknown;
  readonly socket: S;
  /** Whether the client waits for a reply. */
  readonly isRequest: boolean;
  /**
   * The signal that is aborted when the socket ends, because the result of the call will not reach the client any more.
   */
  readonly signal: AbortSignal;
}

/**
 * A function that runs around the handlers of an application's events. Its return value, or what its promise resolves
 * with, is the reply.
 *
 * @param next - runs the following middleware, and the handler last, and returns the result. Without a call of `next`,
 *   the handler does not run.
 */
export type Middleware<S> = (call: Call<S>, next: () => unknown) => unknown;

const REFUSAL =
  "next() takes no error. To refuse a message, throw new ReplyError(reason, message); to refuse a connection, use the " +
  'option "authenticate".';

/** The trace of a call, which tells failures of the handler from those of the middleware around it. */
export interface CallTrace {
  handlerFailure?: { readonly error: unknown };
  /** Whether the client has got its answer. */
  ended: boolean;
}

/** Middleware in the order in which it runs. */
export class MiddlewareChain<S> extends HandlerList<Middleware<S>> {
  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  /**
   * Calls the handler through the middleware that is in the chain now.
   *
   * @param late - is called with what was thrown after the call had ended, when nobody waits for it any more.
   */
  run(
    call: Call<S>,
    handler: (data: unknown, socket: S, context: HandlerContext) => unknown,
    trace: CallTrace,
    late: (error: unknown) => void,
  ): unknown {
    const links = this.all;
    let lost: { readonly error: unknown } | undefined;
    // Middleware may forget what next() returned. A rejection must then neither end the process nor go unreported.
    const watch = (result: unknown): unknown => {
      if (!isThenable(result)) return result;
      const promise = Promise.resolve(result);
      promise.catch((error: unknown) => {
        // Middleware further out only passes on what was reported.
        if (!trace.ended || (lost !== undefined && Object.is(lost.error, error))) return;
        lost = { error };
        late(error);
      });
      return promise;
    };
    const enter = (index: number): unknown => {
      const link = links[index];
      if (link === undefined) return traced(trace, () => handler(call.data, call.socket, call));
      let entered = false;
      return link(call, (given?: unknown) => {
        // What goes on although it should have ended here is the one mistake that lets somebody in.
        if (given !== undefined) throw new HubError("ERR_HUB_ARGUMENT", REFUSAL);
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
