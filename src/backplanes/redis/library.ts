import { createRequire } from "node:module";
import type * as Redis from "redis";
import { HubError } from "../../errors.ts";

/** @throws {HubError} `ERR_HUB_BACKPLANE_UNAVAILABLE`. */
export function loadLibrary(): typeof Redis {
  try {
    // Synchronously, so that the caller hears of it.
    return createRequire(import.meta.url)("redis") as typeof Redis;
  } catch (cause) {
    throw new HubError(
      "ERR_HUB_BACKPLANE_UNAVAILABLE",
      'The backplane needs the package "redis", version 6. Install it: npm install redis.',
      { cause },
    );
  }
}
