import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Tells apart what several attempts open at the same time. */
const attempts = new AsyncLocalStorage<object>();

/** The channel on which Node.js tells of each socket that a client opens, but for those that begin with TLS. */
const OPENED = "net.client.socket";

/**
 * Connects, and leaves no socket behind: neither of an attempt that fails or is aborted, nor of servers that were tried
 * before the one that has answered. The package itself forgets a socket that was accepted by a server that then says
 * nothing, and can be told neither to abort nor to use another socket.
 *
 * @param connect - connects. Its argument returns the signal of the next socket, for one that begins with TLS. That
 *   signal is never aborted once the connection is there: the package stops listening to a socket when it closes it, and
 *   the error of an abort, which comes a tick later, would end the process.
 */
export async function dial<C>(
  signal: AbortSignal,
  connect: (signalOfNext: () => AbortSignal) => Promise<C>,
): Promise<C> {
  const attempt = {};
  /** Ends the last socket. */
  let end: (() => void) | undefined;
  const follow = (endNext: () => void): void => {
    // The one before was not the right one.
    end?.();
    end = endNext;
    if (signal.aborted) end();
  };
  const opened = (message: unknown): void => {
    if (attempts.getStore() !== attempt) return;
    const { socket } = message as { readonly socket: Socket };
    follow(() => socket.destroy());
  };
  const signalOfNext = (): AbortSignal => {
    const controller = new AbortController();
    follow(() => controller.abort());
    return controller.signal;
  };
  const aborted = (): void => end?.();
  subscribe(OPENED, opened);
  signal.addEventListener("abort", aborted);
  try {
    return await attempts.run(attempt, () => connect(signalOfNext));
  } catch (error) {
    end?.();
    throw error;
  } finally {
    unsubscribe(OPENED, opened);
    signal.removeEventListener("abort", aborted);
  }
}
