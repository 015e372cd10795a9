import { AsyncLocalStorage } from "node:async_hooks";

/** Which timers are the client's: those that its code starts itself. */
const OWNER = /[/\\]src[/\\]client[/\\]/;

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

/**
 * The time after which the client gives up a call that names no time, in milliseconds. No scenario may come to that, so
 * here it passes only where every other wait has failed before, however busy the machine is.
 */
const LONGEST = 10_000;

/** The timers of one scenario that have neither fired nor been cleared, with where they were started. */
export type PendingTimers = Map<unknown, string>;

const current = new AsyncLocalStorage<PendingTimers>();

/** Runs something and everything that it leads to, noting the timers of the client's. */
export function withTimers<V>(pending: PendingTimers, run: () => V): V {
  return current.run(pending, run);
}

/** From now on, until the function is called that it returns, `withTimers` sees and stretches timers of the client. */
export function watchTimers(): () => void {
  globalThis.setTimeout = Object.assign(watchedSetTimeout, real.setTimeout);
  globalThis.clearTimeout = (timer) => {
    current.getStore()?.delete(timer);
    real.clearTimeout(timer);
  };
  return () => Object.assign(globalThis, real);
}

function watchedSetTimeout(
  callback: (...args: readonly unknown[]) => void,
  ms?: number,
  ...args: unknown[]
): NodeJS.Timeout {
  const pending = current.getStore();
  const origin = pending === undefined ? "" : caller();
  if (pending === undefined || !OWNER.test(origin)) return real.setTimeout(callback, ms, ...args);
  const fire = (): void => {
    pending.delete(timer);
    callback(...args);
  };
  const timer = real.setTimeout(fire, ms === LONGEST ? 100 * LONGEST : ms);
  pending.set(timer, origin);
  return timer;
}

/** The line that called whoever calls this. */
function caller(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 3;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  return stack.split("\n").at(-1)?.trim() ?? "";
}
