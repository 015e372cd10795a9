import { HubError } from "../../errors.ts";

/** The error of a second hub that would take what the first on the same server has. `undefined` is any path. */
export function pathTaken(path: string | undefined): HubError {
  const what = path === undefined ? "for any path" : `for the path "${path}"`;
  return new HubError(
    "ERR_HUB_PATH_TAKEN",
    `Another hub on this server was created ${what}. Give each hub a path of its own with the option "path".`,
  );
}
