import { execFile } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, onTestFinished } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { freePort } from "../../support/free-port.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { ProcessGroup } from "../process-group.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/frameworks", import.meta.url));

/** What somebody who tries the example may have left in its folder. */
const LEFT_BEHIND = new Set(["node_modules", "package-lock.json", "dist", "build", ".next", ".svelte-kit"]);

/** How long an example may take to install or to start on a busy machine, in milliseconds. */
export const PATIENCE = 300_000;

/** What no example prints while all is well. */
export const UNEXPECTED: RegExp = /ERR_|HUB_|Warning|Error/;

/** An example of `examples/frameworks` that runs until the test ends. */
export interface Running {
  readonly port: number;
  readonly url: string;
  readonly program: ProcessGroup;
}

/** A copy of an example of `examples/frameworks`, installed as its users do it, with the packed package. */
export class Example {
  readonly #folder = new TemporaryFolder("roomcast-framework-");

  /** @param name - the example's folder. */
  static async install(name: string): Promise<Example> {
    const example = new Example();
    cpSync(join(EXAMPLES, name), example.folder, {
      recursive: true,
      filter: (path) => !LEFT_BEHIND.has(basename(path)),
    });
    await example.npm("install", "--no-audit", "--no-fund", "--prefer-offline", inject("packed"));
    return example;
  }

  private constructor() {}

  get folder(): string {
    return this.#folder.path;
  }

  /** Runs npm to its end, for example `npm("run", "build")`. */
  async npm(...args: readonly string[]): Promise<void> {
    await promisify(execFile)("npm", args, { cwd: this.folder, env: { ...process.env, ...VARIABLES } });
  }

  /**
   * Changes a file, for a test of what users may do.
   *
   * @param change - must change something.
   */
  edit(path: string, change: (text: string) => string): void {
    const file = join(this.folder, path);
    const before = readFileSync(file, "utf8");
    const after = change(before);
    if (after === before) throw new Error(`The change of ${path} changes nothing.`);
    writeFileSync(file, after);
    onTestFinished(() => writeFileSync(file, before));
  }

  /**
   * Runs a script of the example until the test ends. The variable `PORT` has the port.
   *
   * @param script - its name in `package.json`.
   */
  async start(script = "start", variables: Readonly<Record<string, string>> = {}): Promise<Running> {
    const port = await freePort();
    const program = this.run(script, { PORT: String(port), ...variables });
    await program.listening(port);
    return { port, url: `http://localhost:${port}`, program };
  }

  /** Runs a script of the example, which may end at once, until the test ends. */
  run(script: string, variables: Readonly<Record<string, string>>): ProcessGroup {
    const program = new ProcessGroup("npm", ["run", script], this.folder, { ...VARIABLES, ...variables });
    onTestFinished(() => program.stop());
    return program;
  }

  remove(): void {
    this.#folder.remove();
  }
}

const VARIABLES = { NEXT_TELEMETRY_DISABLED: "1", npm_config_update_notifier: "false" };

/**
 * Opens a page of the chat, until the test ends, and waits until it is in the room: its button "Send" is then enabled.
 */
export async function openPage(browser: Browser, url: string, options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(url, { timeout: PATIENCE });
  await page.getByRole("button", { name: "Send" }).and(page.locator(":enabled")).waitFor({ timeout: PATIENCE });
  return page;
}

/** Sends a message from the first of these pages, and waits until all of them show it once. */
export async function expectChat(pages: readonly [Page, ...Page[]], text: string): Promise<void> {
  await pages[0].getByRole("textbox").fill(text);
  await pages[0].getByRole("button", { name: "Send" }).click();
  for (const page of pages) {
    await expect.poll(() => page.getByRole("listitem").filter({ hasText: text }).count()).toBe(1);
  }
}

/** Opens two pages of the chat that runs at a URL, and has each send a message that both show. */
export async function expectTwoPagesToChat(browser: Browser, url: string): Promise<readonly [Page, Page]> {
  const [ann, bob] = [await openPage(browser, url), await openPage(browser, url)];
  await expectChat([ann, bob], "Hello from Ann");
  await expectChat([bob, ann], "Hello from Bob");
  return [ann, bob];
}
