import { hasFunctions, isCount, isInteger, isObject, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import { faultOf, Pattern } from "../rooms/pattern.ts";

/** The rule for the record of each room that a pattern matches. */
export interface HistoryRule {
  /** The most events that are kept of a room. */
  readonly size: number;
  /** The time without an event after which the events of a room are forgotten, in milliseconds. */
  readonly age: number;
  /**
   * What a member gets that joins without a position: so many of the last events, or with `"latest"` the newest event of
   * each key of {@link Target.latest}. Default: nothing.
   */
  readonly replay?: number | "latest" | undefined;
  /**
   * Which events are kept: `"all"`, or with `"latest"` of those with the same key of {@link Target.latest} the newest.
   * Default: `"all"`.
   */
  readonly keep?: "all" | "latest" | undefined;
  /**
   * With a backplane, what becomes of an event while the engine is away. `"wait"`: it is late, and nobody gets it before the
   * engine has it. `"local"`: the members of this node get it now; it is not recorded, the others do not get it, and
   * all members are told of a gap when the engine is back. Default: `"wait"`.
   */
  readonly outage?: "wait" | "local" | undefined;
}

/** The rooms of which the hub keeps a record, and the bounds of these records. */
export interface HistoryOptions {
  /**
   * The rules by pattern of names. A `*` stands for any text, also for none. The first pattern that matches a room counts;
   * a room that none matches is not recorded.
   */
  readonly rooms: Readonly<Record<string, HistoryRule>>;
  /**
   * The most memory that the records of all rooms take, in bytes. Above, the oldest events of the room go first in which
   * nothing was sent for the longest time. Default: 64 MiB.
   */
  readonly maxBytes?: number | undefined;
}

/** The setting of the records of rooms. */
export interface HistorySettings {
  /**
   * The rooms of which the hub keeps a record, so that a client that was away gets what it missed. Default: none.
   *
   * @example
   * const hub = new Hub({ history: { rooms: { "chat:*": { size: 1_000, age: 3_600_000 } } } });
   */
  readonly history: HistoryOptions | undefined;
}

export const historyOptions: Options<HistorySettings> = {
  history: { default: undefined, rule: ["an object { rooms, maxBytes }: see HistoryOptions", isObject] },
};

/** What the rules have to go together with. */
interface Surroundings {
  readonly backplane: unknown;
  readonly roomNameLength: number;
}

const OPTIONS = new Set(["rooms", "maxBytes"]);
const RULE = new Set(["size", "age", "replay", "keep", "outage"]);

/**
 * Checks the rules.
 *
 * @throws {HubError} `ERR_HUB_OPTION` with what is wrong, and what to do.
 */
export function checkHistory(history: HistoryOptions, { backplane, roomNameLength }: Surroundings): void {
  if (backplane !== undefined && !hasFunctions(logOf(backplane), "append", "read", "heads", "forget")) {
    fail('needs a backplane with a "log", and that of the option "backplane" has none. Leave out one of the two.');
  }
  const { rooms, maxBytes } = history;
  refuseUnknown(history, OPTIONS, "has");
  if (!isObject(rooms) || Object.keys(rooms).length === 0) {
    fail('needs "rooms", an object with at least one rule, such as { "chat:*": { size: 1_000, age: 3_600_000 } }.');
  }
  if (maxBytes !== undefined && !isCount(maxBytes)) fail('needs a whole number of bytes from 1 as "maxBytes".');
  const earlier: Pattern[] = [];
  for (const [text, rule] of Object.entries(rooms)) {
    const pattern = new Pattern(text);
    const fault = faultOf(pattern, earlier, roomNameLength);
    if (fault !== undefined) fail(fault);
    checkRule(text, rule, backplane !== undefined);
    earlier.push(pattern);
  }
}

function checkRule(pattern: string, rule: unknown, hasBackplane: boolean): void {
  if (!isObject(rule)) fail(`needs an object as the rule "${pattern}", such as { size: 1_000, age: 3_600_000 }.`);
  refuseUnknown(rule, RULE, `has in the rule "${pattern}"`);
  const { size, age, replay, keep, outage } = rule;
  if (!isCount(size)) {
    fail(`needs "size" in the rule "${pattern}": the number of events that are kept of a room, a whole number from 1.`);
  }
  if (!isInteger(age, 1, MAX_DELAY)) {
    fail(
      `needs "age" in the rule "${pattern}": the time without an event after which those of a room are forgotten, in ` +
        `whole milliseconds from 1 to ${MAX_DELAY}.`,
    );
  }
  if (replay !== undefined && replay !== "latest" && !isInteger(replay, 1, size as number)) {
    fail(`has a "replay" in the rule "${pattern}" that is neither "latest" nor a whole number from 1 to its "size".`);
  }
  if (keep !== undefined && keep !== "all" && keep !== "latest") {
    fail(`has a "keep" in the rule "${pattern}" that is neither "all" nor "latest".`);
  }
  if (outage !== undefined && outage !== "wait" && outage !== "local") {
    fail(`has an "outage" in the rule "${pattern}" that is neither "wait" nor "local".`);
  }
  if (outage !== undefined && !hasBackplane) {
    fail(`has an "outage" in the rule "${pattern}", which needs the option "backplane". Leave it out.`);
  }
}

function logOf(backplane: unknown): unknown {
  return (backplane as { readonly log?: unknown }).log;
}

function refuseUnknown(options: object, known: ReadonlySet<string>, where: string): void {
  const unknown = Object.keys(options).find((name) => !known.has(name));
  if (unknown === undefined) return;
  fail(`${where} the unknown option "${unknown}". The options are ${[...known].join(", ")}.`);
}

function fail(what: string): never {
  throw new HubError("ERR_HUB_OPTION", `The option "history" of Hub ${what}`);
}
