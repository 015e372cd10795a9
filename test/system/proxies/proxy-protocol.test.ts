import type { TransportName } from "roomcast";
import { describe, expect, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { upgradeStatus } from "../../support/ws-client.ts";
import { seen, startHub } from "./hubs.ts";
import { ReverseProxy } from "./reverse-proxy.ts";

/** The statuses with which a hub may answer behind a server line with these options. */
const STATUSES: Readonly<Record<TransportName, Readonly<Record<string, readonly number[]>>>> = {
  ws: { check: [101], "send-proxy": [400], "send-proxy-v2": [400] },
  // uWebSockets.js takes the second version if the request comes in the same read.
  uws: { check: [101], "send-proxy": [505], "send-proxy-v2": [101, 505] },
};

/** Starts HAProxy with this option for its server. */
async function start(hub: number, option: string): Promise<string> {
  const { port } = await ReverseProxy.start(
    "haproxy",
    (where) => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:${where.port}
  default_backend hub
backend hub
  server one 127.0.0.1:${hub} ${option}
`,
  );
  return `ws://127.0.0.1:${port}/`;
}

describe.each(TRANSPORTS)("a hub on %s", (transport) => {
  test("reads no address from the PROXY protocol", async () => {
    const { port } = await startHub(transport, { trustProxy: 1 });
    for (const [option, statuses] of Object.entries(STATUSES[transport])) {
      const url = await start(port, option);
      expect(statuses).toContain(await upgradeStatus(url));
      const address = await seen(url, { localAddress: "127.0.0.2" }).then(
        ({ remoteAddress }) => remoteAddress,
        () => "refused",
      );
      expect([option, address]).not.toEqual([option, "127.0.0.2"]);
    }
  });
});
