import { HubError } from "../../errors.ts";

/**
 * Checks that the factory of a transport was given an object with one option at most.
 *
 * @throws {HubError} `ERR_HUB_OPTION`: `ws(server)` instead of `ws({ server })` is an easy mistake, after which the
 *   transport would otherwise open a server of its own.
 */
export function checkFactoryOptions(factory: string, option: string, options: object): void {
  const isOptions =
    typeof options === "object" && options !== null && Object.keys(options).every((key) => key === option);
  if (!isOptions) {
    throw new HubError(
      "ERR_HUB_OPTION",
      `${factory}() takes an object with one option at most: ${factory}({ ${option} }).`,
    );
  }
}
