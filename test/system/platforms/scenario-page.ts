import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const PROJECT = new URL("../../..", import.meta.url);

/** The modules of the page, by their names: the package as it was built, without a bundler. */
const IMPORTS: Readonly<Record<string, string>> = {
  "roomcast/client": "/dist/client/index.js",
  "roomcast/msgpack": "/dist/msgpack/index.js",
  msgpackr: "/node_modules/msgpackr/index.js",
};

const PAGE = `<!doctype html><title>Scenario</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;

/** What a page evaluates to play the scenario: a promise of the journal as JSON. */
export function playing(urls: object): string {
  const module = "/test/system/platforms/scenario.mjs";
  return `import("${module}").then(({ play }) => play(${JSON.stringify(urls)})).then(JSON.stringify)`;
}

/** Serves the page in which browsers play the scenario. */
export class ScenarioPage {
  readonly #server: Server;

  static async serve(): Promise<ScenarioPage> {
    const server = createServer(({ url = "/" }, response) => {
      if (url === "/") response.setHeader("Content-Type", "text/html").end(PAGE);
      else {
        try {
          response.setHeader("Content-Type", "text/javascript");
          response.end(readFileSync(fileURLToPath(new URL(`.${url}`, PROJECT))));
        } catch {
          response.writeHead(404).end();
        }
      }
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScenarioPage(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
