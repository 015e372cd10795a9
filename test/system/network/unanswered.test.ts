import { Hub } from "roomcast";
import { expect, onTestFinished, test } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

test.runIf(TRANSPORTS.includes("uws"))(
  "a request that uWebSockets.js never answers ends after some 12 seconds",
  async () => {
    const hub = new Hub({ transport: "uws" });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    const sent = performance.now();
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, session_id: "1" }));
    expect(await client.response()).toBeUndefined();
    const seconds = (performance.now() - sent) / 1_000;
    expect(seconds).toBeGreaterThan(7);
    expect(seconds).toBeLessThan(20);
  },
);
