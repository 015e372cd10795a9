/** A promise together with the functions that settle it. */
export interface Deferred<V = void> {
  readonly promise: Promise<V>;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates a promise that is settled from outside. A rejection that nobody awaits is not reported as unhandled. */
export function createDeferred<V = void>(): Deferred<V> {
  let resolve!: (value: V) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<V>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
