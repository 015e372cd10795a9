import { HubError } from "../errors.ts";

/** The transports and backplanes that hubs were given. */
const owned = new WeakSet<object>();

/**
 * Takes a transport or a backplane for one hub.
 *
 * @throws {HubError} `ERR_HUB_OPTION` for an object that another hub has.
 */
export function ownedOnce<P extends object>(part: P, what: string): P {
  if (owned.has(part)) {
    throw new HubError("ERR_HUB_OPTION", `This ${what} belongs to another hub already. Make one for each hub.`);
  }
  owned.add(part);
  return part;
}
