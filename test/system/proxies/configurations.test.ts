import { expect, describe, test, onTestFinished } from "vitest";
import type { TransportName } from "roomcast";
import { blocksOf, documentPaths } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { upgradeStatus, WsClient } from "../../support/ws-client.ts";
import { calling, seen, startHub } from "./hubs.ts";
import { PROXIES, ReverseProxy, served, type ProxyName } from "./reverse-proxy.ts";

const FORGED = {
  "X-Forwarded-For": "9.9.9.9",
  "X-Forwarded-Proto": "http",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Port": "9",
  Forwarded: "for=9.9.9.9;host=evil.example;proto=http",
};

/** Starts the printed configuration in front of a hub. */
async function start(proxy: ProxyName, transport: TransportName): Promise<{ host: string; url: string }> {
  const { hub, port } = await startHub(transport, { path: "/chat", trustProxy: 1, protocols: ["graph", "mqtt"] });
  hub.on("refusal", () => {});
  const { port: proxyPort } = await ReverseProxy.start(proxy, served(proxy, [port, port]));
  return { host: `chat.example:${proxyPort}`, url: `wss://127.0.0.1:${proxyPort}/chat` };
}

test("every configuration that the documents print is run", () => {
  const blocks = documentPaths().flatMap(blocksOf);
  const configurations = blocks.filter(({ info: [language = ""] }) =>
    /^(?:nginx|haproxy|caddyfile|conf)$/i.test(language),
  );
  // `readme.test.ts` runs the least one.
  expect(configurations.map(({ info }) => info.join(" "))).toEqual([
    "nginx least",
    "nginx full",
    "haproxy full",
    "caddyfile full",
  ]);
});

describe.each(TRANSPORTS.flatMap((transport) => PROXIES.map((proxy) => ({ proxy, transport }))))(
  "a hub on $transport behind the printed configuration of $proxy",
  ({ proxy, transport }) => {
    test("sees the client, and nothing that the client claims", async () => {
      const { host, url } = await start(proxy, transport);
      const client = { url: "/chat?a=%20b", remoteAddress: "127.0.0.2", secure: true, host };
      const options = { ...calling(host), localAddress: "127.0.0.2" };
      expect(await seen(`${url}?a=%20b`, options)).toEqual(client);
      const forging = { ...calling(host, FORGED), localAddress: "127.0.0.2" };
      expect(await seen(`${url}?a=%20b`, forging)).toMatchObject({ remoteAddress: "127.0.0.2", secure: true, host });
    });

    test("lets in its own pages, and no others", async () => {
      const { host, url } = await start(proxy, transport);
      const at = (origin: string, own = host): Promise<number | undefined> =>
        upgradeStatus(url, calling(own, { origin }));
      expect(await at(`https://${host}`)).toBe(101);
      expect(await at("https://chat.example", "chat.example")).toBe(101);
      const [, port] = host.split(":");
      for (const origin of [
        "https://evil.example",
        "https://chat.example:1",
        `https://chat.example.evil.example:${port}`,
        `https://evil-chat.example:${port}`,
        `https://chat.example.:${port}`,
        `https://user@${host}`,
        `https://127.0.0.1`,
        "http://hub",
        "null",
      ]) {
        expect([origin, await at(origin)]).toEqual([origin, 403]);
      }
    });

    test("agrees on subprotocols, carries large messages and close codes, and does not ask the hub for the rest", async () => {
      const { host, url } = await start(proxy, transport);
      const client = await WsClient.connect(url, calling(host), ["mqtt", "other"]);
      onTestFinished(() => client.vanish());
      expect(client.protocol).toBe("mqtt");
      await client.next();
      const text = "x".repeat(900_000);
      client.send({ event: "echo", id: 1, data: text });
      expect(await client.nextJson()).toEqual({ reply: 1, data: text });
      client.send("rubbish");
      expect(await client.nextJson()).toMatchObject({ event: "hub:error" });
      expect(await client.close(4321)).toMatchObject({ code: 4321 });
      expect(await upgradeStatus(url.replace("/chat", "/other"), calling(host))).not.toBe(101);
    });
  },
);
