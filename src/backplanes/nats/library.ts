import { createRequire } from "node:module";
import type * as Nats from "@nats-io/transport-node";
import { HubError } from "../../errors.ts";

/** @throws {HubError} `ERR_HUB_BACKPLANE_UNAVAILABLE`. */
export function loadLibrary(): typeof Nats {
  try {
    // Synchronously, so that the caller hears of it.
    return createRequire(import.meta.url)("@nats-io/transport-node") as typeof Nats;
  } catch (cause) {
    throw new HubError(
      "ERR_HUB_BACKPLANE_UNAVAILABLE",
      'The backplane needs the package "@nats-io/transport-node", version 3. Install it: npm install @nats-io/transport-node.',
      { cause },
    );
  }
}
