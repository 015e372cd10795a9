import { execFile } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TemporaryFolder } from "../../support/temporary-folder.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** What `npm run docs` works with, beside the documents at the root. */
const NEEDED = ["docs", "package.json", "scripts", "src", "tsconfig.build.json", "tsconfig.json"];

/** What `npm run docs` makes in `docs`. */
const MADE = /^docs\/(?:node_modules|project|reference|\.vitepress\/(?:cache|dist))$/;

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".woff2": "font/woff2",
};

/** The site, built by `npm run docs` in a copy of the project, and a server that has its files and nothing else. */
export class Site {
  readonly #folder = new TemporaryFolder("roomcast-site-");
  readonly #server: Server;

  static async build(): Promise<Site> {
    const site = new Site();
    await site.run("npm", "run", "docs");
    await once(site.#server.listen(0, "127.0.0.1"), "listening");
    return site;
  }

  private constructor() {
    const documents = readdirSync(PROJECT).filter((name) => name.endsWith(".md"));
    for (const name of [...NEEDED, ...documents]) {
      cpSync(join(PROJECT, name), join(this.#folder.path, name), {
        recursive: true,
        filter: (path) => !MADE.test(relative(PROJECT, path)),
      });
    }
    symlinkSync(join(PROJECT, "node_modules"), join(this.#folder.path, "node_modules"));
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "", "http://127.0.0.1");
      const path = pathname.replace(/\/$/, "/index.html");
      readFile(join(this.#built, path)).then(
        (bytes) => response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
  }

  /** The address of the first page, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The addresses of all pages, without that of the site. */
  get pages(): readonly string[] {
    const names = readdirSync(this.#built, { recursive: true, encoding: "utf8" });
    return names.filter((name) => name.endsWith(".html") && name !== "404.html").map((name) => `/${name}`);
  }

  /** Runs a program in the copy of the project, and returns what it prints. It fails with what it has printed. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program, args, { cwd: this.#folder.path });
    return stdout;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
    this.#folder.remove();
  }

  get #built(): string {
    return join(this.#folder.path, "docs/.vitepress/dist");
  }
}
