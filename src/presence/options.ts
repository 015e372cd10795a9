import { isCount, isInteger, isObject, type Options } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import { faultOf, Pattern } from "../rooms/pattern.ts";

/** The rooms of which the hub knows on all nodes who is there, and how it tells. */
export interface PresenceOptions {
  /** The patterns of the names of these rooms. A `*` stands for any text, also for none. */
  readonly rooms: readonly string[];
  /**
   * The time for which a user stays present whose last socket has gone, in milliseconds, so that nobody sees a reload or a
   * reconnection. A day at most. Default: 5,000.
   */
  readonly grace?: number | undefined;
  /** The most users of a room that clients are told by name. Of more they are told the count. Default: 200. */
  readonly full?: number | undefined;
  /** The most bytes of the data of one user in one room, as JSON: 4,096 at most. Default: 1,024. */
  readonly maxBytes?: number | undefined;
}

/** The setting of presence. */
export interface PresenceSettings {
  /**
   * The rooms of which the hub knows who is there: see `hub.presence()`. Give all nodes the same. Default: none.
   *
   * @example
   * const hub = new Hub({ presence: { rooms: ["lobby", "chat:*"] } });
   */
  readonly presence: PresenceOptions | undefined;
}

export const presenceOptions: Options<PresenceSettings> = {
  presence: { default: undefined, rule: ["an object { rooms, grace, full, maxBytes }: see PresenceOptions", isObject] },
};

/** In milliseconds. */
const DAY = 86_400_000;

/** What is larger is an event, and no state of a user. */
const MOST_BYTES = 4_096;

const OPTIONS = new Set(["rooms", "grace", "full", "maxBytes"]);

/**
 * Checks the options.
 *
 * @throws {HubError} `ERR_HUB_OPTION` with what is wrong, and what to do.
 */
export function checkPresence(options: PresenceOptions, roomNameLength: number): void {
  const { rooms, grace, full, maxBytes } = options;
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) {
    fail(`has the unknown option "${unknown}". The options are ${[...OPTIONS].join(", ")}.`);
  }
  if (!Array.isArray(rooms) || rooms.length === 0 || rooms.some((text) => typeof text !== "string")) {
    fail('needs "rooms", a list of at least one pattern, such as ["lobby", "chat:*"].');
  }
  if (grace !== undefined && !isInteger(grace, 0, DAY)) {
    fail(`needs whole milliseconds from 0 to ${DAY}, a day, as "grace".`);
  }
  if (full !== undefined && !isCount(full)) fail('needs a whole number of users from 1 as "full".');
  if (maxBytes !== undefined && !isInteger(maxBytes, 1, MOST_BYTES)) {
    fail(`needs a whole number of bytes from 1 to ${MOST_BYTES} as "maxBytes".`);
  }
  const earlier: Pattern[] = [];
  for (const text of rooms) {
    const pattern = new Pattern(text);
    const fault = faultOf(pattern, earlier, roomNameLength);
    if (fault !== undefined) fail(fault);
    earlier.push(pattern);
  }
}

function fail(what: string): never {
  throw new HubError("ERR_HUB_OPTION", `The option "presence" of Hub ${what}`);
}
