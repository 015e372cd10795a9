/**
 * Returns a function that runs the task after `interval` milliseconds, and once for all calls until then. What a client can
 * ask for a thousand times a second, and what costs a message to everybody, is told to everybody so.
 */
export function atMostEvery(interval: number, task: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      task();
    }, interval);
  };
}
