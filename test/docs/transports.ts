import type { TransportName } from "roomcast";
import { loadLibrary } from "../../src/transports/uws/library.ts";

/**
 * The transports that the tests of the documents run on. On Node.js 20 always both; later builds of uWebSockets.js need
 * a C library that is newer than that of some systems which are still in use.
 */
export const TRANSPORTS: readonly TransportName[] =
  process.versions.node.startsWith("20.") || loads() ? ["ws", "uws"] : ["ws"];

function loads(): boolean {
  try {
    loadLibrary();
    return true;
  } catch {
    return false;
  }
}
