import { later, soon } from "../../guard.ts";

/**
 * Waits for a promise for a limited time. After a pause of the process, what has arrived meanwhile is read first.
 *
 * @param delay - the limit in milliseconds.
 * @param what - the subject of the error's sentence "… took longer than 100 ms."
 * @throws {Error} as a rejection, when the time is over.
 */
export async function within<V>(delay: number, what: string, promise: Promise<V>): Promise<V> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const guardian = { error: reject };
    const end = (): void => reject(new Error(`${what} took longer than ${delay} ms.`));
    timeout = later(guardian, delay, () => void soon(guardian, end));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timeout);
  }
}
