import { describe, expect, test } from "vitest";
import { codesIn, sectionOf, tablesOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { seen, startHub } from "./hubs.ts";
import { ReverseProxy, type ProxyName, type Surroundings } from "./reverse-proxy.ts";

const [table = []] = tablesOf(sectionOf("docs/PROXIES.md", "Paths"));
const ROWS = table.map(([proxy = "", lines = "", asked = "", path = ""]) => ({
  proxy: proxy.toLowerCase() as ProxyName,
  lines: codesIn(lines).join("\n  "),
  asked: codesIn(asked).join(),
  path: codesIn(path).join(),
}));

const CONFIGURATIONS: Readonly<Record<ProxyName, (lines: string, hub: number, where: Surroundings) => string>> = {
  nginx: (lines, hub, { port }) => `
upstream hub { server 127.0.0.1:${hub}; }
server {
  listen 127.0.0.1:${port};
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  ${lines}
}`,
  haproxy: (lines, hub, { port }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:${port}
  ${lines}
  default_backend hub
backend hub
  server one 127.0.0.1:${hub}
`,
  caddy: (lines, hub, { port }) => `
http://127.0.0.1:${port} {
  ${lines.replaceAll("127.0.0.1:8080", `127.0.0.1:${hub}`)}
}`,
};

test("the table has rows of every proxy", () => {
  expect(new Set(ROWS.map(({ proxy }) => proxy))).toEqual(new Set(Object.keys(CONFIGURATIONS)));
});

describe.each(TRANSPORTS)("the path of a hub on %s", (transport) => {
  test.each(ROWS)("behind $proxy with $lines is $path", async ({ proxy, lines, asked, path }) => {
    const { port: hub } = await startHub(transport, { path });
    const { port } = await ReverseProxy.start(proxy, (where) => CONFIGURATIONS[proxy](lines, hub, where));
    expect(await seen(`ws://127.0.0.1:${port}${asked}?a=b`)).toMatchObject({ url: `${path}?a=b` });
  });
});
