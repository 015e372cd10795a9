import { HubError } from "../../errors.ts";

/**
 * Creates the error of a hub whose path another hub on the same server has already.
 *
 * @param path - the path, or `undefined` where both hubs take any.
 */
export function pathTaken(path: string | undefined): HubError {
  const what = path === undefined ? "for any path" : `for the path "${path}"`;
  return new HubError(
    "ERR_HUB_PATH_TAKEN",
    `Another hub on this server was created ${what}. Give each hub a path of its own with the option "path".`,
  );
}
