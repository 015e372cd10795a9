import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Tells apart what several attempts open at the same time. */
const attempts = new AsyncLocalStorage<object>();

/** The channel on which Node.js tells of each socket that a client opens. */
const OPENED = "net.client.socket";

/**
 * Connects, and leaves no socket behind: neither of an attempt that fails or is aborted, nor of servers that were tried
 * before the one that has answered. The package itself forgets a socket that was accepted by a server that then says
 * nothing, and can be told neither to abort nor to use another socket.
 */
export async function dial<C>(signal: AbortSignal, connect: () => Promise<C>): Promise<C> {
  const attempt = {};
  const sockets: Socket[] = [];
  const opened = (message: unknown): void => {
    if (attempts.getStore() !== attempt) return;
    const { socket } = message as { readonly socket: Socket };
    // The one before was not the right one.
    sockets.at(-1)?.destroy();
    sockets.push(socket);
    if (signal.aborted) socket.destroy();
  };
  const destroy = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  subscribe(OPENED, opened);
  signal.addEventListener("abort", destroy);
  try {
    return await attempts.run(attempt, connect);
  } catch (error) {
    destroy();
    throw error;
  } finally {
    unsubscribe(OPENED, opened);
    signal.removeEventListener("abort", destroy);
  }
}
