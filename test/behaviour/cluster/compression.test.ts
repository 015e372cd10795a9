import { Hub, type Target } from "roomcast";
import { memory, MemoryEngine, RawClient } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { settle } from "../../../src/testing/settle.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const TEXT = "the same text ".repeat(1_000);
const RSV1 = 4;

describe.each(TRANSPORTS)("a message from another node to a client of %s", (transport) => {
  const sends: readonly (readonly [what: string, send: (target: Target) => unknown])[] = [
    ["an event", (target) => target.emit("news", TEXT)],
    ["a text", (target) => target.send(TEXT)],
    ["a request", (target) => target.request("question", TEXT)],
  ];

  test.each(sends)("is not compressed where it was sent uncompressed: %s", async (_what, send) => {
    const engine = new MemoryEngine();
    const options = { heartbeat: false, welcome: false } as const;
    const hub = new Hub({ ...options, transport, compression: true, backplane: engine.backplane() });
    const other = new Hub({ ...options, transport: memory(), backplane: engine.backplane() });
    onTestFinished(async () => {
      await Promise.all([hub.close(), other.close()]);
    });
    hub.on("connection", (socket) => socket.join("x", "y"));
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": "permessage-deflate" }));
    expect((await client.response())?.status).toBe(101);
    await hub.synced();
    await settle();

    const reserved: unknown[] = [];
    const targets = [other.everybody, other.to("x").uncompressed, other.to("x"), other.to("x", "y").uncompressed];
    for (const target of targets) {
      send(target);
      reserved.push((await client.frame())?.reserved);
    }
    expect(reserved).toEqual([RSV1, 0, RSV1, 0]);
  });
});
