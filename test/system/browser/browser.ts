import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/** Where Debian puts it. The tests use the system's browser, so that nothing is downloaded from elsewhere. */
const CHROMIUM = "/usr/bin/chromium";

/**
 * Starts a Chromium without a window. Close it in `afterAll`.
 *
 * @param more - arguments of the command line, beside the usual ones.
 * @param less - those of Playwright's that are left out.
 * @throws {Error} with the command that installs it, if it is missing.
 */
export async function launchBrowser(more: readonly string[] = [], less: readonly string[] = []): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `The browser tests need ${CHROMIUM}, which is not there. ` +
        "Install it with `sudo apt-get install -y chromium`, or run `npm run setup`.",
    );
  }
  return chromium.launch({
    executablePath: CHROMIUM,
    ignoreDefaultArgs: [...less],
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-gpu",
      "--no-first-run",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}
