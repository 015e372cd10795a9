import { HubError } from "../errors.ts";

/**
 * What becomes of a message for a socket when more would wait for it than `maxBufferedBytes`: `"close"` the socket, or
 * `"drop"` the message and tell the client that something is missing.
 */
export type OverloadPolicy = "close" | "drop";

/** How a message is treated for sockets that are behind. */
export interface Overload {
  readonly policy: OverloadPolicy;
  /** While a socket is behind, the message takes the place of the waiting one with the same key. */
  readonly key?: string | undefined;
}

/** Whether the value is an {@link OverloadPolicy}. */
export function isOverloadPolicy(value: unknown): value is OverloadPolicy {
  return value === "close" || value === "drop";
}

/**
 * Checks an overload policy that the application gave.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkPolicy(policy: unknown): OverloadPolicy {
  if (isOverloadPolicy(policy)) return policy;
  throw new HubError("ERR_HUB_ARGUMENT", 'The overload policy must be "close" or "drop".');
}

/**
 * Checks the key of messages of which only the newest counts.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkKey(key: unknown): string {
  if (typeof key === "string" && key !== "" && key.isWellFormed()) return key;
  throw new HubError("ERR_HUB_ARGUMENT", "The key of latest() must be a non-empty, well-formed string.");
}
