import { createRequire } from "node:module";
import type * as uWS from "uWebSockets.js";
import { HubError } from "../../errors.ts";

export type Library = typeof uWS;

let loaded: Library | undefined;

/**
 * Loads uWebSockets.js, when a hub first asks for it: whoever uses another transport need not have it.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`: absent, or not built for this version of Node.js.
 */
export function loadLibrary(): Library {
  if (loaded !== undefined) return loaded;
  try {
    // Synchronously, so that the constructor of the hub can throw.
    return (loaded = createRequire(import.meta.url)("uWebSockets.js") as Library);
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND";
    const problem = absent
      ? "uWebSockets.js is not installed"
      : `uWebSockets.js cannot be loaded by Node.js ${process.versions.node} on this machine`;
    throw new HubError(
      "ERR_HUB_TRANSPORT_UNAVAILABLE",
      `${problem}. Install a release that is built for it: npm install uNetworking/uWebSockets.js#v20.52.0. ` +
        `Or choose the transport "ws".`,
      { cause },
    );
  }
}
