import { HubError } from "../../errors.ts";

/**
 * Checks that the factory of a transport was given an object with these options.
 *
 * @throws {HubError} `ERR_HUB_OPTION`: `ws(server)` instead of `ws({ server })` is an easy mistake, after which the
 *   transport would otherwise open a server of its own.
 */
export function checkFactoryOptions(factory: string, names: readonly string[], options: object): void {
  if (isPlain(options) && Object.keys(options).every((key) => names.includes(key))) return;
  throw new HubError(
    "ERR_HUB_OPTION",
    `${factory}() takes an object with one option at most: ${names.map((name) => `${factory}({ ${name} })`).join(" or ")}.`,
  );
}

/** An app of uWebSockets.js is an object without properties of its own: its methods lie in its prototype. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
