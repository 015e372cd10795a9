import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { blocksOf } from "../../support/markdown.ts";
import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "../engines/process.ts";

export type ProxyName = "nginx" | "haproxy" | "caddy";

export const PROXIES: readonly ProxyName[] = ["nginx", "haproxy", "caddy"];

const FIXTURES = new URL("../../support/fixtures/", import.meta.url);

/** The certificate of `localhost` that the proxies have, and its key. */
export const CERTIFICATE: string = await readFile(new URL("cert.pem", FIXTURES), "utf8");
const KEY = await readFile(new URL("key.pem", FIXTURES), "utf8");

const LANGUAGES: Readonly<Record<ProxyName, string>> = { nginx: "nginx", haproxy: "haproxy", caddy: "caddyfile" };

/** The configuration of this name in docs/PROXIES.md. */
export function printed(proxy: ProxyName, name: string): string {
  const block = blocksOf("docs/PROXIES.md").find(({ info }) => info[0] === LANGUAGES[proxy] && info[1] === name);
  if (block === undefined) throw new Error(`docs/PROXIES.md has no configuration "${LANGUAGES[proxy]} ${name}".`);
  return block.text;
}

/** Replaces text that has to be there. */
export function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`The configuration has no "${from}":\n${changed}`);
    return changed.replaceAll(from, to);
  }, text);
}

/** Where a configuration finds what it names. */
export interface Surroundings {
  /** The port that the proxy listens on. */
  readonly port: number;
  /** The folder with `chat.example.pem`, `chat.example.key` and, joined, `both.pem`. */
  readonly folder: string;
}

/** A proxy in a process of its own, on a free port of the loopback address, until the test ends. */
export class ReverseProxy {
  readonly port: number;
  /** The folder of {@link Surroundings}. */
  readonly folder: string;

  static async start(proxy: ProxyName, configuration: (where: Surroundings) => string): Promise<ReverseProxy> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), `${proxy}-`));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, "chat.example.pem"), CERTIFICATE);
    await writeFile(join(folder, "chat.example.key"), KEY);
    await writeFile(join(folder, "both.pem"), CERTIFICATE + KEY);
    const file = join(folder, "configuration");
    await writeFile(file, SURROUNDED[proxy](configuration({ port, folder }), folder));
    const [command, ...args] = COMMANDS[proxy](file, folder);
    const process = await EngineProcess.start(command, args, port, { HOME: folder });
    onTestFinished(() => process.kill());
    return new ReverseProxy(port, folder);
  }

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }
}

const COMMANDS: Readonly<Record<ProxyName, (file: string, folder: string) => [command: string, ...string[]]>> = {
  nginx: (file, folder) => ["/usr/sbin/nginx", "-p", folder, "-e", join(folder, "error.log"), "-c", file],
  haproxy: (file) => ["/usr/sbin/haproxy", "-db", "-f", file],
  caddy: (file) => ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", file],
};

/** What a configuration needs around it to run in one process, as any user, without a trace elsewhere. */
const SURROUNDED: Readonly<Record<ProxyName, (text: string, folder: string) => string>> = {
  nginx: (text, folder) => `
daemon off;
master_process off;
pid ${folder}/pid;
events {}
http {
access_log off;
${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n")}
types { text/html html; }
${text}
}
`,
  haproxy: (text) => text,
  caddy: (text) => `
{
	admin off
	auto_https off
	servers {
		protocols h1 h2
	}
}
${text}
`,
};

/** The changes with which a printed configuration with TLS serves two hubs of this machine on a free port. */
export function served(proxy: ProxyName, hubs: readonly [number, number]) {
  return ({ port, folder }: Surroundings): string => {
    const [one, two] = hubs;
    const nodes = [
      ["127.0.0.1:8080", `127.0.0.1:${one}`],
      ["127.0.0.1:8081", `127.0.0.1:${two}`],
    ] as const;
    const own = {
      nginx: [
        ["listen 443 ", `listen 127.0.0.1:${port} `],
        ["/etc/ssl", folder],
        ["/srv/www", folder],
      ],
      haproxy: [
        ["bind :443 ", `bind 127.0.0.1:${port} `],
        ["/etc/ssl/chat.example.pem", `${folder}/both.pem`],
      ],
      caddy: [
        [
          "chat.example {",
          `https://chat.example:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/chat.example.pem ${folder}/chat.example.key`,
        ],
      ],
    } as const;
    return replaced(printed(proxy, "full"), [...own[proxy], ...nodes]);
  };
}
