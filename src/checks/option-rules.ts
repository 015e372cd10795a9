import { HubError } from "../errors.ts";

/** The longest delay that a Node timer can wait, in milliseconds; a longer one would fire at once. */
export const MAX_DELAY = 2_147_483_647;

/** What an option must be, as the end of a sentence, and the test. */
export type Rule = readonly [must: string, test: (value: unknown) => boolean];

/**
 * The options that were given, each checked against its rule. One that is `undefined` counts as absent.
 *
 * @param whose - the end of the sentence "an option of …".
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function checkOptions(
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
  whose: string,
): Record<string, unknown> {
  if (!isObject(options)) throw new HubError("ERR_HUB_OPTION", `The options of ${whose} must be an object.`);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const names = Object.keys(rules).join(", ");
      throw new HubError("ERR_HUB_OPTION", `Unknown option "${name}" of ${whose}. The options are ${names}.`);
    }
    const [must, test] = rule;
    if (!test(value)) throw new HubError("ERR_HUB_OPTION", `The option "${name}" of ${whose} must be ${must}.`);
  }
  return Object.fromEntries(given);
}

/** The same without what is `undefined`, which counts as absent. */
export function withoutUndefined<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;
}

export function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

export function isInteger(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** Whether a timer can wait so many milliseconds. */
export function isDelay(value: unknown): boolean {
  return isInteger(value, 0, MAX_DELAY);
}

export function isCount(value: unknown): boolean {
  return isInteger(value, 1, Number.MAX_SAFE_INTEGER);
}

export function hasFunctions(value: unknown, ...names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === "function");
}
