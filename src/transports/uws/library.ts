import type * as uWS from "uWebSockets.js";
import { loadPackage } from "../../checks/optional-package.ts";
import { HubError } from "../../errors.ts";

export type Library = typeof uWS;

/**
 * Loads uWebSockets.js, which only applications that use this transport have to install.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE` when the package is absent, or not built for this version of
 *   Node.js.
 */
export function loadLibrary(): Library {
  return loadPackage("uWebSockets.js", unavailable) as Library;
}

function unavailable(cause: unknown, isInstalled: boolean): HubError {
  const problem = isInstalled
    ? `uWebSockets.js cannot be loaded by Node.js ${process.versions.node} on this machine`
    : "uWebSockets.js is not installed";
  return new HubError(
    "ERR_HUB_TRANSPORT_UNAVAILABLE",
    `${problem}. Install a release that is built for it: npm install uNetworking/uWebSockets.js#v20.52.0. ` +
      `Or choose the transport "ws".`,
    { cause },
  );
}
