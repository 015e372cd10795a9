import type { TrustProxy } from "roomcast";
import { describe, expect, test } from "vitest";
import { codesIn, sectionOf, tablesOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { upgradeStatus } from "../../support/ws-client.ts";
import { collectWarnings } from "../../support/warnings.ts";
import { seen, startHub } from "./hubs.ts";
import { ReverseProxy } from "./reverse-proxy.ts";

const [table = []] = tablesOf(sectionOf("docs/PROXIES.md", "The host of the page"));
const ROWS = table.map(([lines = "", ...answers]) => ({ lines: codesIn(lines), answers: answers.map(Number) }));

/** Starts nginx with these lines in front of a hub. */
async function start(hub: number, lines: readonly string[]): Promise<number> {
  const { port } = await ReverseProxy.start(
    "nginx",
    (where) => `
upstream hub { server 127.0.0.1:${hub}; }
server {
  listen 127.0.0.1:${where.port};
  server_name hub.example;
  location / {
    proxy_pass http://hub;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    ${lines.join("\n    ")}
  }
}`,
  );
  return port;
}

describe.each(TRANSPORTS)("a page's host behind nginx, on %s", (transport) => {
  test("the table has rows", () => {
    expect(ROWS.length).toBeGreaterThan(5);
  });

  test.each(ROWS)("with $lines is let in or refused as the table says", async ({ lines, answers }) => {
    const has = (header: string): boolean => lines.some((line) => line.includes(` ${header} `));
    const statuses: (number | undefined)[] = [];
    for (const trustProxy of [undefined, 1]) {
      const { hub, port: hubPort } = await startHub(transport, { trustProxy });
      hub.on("refusal", () => {});
      const port = await start(hubPort, lines);
      // Without a line about the host, the hub knows none but the name in `proxy_pass`.
      const ownName = has("Host") || (has("X-Forwarded-Host") && trustProxy === 1) ? 403 : 101;
      const at = (origin: string, host: string): Promise<number | undefined> =>
        upgradeStatus(`ws://127.0.0.1:${port}/`, { headers: { host, origin } });
      statuses.push(await at("https://chat.example", "chat.example"));
      statuses.push(await at(`https://chat.example:${port}`, `chat.example:${port}`));
      for (const host of ["chat.example", `chat.example:${port}`]) {
        for (const origin of ["https://evil.example", `https://chat.example.evil.example:${port}`, "http://hub"]) {
          expect(await at(origin, host)).toBe(origin === "http://hub" ? ownName : 403);
        }
      }
    }
    expect(statuses).toEqual(answers);
  });

  test.each([
    ["no line", [], '"hub"', "$http_host"],
    ["a host without its port", ["proxy_set_header Host $host;"], '"chat.example"', "Only the port differs"],
    ["a header that is not trusted", ["proxy_set_header X-Forwarded-Host $http_host;"], '"hub"', '"trustProxy"'],
  ])("with %s is refused with a warning that says what to do", async (_name, lines, host, advice) => {
    const warnings = collectWarnings();
    const { port: hubPort } = await startHub(transport);
    const port = await start(hubPort, lines);
    const headers = { host: `chat.example:${port}`, origin: `https://chat.example:${port}` };
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/`, { headers })).toBe(403);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain(`"https://chat.example:${port}" from the host ${host}.`);
    expect(warnings[0]?.message).toContain(advice);
  });

  test.each<[TrustProxy]>([[2], [["127.0.0.1"]]])(
    "is the client's behind two of them, with trustProxy %j",
    async (trust) => {
      const { hub, port: hubPort } = await startHub(transport, { trustProxy: trust });
      hub.on("refusal", () => {});
      const lines = [
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Host $host;",
      ];
      const inner = await start(hubPort, lines);
      const port = await start(inner, [...lines, "proxy_set_header X-Forwarded-Proto https;"]);
      const url = `ws://127.0.0.1:${port}/`;
      const host = `chat.example:${port}`;
      const forged = { "X-Forwarded-For": "127.0.0.1, 9.9.9.9", "X-Forwarded-Host": "evil.example" };
      const options = { localAddress: "127.0.0.2", headers: { host, origin: `https://${host}`, ...forged } };
      expect(await seen(url, options)).toEqual({ url: "/", remoteAddress: "127.0.0.2", secure: true, host });
      const foreign = { ...options, headers: { ...options.headers, origin: "https://evil.example" } };
      expect(await upgradeStatus(url, foreign)).toBe(403);
    },
  );
});
