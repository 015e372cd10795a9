/** A promise and what resolves it. Node 20 has no `Promise.withResolvers`. */
export interface Deferred<V> {
  readonly promise: Promise<V>;
  readonly resolve: (value: V) => void;
}

export function deferred<V = void>(): Deferred<V> {
  let resolve: ((value: V) => void) | undefined;
  const promise = new Promise<V>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value) => resolve?.(value) };
}
