import { HubError } from "../errors.ts";

/**
 * The policy for a message when more than `maxBufferedBytes` would wait for a socket: `"close"` the socket, or `"drop"`
 * the message and tell the client that a message is missing.
 */
export type OverloadPolicy = "close" | "drop";

/** The treatment of a message for sockets that are behind. */
export interface Overload {
  readonly policy: OverloadPolicy;
  /** While a socket is behind, the message takes the place of the waiting one with the same key. */
  readonly key?: string | undefined;
}

/** Returns whether the value is an {@link OverloadPolicy}. */
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
