import { Hub } from "roomcast";
import { RawClient } from "roomcast/testing";
import { expect, onTestFinished, test } from "vitest";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const TEXT = "the same text ".repeat(1_000);
const RSV1 = 4;

test.each(TRANSPORTS)("what was sent uncompressed is sent so again, and nothing else, on %s", async (transport) => {
  const history = { rooms: { chat: { size: 10, age: 60_000, replay: 10 } } };
  const hub = new Hub({ transport, compression: true, heartbeat: false, welcome: false, history });
  onTestFinished(() => hub.close());
  hub.to("chat").emit("said", TEXT);
  hub.to("chat").uncompressed.emit("said", TEXT);
  hub.to("chat").uncompressed.except("somebody").emit("said", TEXT);
  hub.to("chat").except("somebody").emit("said", TEXT);
  hub.on("connection", (socket) => socket.join("chat"));
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = await RawClient.connect(port);
  onTestFinished(() => client.vanish());
  client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": "permessage-deflate" }));
  expect((await client.response())?.status).toBe(101);
  await client.frame();
  const frames = [await client.frame(), await client.frame(), await client.frame(), await client.frame()];
  expect(frames.map((frame) => frame?.reserved)).toStrictEqual([RSV1, 0, 0, RSV1]);
  expect(frames.map((frame) => frame?.payload.includes(TEXT))).toStrictEqual([false, true, true, false]);
});
