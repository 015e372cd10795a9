import { createRequire } from "node:module";
import { HubError, type HubErrorCode } from "../errors.ts";

/** What a caller is told when an optional package cannot be loaded. */
export interface LoadingAdvice {
  readonly code: HubErrorCode;

  /**
   * Says what is wrong and what to do.
   *
   * @param isInstalled - whether the package is installed, but fails to load.
   */
  readonly message: (isInstalled: boolean) => string;
}

/**
 * Loads a package that only some applications install. It loads synchronously, so that the caller can throw.
 *
 * @throws {HubError} with the code and the message of the advice, and the loader's error as its cause.
 */
export function loadPackage(name: string, { code, message }: LoadingAdvice): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (cause) {
    const isInstalled = (cause as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND";
    throw new HubError(code, message(isInstalled), { cause });
  }
}
