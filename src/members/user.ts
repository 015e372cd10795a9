import { HubError } from "../errors.ts";
import type { User } from "../event-types.ts";

/** A smaller number of milliseconds since 1970 means a time before March 1973: it must be a number of seconds. */
const LEAST_TIME = 1e11;

/**
 * Checks that a value that `authenticate` returned, or that the application set, is a user.
 *
 * @throws {HubError} `ERR_HUB_AUTHENTICATE`.
 */
export function checkUser(user: unknown): asserts user is User {
  const { id, expiresAt } = (user ?? {}) as Partial<User>;
  if (typeof id !== "string" || id === "" || !id.isWellFormed()) {
    throw new HubError("ERR_HUB_AUTHENTICATE", 'A user must be an object with a non-empty, well-formed string "id".');
  }
  if (expiresAt === undefined) return;
  if (typeof expiresAt !== "number" || !(expiresAt >= LEAST_TIME)) {
    throw new HubError(
      "ERR_HUB_AUTHENTICATE",
      `The "expiresAt" of a user must be in milliseconds since 1970, not ${String(expiresAt)}. ` +
        `The "exp" of a JSON Web Token is in seconds: multiply it by 1,000.`,
    );
  }
}
