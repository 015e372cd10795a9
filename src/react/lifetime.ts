/**
 * Creates an effect for something that begins when a component is mounted and ends when it is unmounted. The end comes a
 * microtask later, unless the component is mounted again in the same task: strict mode does this, and nothing ends.
 */
export function createLifetime(begin: () => void, end: () => unknown): () => () => void {
  let isMounted = false;
  let hasBegun = false;
  return () => {
    isMounted = true;
    if (!hasBegun) begin();
    hasBegun = true;
    return () => {
      isMounted = false;
      void Promise.resolve().then(() => {
        hasBegun = isMounted;
        return isMounted || end();
      });
    };
  };
}
