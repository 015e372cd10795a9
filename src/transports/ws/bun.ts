import { HubError } from "../../errors.ts";

/**
 * Refuses to run on Bun, whose own `ws` is not the package: with it, compression fails at every connection, and
 * `maxBufferedBytes` bounds nothing.
 *
 * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`.
 */
export function refuseBun(): void {
  if (process.versions["bun"] === undefined) return;
  throw new HubError(
    "ERR_HUB_TRANSPORT_UNAVAILABLE",
    "The transport ws does not work on Bun, which replaces the package ws with its own. Run the server with Node.js.",
  );
}
