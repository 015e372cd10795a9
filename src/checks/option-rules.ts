import { HubError } from "../errors.ts";

/** The longest delay that a Node timer can wait, in milliseconds; a longer one would fire at once. */
export const MAX_DELAY = 2_147_483_647;

/** The largest size in bytes that both transports can count. */
export const MAX_BYTES = 2_147_483_647;

/** The rule of an option: the requirement, as the end of a sentence, and the test of a value. */
export type Rule = readonly [must: string, test: (value: unknown) => boolean];

/**
 * Checks the given options, each against its rule. An option that is `undefined` counts as absent.
 *
 * @param whose - whose options they are: the end of the sentence "an option of …".
 * @returns the options that were given.
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

/** One option of a part of the hub. */
interface Option<V> {
  /** The value of an option that is not given. */
  readonly default: V;
  readonly rule: Rule;
  /** Whether an object may be given in part: missing properties keep their defaults. */
  readonly isPartial?: true;
}

/** The options that a part obeys, by the names of its settings. */
export type Options<S> = { readonly [K in keyof S]-?: Option<S[K]> };

/** The options that users give for settings: any of them may be absent. */
export type Given<S> = { -readonly [K in keyof S]?: S[K] | undefined };

/**
 * Returns the settings that result from the given options: each option checked, the defaults filled in.
 *
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function resolveOptions<S>(given: unknown, options: Options<S>, whose: string): S {
  const known = Object.entries<Option<unknown>>(options);
  const checked = checkOptions(given, Object.fromEntries(known.map(([name, { rule }]) => [name, rule])), whose);
  const settings = known.map(([name, { default: usual, isPartial }]) => {
    const value = checked[name];
    if (value === undefined) return [name, usual];
    return [name, isPartial === true ? { ...(usual as object), ...withoutUndefined(value as object) } : value];
  });
  return Object.fromEntries(settings) as S;
}

/** Returns the object without properties that are `undefined`, which count as absent. */
function withoutUndefined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

export function isFunction(value: unknown): boolean {
  return typeof value === "function";
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

/** Returns whether a timer can wait for this number of milliseconds. */
export function isDelay(value: unknown): boolean {
  return isInteger(value, 0, MAX_DELAY);
}

export function isCount(value: unknown): boolean {
  return isInteger(value, 1, Number.MAX_SAFE_INTEGER);
}

export function hasFunctions(value: unknown, ...names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === "function");
}
