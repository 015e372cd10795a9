import type * as uWS from "uWebSockets.js";
import { loadPackage } from "../../checks/optional-package.ts";
import { HubError } from "../../errors.ts";

export type Library = typeof uWS;

/**
 * The environment variable for the size of the headers of a request that comes in several segments. The library reads
 * it once, when it is loaded.
 */
const HEADERS_SIZE = "UWS_HTTP_MAX_HEADERS_SIZE";

/** The limit of Node.js for headers, in bytes. That of the library is 4 KiB, and cookies and tokens are often more. */
const HEADERS_BYTES = 16 * 1024;

/**
 * Loads uWebSockets.js, which only applications that use this transport have to install.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE` when the package is absent, or not built for this version of
 *   Node.js.
 */
export function loadLibrary(): Library {
  const isSet = process.env[HEADERS_SIZE] !== undefined;
  if (!isSet) process.env[HEADERS_SIZE] = String(HEADERS_BYTES);
  try {
    return loadPackage("uWebSockets.js", unavailable) as Library;
  } finally {
    if (!isSet) delete process.env[HEADERS_SIZE];
  }
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
