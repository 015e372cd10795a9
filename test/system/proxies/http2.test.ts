import { once } from "node:events";
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type Settings } from "node:http2";
import type { Socket as TcpSocket } from "node:net";
import type { Handshake, TransportName } from "roomcast";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { RawClient } from "../../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../../src/testing/raw-frame.ts";
import { sectionOf, tablesOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "../browser/browser.ts";
import { startHub } from "./hubs.ts";
import { CERTIFICATE, PROXIES, replaced, ReverseProxy, served, type ProxyName } from "./reverse-proxy.ts";

interface Scene {
  readonly host: string;
  /** The client's version of HTTP, as HAProxy tells, and the handshakes. */
  readonly handshakes: readonly Handshake[];
}

/** Starts the printed configuration in front of a hub. Each proxy answers requests for `/` with an empty page. */
async function start(proxy: ProxyName, transport: TransportName): Promise<Scene> {
  const options = { path: "/chat", trustProxy: 1, protocols: ["graph"], heartbeat: false } as const;
  const { hub, port: hubPort } = await startHub(transport, options);
  hub.on("refusal", () => {});
  const handshakes: Handshake[] = [];
  hub.on("connection", ({ handshake }) => handshakes.push(handshake));
  const { port } = await ReverseProxy.start(proxy, (where) =>
    replaced(served(proxy, [hubPort, hubPort])(where), PAGES[proxy]),
  );
  return { host: `chat.example:${port}`, handshakes };
}

const PAGES: Readonly<Record<ProxyName, readonly (readonly [string, string])[]>> = {
  nginx: [["  location /chat {", '  location = / { default_type text/html; return 200 "page"; }\n  location /chat {']],
  haproxy: [
    [
      "  default_backend hub",
      `  http-request return status 200 content-type text/html string page if { path / }
  http-request set-header X-Client-Version %[fc_http_major]
  default_backend hub`,
    ],
  ],
  caddy: [["  reverse_proxy /chat", '  header / Content-Type text/html\n  respond / "page"\n  reverse_proxy /chat']],
};

/** Opens a connection that speaks HTTP/2, and resolves with the settings of the proxy. */
async function dial(host: string): Promise<{ session: ClientHttp2Session; settings: Settings }> {
  const session = connect(`https://127.0.0.1:${host.split(":")[1]}`, { ca: CERTIFICATE, servername: "localhost" });
  onTestFinished(() => session.destroy());
  const [settings] = (await once(session, "remoteSettings")) as [Settings];
  return { session, settings };
}

async function upgrade(
  session: ClientHttp2Session,
  host: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ stream: ClientHttp2Stream; answer: Readonly<Record<string, unknown>> }> {
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "https",
    ":path": "/chat",
    ":authority": host,
    "sec-websocket-version": "13",
    ...headers,
  });
  const [answer] = (await once(stream, "response")) as [Readonly<Record<string, unknown>>];
  return { stream, answer };
}

const [table = []] = tablesOf(sectionOf("docs/PROXIES.md", "WebSocket over HTTP/2"));

test.each(PROXIES)("%s offers WebSockets over HTTP/2 if the table says so", async (proxy) => {
  const row = table.find(([name]) => name?.toLowerCase() === proxy);
  const { host } = await start(proxy, "ws");
  const { settings } = await dial(host);
  expect(settings.enableConnectProtocol === true ? "yes" : "no").toBe(row?.[1]);
});

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser(["--host-resolver-rules=MAP chat.example 127.0.0.1"]);
});

afterAll(() => browser.close());

describe.each(TRANSPORTS)("WebSockets over HTTP/2 to a hub on %s", (transport) => {
  test("pass through HAProxy, several on one connection", async () => {
    const { host } = await start("haproxy", transport);
    const { session } = await dial(host);
    const origin = `https://${host}`;
    for (let round = 0; round < 3; round++) {
      const { stream, answer } = await upgrade(session, host, { origin, "sec-websocket-protocol": "other, graph" });
      expect(answer).toMatchObject({ ":status": 200, "sec-websocket-protocol": "graph" });
      const client = new RawClient(stream as unknown as TcpSocket);
      expect(JSON.parse(String((await client.frame())?.payload))).toMatchObject({ event: "hub:welcome" });
      client.write(rawFrame(Opcode.text, '{"event":"handshake","id":1}'));
      const reply = JSON.parse(String((await client.frame())?.payload)) as object;
      expect(reply).toMatchObject({ reply: 1, data: { url: "/chat", secure: true, host } });
      client.write(rawFrame(Opcode.close, closePayload(1000)));
      expect(await client.frame()).toMatchObject({ opcode: Opcode.close });
    }
    const { answer } = await upgrade(session, host, { origin: "https://evil.example" });
    expect(answer[":status"]).toBe(403);
  });

  test.each(PROXIES)("are no concern of pages that a browser has loaded over HTTP/2 from %s", async (proxy) => {
    const { host, handshakes } = await start(proxy, transport);
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    onTestFinished(() => page.close());
    await page.goto(`https://${host}/`);
    const version = await page.evaluate('performance.getEntriesByType("navigation")[0].nextHopProtocol');
    const greeting = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket("wss://${host}/chat");
      socket.onmessage = ({ data }) => resolve(data);
      socket.onclose = ({ code }) => resolve(code);
    })`);
    expect([version, JSON.parse(String(greeting))]).toMatchObject(["h2", { event: "hub:welcome" }]);
    expect(handshakes).toHaveLength(1);
    expect(handshakes[0]?.headers["x-client-version"]).toBe(proxy === "haproxy" ? "2" : undefined);
  });
});
