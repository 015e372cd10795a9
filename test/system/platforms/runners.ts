import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launchBrowser } from "../browser/browser.ts";
import { installedProgram } from "../installed-program.ts";
import { Firefox } from "./firefox.ts";
import type { CommandLine, Platform } from "./platforms.ts";
import { playing, ScenarioPage } from "./scenario-page.ts";
import type { ScenarioUrls } from "./scenario-server.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs a program to its end. */
const execute = promisify(execFile);

/** The time after which a program is killed and thereby fails, in milliseconds. */
const PATIENCE = 100_000;

/** Something that plays the scenario on a platform, as often as it is asked. */
export interface Runner {
  /** Resolves with the journal. */
  play(urls: ScenarioUrls): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Starts what the platform needs, or returns why it cannot run on this machine, as a text.
 *
 * @throws {Error} with the command that installs it, if it is missing.
 */
export async function startRunner({ runner }: Platform): Promise<Runner | string> {
  if (runner === "Chromium") return startChromium();
  if (runner === "Firefox") return startFirefox();
  return startCommandLine(runner);
}

async function startChromium(): Promise<Runner> {
  const page = await ScenarioPage.serve();
  const browser = await launchBrowser();
  return {
    async play(urls) {
      const context = await browser.newContext();
      const tab = await context.newPage();
      await tab.goto(page.url);
      const journal = await tab.evaluate<string>(playing(urls));
      await context.close();
      return JSON.parse(journal);
    },
    async close() {
      await browser.close();
      page.close();
    },
  };
}

async function startFirefox(): Promise<Runner> {
  const page = await ScenarioPage.serve();
  const firefox = await Firefox.launch();
  return {
    play: async (urls) => JSON.parse(await firefox.evaluate(page.url, playing(urls))),
    async close() {
      await firefox.close();
      page.close();
    },
  };
}

async function startCommandLine({
  package: from,
  program = "",
  before = [],
  behind = [],
}: CommandLine): Promise<Runner | string> {
  const command = from === undefined ? process.execPath : await installedProgram(from, program);
  try {
    await execute(command, ["--version"]);
  } catch (error) {
    return String(error);
  }
  const folder = mkdtempSync(join(tmpdir(), "roomcast-platform-"));
  install(folder);
  return {
    async play(urls) {
      const args = [...before, "command-line.mjs", JSON.stringify(urls), ...behind];
      const { stdout } = await execute(command, args, { cwd: folder, timeout: PATIENCE });
      return JSON.parse(stdout);
    },
    async close() {
      rmSync(folder, { recursive: true });
    },
  };
}

/** Makes the folder of an application that has the package as it was built, and `ws`. */
function install(folder: string): void {
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  for (const name of ["scenario.mjs", "command-line.mjs", "react-native.mjs"]) {
    copyFileSync(new URL(name, import.meta.url), join(folder, name));
  }
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(PROJECT, join(folder, "node_modules/roomcast"));
  symlinkSync(join(PROJECT, "node_modules/ws"), join(folder, "node_modules/ws"));
}
