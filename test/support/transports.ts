import type { TransportName } from "roomcast";
import { loadLibrary } from "../../src/transports/uws/library.ts";

/**
 * Why uWebSockets.js cannot be tested here; `undefined` if it can.
 *
 * Its builds for Node.js 22 and later need a newer glibc than some systems have that are still in use. On Node.js 20 it
 * has to load: everything that depends on it fails if it does not.
 */
export const uwsObstacle: string | undefined = process.versions.node.startsWith("20.") ? undefined : obstacle();

/** The transports to test. `conformance/transports/uws.test.ts` says so loudly where one is missing. */
export const TRANSPORTS: readonly TransportName[] = uwsObstacle === undefined ? ["ws", "uws"] : ["ws"];

function obstacle(): string | undefined {
  try {
    loadLibrary();
    return undefined;
  } catch (error) {
    return String((error as Error).cause);
  }
}
