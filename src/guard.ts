import type { ErrorReport } from "./report.ts";

/** Hears what fails: the hub's report or, inside a transport, the handlers of the hub. */
export type Guardian = Pick<ErrorReport, "failed"> | { error(error: unknown): void };

/** Runs a task. What it throws is reported, and goes no further. */
export function guarded(guardian: Guardian, task: () => void): void {
  try {
    task();
  } catch (error) {
    report(guardian, error);
  }
}

/** Runs a task as an immediate: when what has come in by now has been read. */
export function soon(guardian: Guardian, task: () => void): NodeJS.Immediate {
  return setImmediate(guarded, guardian, task);
}

/** Runs a task as a microtask: when the present call has returned. */
export function microtask(guardian: Guardian, task: () => void): void {
  queueMicrotask(() => guarded(guardian, task));
}

/** Runs a task after a delay in milliseconds. */
export function later(guardian: Guardian, delay: number, task: () => void): NodeJS.Timeout {
  return setTimeout(guarded, delay, guardian, task);
}

/** Lets a promise go that nobody awaits. If it rejects, that is reported, and `ended` tidies up. */
export function watch(guardian: Guardian, promise: Promise<unknown>, ended?: () => void): void {
  promise.catch((error: unknown) => {
    report(guardian, error);
    if (ended !== undefined) guarded(guardian, ended);
  });
}

/** Calls `act` for each item. What it throws for one of them is handed to `failed`, and the others lose nothing. */
export function forEach<I>(
  items: Iterable<I>,
  act: (item: I) => void,
  failed: (item: I, error: unknown) => void,
): void {
  for (const item of items) {
    try {
      act(item);
    } catch (error) {
      failed(item, error);
    }
  }
}

/**
 * Marks the rejection of a promise as handled, because a client can bring it about. Those who await it still get it.
 */
export function handled<V>(promise: Promise<V>): Promise<V> {
  promise.catch(() => {});
  return promise;
}

function report(guardian: Guardian, error: unknown): void {
  if ("failed" in guardian) guardian.failed(error, "internal");
  else guardian.error(error);
}
