/** How long anything of the server may take that has to happen: far more than it does on a busy machine. */
const PATIENCE = 20_000;

/** Resolves or rejects as the promise does, or rejects when that takes too long. */
export async function within<V>(promise: Promise<V>, what: string): Promise<V> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes longer than ${PATIENCE} ms.`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
