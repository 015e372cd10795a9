import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, inject } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { blocksOf, fileWrittenBy, readText, type Block } from "../../support/markdown.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { Terminal } from "./terminal.ts";

/** The versions that `npm install NAME` takes in the tests, so that a release of somebody else changes none of them. */
const VERSIONS: Readonly<Record<string, string>> = {
  express: "5.3.0",
  "express-session": "1.19.0",
  jose: "6.2.18",
  passport: "0.7.0",
  "passport-local": "1.0.0",
  typescript: "7.0.2",
  valibot: "1.5.0",
  ws: "8.23.0",
  zod: "4.6.7",
};

/** What the first commands of other projects have made of an empty folder: npm need not do the same again. */
const INSTALLED = new Map<string, TemporaryFolder>();

// Vitest may end its workers without a word.
afterAll(() => {
  for (const folder of INSTALLED.values()) folder.remove();
});

/** The port that the documents name. */
const PORT = /\b8080\b/g;

/** What somebody has before the first command: an empty folder. The package, as it is published, is at hand. */
export class Project {
  readonly port: number;
  readonly #folder = new TemporaryFolder("roomcast-project-");
  readonly #running = new Map<string, Terminal>();
  #last: Terminal | undefined;

  static async create(): Promise<Project> {
    return new Project(await freePort());
  }

  private constructor(port: number) {
    this.port = port;
  }

  get folder(): string {
    return this.#folder.path;
  }

  get url(): string {
    return `http://localhost:${this.port}/`;
  }

  /** The command that was typed last. */
  get last(): Terminal {
    if (this.#last === undefined) throw new Error("No command was typed.");
    return this.#last;
  }

  /** Writes a file of a document, with the project's port for 8080. */
  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.#ported(text));
  }

  /** Runs a command to its end, and checks that it ends well, or that it does not. */
  async type(command: string, fails = false): Promise<void> {
    const isFirst = readdirSync(this.folder).length === 0;
    const installed = isFirst ? INSTALLED.get(command) : undefined;
    if (installed !== undefined) return cpSync(installed.path, this.folder, { recursive: true });
    this.#last = new Terminal(installable(this.#ported(command)), this.folder);
    const code = await this.#last.end();
    if ((code === 0) === fails) throw new Error(`\`${command}\` ended with ${code}: ${this.#last.lines.join("\n")}`);
    if (!isFirst) return;
    const kept = new TemporaryFolder("roomcast-installed-");
    cpSync(this.folder, kept.path, { recursive: true });
    INSTALLED.set(command, kept);
  }

  /** Starts a command that goes on, in the place of what runs in that terminal. */
  async start(command: string, terminal = "server"): Promise<Terminal> {
    await this.#running.get(terminal)?.interrupt();
    const started = new Terminal(this.#ported(command), this.folder);
    this.#running.set(terminal, started);
    this.#last = started;
    return started;
  }

  /** What runs in a terminal. */
  terminal(name = "server"): Terminal {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`Nothing was started in the terminal "${name}".`);
    return running;
  }

  /**
   * Does what a document says, block by block, and checks that what it shows is to be seen:
   *
   * - a language and the name of a file: the file is written;
   * - `sh`: the commands are run to their ends, which must be good, or not so with `sh fails`;
   * - `sh running`, with the name of a terminal if it is not `server`: the command goes on;
   * - `text`: all that the command before has printed, or what it prints next if it goes on; with the name of a terminal,
   *   what is printed there.
   *
   * Blocks of other kinds are no steps.
   *
   * @param checks - what else is to be seen at the ends of the sections with these headings of the second level; "" is the
   * section above the first one.
   * @param last - the heading of the last section that is followed; all are without it.
   */
  async follow(path: string, checks: Readonly<Record<string, () => Promise<void>>> = {}, last?: string): Promise<void> {
    const pending = new Map(Object.entries(checks));
    for (const [heading, blocks] of sectionsOf(path)) {
      for (const block of blocks) await this.#step(block);
      await pending.get(heading)?.();
      pending.delete(heading);
      if (heading === last) break;
    }
    if (pending.size > 0) throw new Error(`${path} has no code under ${[...pending.keys()].join(", ")}.`);
  }

  /** Ends what runs and removes everything. */
  async remove(): Promise<void> {
    await Promise.all(Array.from(this.#running.values(), (terminal) => terminal.interrupt()));
    this.#folder.remove();
  }

  async #step(block: Block): Promise<void> {
    const [kind, mark = "", name] = block.info;
    const { text } = block;
    const file = fileWrittenBy(block);
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (file !== undefined) this.write(file, text);
    else if (kind === "sh" && mark === "running") await this.start(text.trim(), name);
    else if (kind === "sh") for (const line of lines) await this.type(line, mark === "fails");
    else if (kind === "text") {
      const expected = lines.map((line) => this.#ported(line));
      const terminal = mark === "" ? this.last : this.terminal(mark);
      if (Array.from(this.#running.values()).includes(terminal)) await terminal.shows(expected);
      else terminal.hasShown(expected);
    }
  }

  #ported(text: string): string {
    return text.replaceAll(PORT, String(this.port));
  }
}

/** An `npm install` of the package itself, packed, and of the others in the versions of the tests. */
function installable(command: string): string {
  if (!command.startsWith("npm install ")) return command;
  const words = command.split(" ").slice(2);
  const names = words.map((word) => {
    if (word.startsWith("-")) return word;
    if (word === "roomcast") return inject("packed");
    const version = VERSIONS[word];
    if (version === undefined) throw new Error(`${word} has no version in ${import.meta.url}.`);
    return `${word}@${version}`;
  });
  return ["npm", "install", ...names].join(" ");
}

/** The code blocks of a document by the heading of the second level that they stand under. */
function sectionsOf(path: string): ReadonlyMap<string, readonly Block[]> {
  const lines = readText(path).split("\n");
  const sections = new Map<string, Block[]>();
  for (const block of blocksOf(path)) {
    const above = lines.slice(0, block.line).findLast((line) => line.startsWith("## "));
    const heading = above?.slice("## ".length) ?? "";
    const section = sections.get(heading);
    if (section === undefined) sections.set(heading, [block]);
    else section.push(block);
  }
  return sections;
}
