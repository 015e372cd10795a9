import { createRequire } from "node:module";
import type { HubError } from "../errors.ts";

/**
 * Loads a package that only some applications install. It loads synchronously, so that the caller can throw.
 *
 * @param advice - creates the error for a package that cannot be loaded: from the loader's error, and from whether the
 *   package is installed at all.
 * @throws {HubError} the error of `advice`.
 */
export function loadPackage(name: string, advice: (cause: unknown, isInstalled: boolean) => HubError): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (cause) {
    throw advice(cause, (cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND");
  }
}
