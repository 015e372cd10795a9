import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Where systems give away no port by themselves, for `listen(0)` or a connection, and where browsers block none. */
const FIRST = 20_000;
const LAST = 32_000;

/**
 * Resolves with a port of 127.0.0.1 on which nothing listens, for what has to be told a port before it listens, or listens
 * again. Nothing takes the port in between unless it is told to.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    const server = createServer();
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
