import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { HubOptions } from "roomcast";
import { connect } from "roomcast/client";
import { WebSocket } from "ws";
import { resolveHubOptions } from "../../../src/hub/options.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { reached } from "../../support/clients.ts";
import { WsClient } from "../../support/ws-client.ts";
import { startHub } from "./hubs.ts";
import { printed, ReverseProxy, type ProxyName, type Surroundings } from "./reverse-proxy.ts";

type Configuration = (hub: number, where: Surroundings) => string;

const nginx: Configuration = (hub, { port }) => `
server {
  listen 127.0.0.1:${port};
  location / {
    proxy_pass http://127.0.0.1:${hub};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    proxy_read_timeout 1s;
  }
}`;

function haproxy(timeouts: string): Configuration {
  return (hub, { port }) => `
defaults
  mode http
  timeout connect 5s
  ${timeouts}
frontend web
  bind 127.0.0.1:${port}
  default_backend hub
backend hub
  server one 127.0.0.1:${hub}
`;
}

/** Proxies that end a connection after a silence of a second. */
const IMPATIENT: readonly [name: string, ProxyName, Configuration][] = [
  ["nginx with proxy_read_timeout", "nginx", nginx],
  ["HAProxy with timeout tunnel", "haproxy", haproxy("timeout client 60s\n  timeout server 60s\n  timeout tunnel 1s")],
  ["HAProxy without it", "haproxy", haproxy("timeout client 1s\n  timeout server 1s")],
];

/** Every proxy in front of a hub on every transport. */
const PAIRS = TRANSPORTS.flatMap((transport) => IMPATIENT.map((proxy) => ({ transport, proxy })));

/** Starts a proxy in front of a hub, and resolves with its address. */
async function start(
  { transport, proxy }: (typeof PAIRS)[number],
  heartbeat: HubOptions["heartbeat"],
): Promise<string> {
  const { port: hub } = await startHub(transport, { heartbeat });
  const [, name, configuration] = proxy;
  const { port } = await ReverseProxy.start(name, (where) => configuration(hub, where));
  return `ws://127.0.0.1:${port}/`;
}

// All pairs wait at the same time.
test("an idle connection is ended by a proxy if there is no heartbeat", async () => {
  const outcomes = PAIRS.map(async (pair) => {
    const client = await WsClient.connect(await start(pair, false));
    return (await client.closed).code;
  });
  expect(await Promise.all(outcomes)).toEqual(PAIRS.map(() => 1006));
});

test("an idle connection is kept open by a heartbeat in less than the proxy's time", async () => {
  const outcomes = PAIRS.map(async (pair) => {
    const url = await start(pair, { interval: 400, timeout: 400 });
    const plain = await WsClient.connect(url);
    onTestFinished(() => plain.vanish());
    const client = connect(url, { WebSocket });
    onTestFinished(() => client.close());
    await reached(client, "open");
    const lost = reached(client, "waiting");
    return Promise.race([plain.closed, lost, sleep(2_500, "open")]);
  });
  expect(await Promise.all(outcomes)).toEqual(PAIRS.map(() => "open"));
});

test("the heartbeat's default is below the times of the proxies", () => {
  const { interval } = resolveHubOptions({}).heartbeat as { readonly interval: number };
  const times = Array.from(printed("haproxy", "full").matchAll(/timeout (?:client|server|tunnel) (\d+)s/g));
  expect(times).toHaveLength(3);
  for (const [, seconds] of times) expect(interval).toBeLessThan(Number(seconds) * 1_000);
  expect(interval).toBeLessThan(50_000);
});
