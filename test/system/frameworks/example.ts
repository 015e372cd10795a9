import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, onTestFinished } from "vitest";
import type { Browser, Page } from "playwright-core";
import { CERT_FILE, KEY_FILE } from "../../support/certificate.ts";
import { exampleFiles, exampleFolder } from "../../support/framework-examples.ts";
import { freePort } from "../../support/free-port.ts";
import { blocksOf } from "../../support/markdown.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { launchBrowser } from "../browser/browser.ts";
import { ProcessGroup } from "../process-group.ts";

/** How long an example may take to install or to start on a busy machine, in milliseconds. */
export const PATIENCE = 300_000;

/** What no example prints while all is well. */
export const UNEXPECTED: RegExp = /ERR_|HUB_|Warning|Error/;

/** How long a page may take to come and to be in the room. It fails before its test does, which then says where. */
const LOADING = 120_000;

const VARIABLES = { NEXT_TELEMETRY_DISABLED: "1", npm_config_update_notifier: "false" };

/** A program of an example, which listens. */
export interface Running {
  readonly port: number;
  readonly url: string;
  readonly program: ProcessGroup;
}

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A copy of an example of `examples/frameworks`, installed as its users do it, with the packed package. */
export class Example {
  readonly #name: string;
  readonly #folder = new TemporaryFolder("roomcast-framework-");

  /** @param name - the example's folder. */
  static async install(name: string): Promise<Example> {
    const example = new Example(name);
    for (const path of exampleFiles(name)) cpSync(join(exampleFolder(name), path), join(example.folder, path));
    await example.#install(inject("packed"));
    return example;
  }

  /**
   * An application that has no chat yet: what the example has without roomcast, but for the files that are given, and
   * for the scripts. {@link addChat} makes the example of it.
   */
  static async installWithoutChat(
    name: string,
    files: Readonly<Record<string, string>>,
    scripts: Readonly<Record<string, string>>,
  ): Promise<Example> {
    const example = new Example(name);
    const { roomcast: _, ...dependencies } = example.#manifest.dependencies;
    example.write("package.json", JSON.stringify({ ...example.#manifest, scripts, dependencies }));
    for (const [path, text] of Object.entries(files)) example.write(path, text);
    await example.#install();
    return example;
  }

  private constructor(name: string) {
    this.#name = name;
  }

  get folder(): string {
    return this.#folder.path;
  }

  /**
   * Adds the chat to an application without one: installs roomcast, and makes the files those of the example.
   *
   * @returns the number of lines that a user writes for that, by file.
   */
  async addChat(): Promise<Readonly<Record<string, number>>> {
    await this.#install(inject("packed"));
    const { scripts, ...manifest } = JSON.parse(this.#read("package.json")) as Manifest;
    this.write("package.json", JSON.stringify({ ...manifest, scripts: this.#manifest.scripts }));
    const changed = Object.entries(this.#manifest.scripts).filter(([name, script]) => scripts[name] !== script);
    const lines: Record<string, number> = { "package.json": changed.length };
    for (const path of exampleFiles(this.#name).filter((file) => file !== "package.json")) {
      lines[path] = addedLines(this.#read(path), this.#original(path));
      this.write(path, this.#original(path));
    }
    return lines;
  }

  /** Gives the application a key and a certificate for localhost, as `key.pem` and `cert.pem`. */
  addCertificate(): void {
    cpSync(KEY_FILE, join(this.folder, "key.pem"));
    cpSync(CERT_FILE, join(this.folder, "cert.pem"));
  }

  /** Runs npm to its end, for example `npm("run", "build")`. */
  async npm(...args: readonly string[]): Promise<void> {
    await promisify(execFile)("npm", args, { cwd: this.folder, env: { ...process.env, ...VARIABLES } });
  }

  /** Writes a file of the example. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /**
   * Changes a file until the test ends, for a test of what users may do.
   *
   * @param change - must change something. A file that is not there is empty.
   */
  edit(path: string, change: (text: string) => string): void {
    const before = this.#read(path);
    const after = change(before);
    if (after === before) throw new Error(`The change of ${path} changes nothing.`);
    this.write(path, after);
    onTestFinished(() => this.write(path, before));
  }

  /**
   * Runs a script of the example until the test ends. The variable `PORT` has the port.
   *
   * @param script - its name in `package.json`.
   */
  async start(script = "start", variables: Readonly<Record<string, string>> = {}): Promise<Running> {
    const port = await freePort();
    const program = this.run(script, { PORT: String(port), ...variables });
    return listening(program, port);
  }

  /** Runs a script of the example, which may end at once, until the test ends. */
  run(script: string, variables: Readonly<Record<string, string>>): ProcessGroup {
    const program = this.#spawn(script, variables);
    onTestFinished(() => program.stop());
    return program;
  }

  /** Runs a script of the example, outside of tests, until a function has resolved. */
  async during<Result>(script: string, body: (running: Running) => Promise<Result>): Promise<Result> {
    const port = await freePort();
    const program = this.#spawn(script, { PORT: String(port) });
    try {
      return await body(await listening(program, port));
    } finally {
      await program.stop();
    }
  }

  /** Resolves with what a script has printed until it has ended, with a port on which the example listens already. */
  async outputOnTakenPort(port: number, script = "start"): Promise<string> {
    const program = this.run(script, { PORT: String(port) });
    await program.ended();
    return program.output;
  }

  remove(): void {
    this.#folder.remove();
  }

  #spawn(script: string, variables: Readonly<Record<string, string>>): ProcessGroup {
    return new ProcessGroup("npm", ["run", script], this.folder, { ...VARIABLES, ...variables });
  }

  get #manifest(): Manifest {
    return JSON.parse(this.#original("package.json")) as Manifest;
  }

  #original(path: string): string {
    return readFileSync(join(exampleFolder(this.#name), path), "utf8");
  }

  #read(path: string): string {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  async #install(...packages: readonly string[]): Promise<void> {
    await this.npm("install", "--no-audit", "--no-fund", "--prefer-offline", ...packages);
  }
}

async function listening(program: ProcessGroup, port: number): Promise<Running> {
  await program.listening(port);
  return { port, url: `http://localhost:${port}`, program };
}

/** A code block of an example's page in `docs/frameworks`, by the word after its language. */
export function documented(name: string, mark: string): string {
  const path = `docs/frameworks/${name}.md`;
  const found = blocksOf(path).find(({ info }) => info[1] === mark);
  if (found === undefined) throw new Error(`${path} has no block "${mark}".`);
  return found.text;
}

/** The number of lines of a text that another text does not have, without blank ones. */
function addedLines(before: string, after: string): number {
  const had = before.split("\n");
  return after.split("\n").filter((line) => {
    const at = had.indexOf(line);
    if (at !== -1) had.splice(at, 1);
    return at === -1 && line.trim() !== "";
  }).length;
}

/**
 * Opens a page of the chat, until the test ends, and waits until it is in the room: its button "Send" is then enabled.
 */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  // The certificate of the tests signs itself.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(url, { timeout: LOADING });
  await page.getByRole("button", { name: "Send" }).and(page.locator(":enabled")).waitFor({ timeout: LOADING });
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
  const [ann, bob] = await Promise.all([openPage(browser, url), openPage(browser, url)]);
  await expectChat([ann, bob], "Hello from Ann");
  await expectChat([bob, ann], "Hello from Bob");
  return [ann, bob];
}

/** What the tests of a file share: an example that is installed, and a browser. */
export interface ExampleFixture {
  readonly example: Example;
  readonly browser: Browser;
}

/** Installs an example and launches a browser before the tests of a file begin, and removes both when they have ended. */
export function fixtureOf(name: string): ExampleFixture {
  let [example, browser]: [Example?, Browser?] = [];
  beforeAll(async () => {
    [example, browser] = await Promise.all([Example.install(name), launchBrowser()]);
  }, PATIENCE);
  afterAll(async () => {
    await browser?.close();
    example?.remove();
  }, PATIENCE);
  return {
    get example() {
      return example as Example;
    },
    get browser() {
      return browser as Browser;
    },
  };
}
