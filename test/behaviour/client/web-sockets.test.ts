import { Hub } from "roomcast";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { StateChange, WebSocketConstructor } from "roomcast/client";
import { reached, startClient, startServer } from "../../support/clients.ts";

const { WebSocket: Global } = globalThis as { readonly WebSocket?: WebSocketConstructor };

/** Node.js 20 has none of its own. */
const CLASSES: readonly (readonly [string, WebSocketConstructor])[] = [
  ["ws", WebSocket],
  ...(Global === undefined ? [] : ([[`Node.js ${process.versions.node}`, Global]] as const)),
];

test("there is a global WebSocket from Node.js 22 on", () => {
  expect(Global === undefined).toBe(Number.parseInt(process.versions.node, 10) < 22);
});

test.each(CLASSES)("the WebSocket of %s carries text and bytes, and says how it was closed", async (_, given) => {
  const server = await startServer();
  const client = startClient(server.url, { WebSocket: given });
  const open = reached(client, "open");
  const peer = await server.admit();
  await open;
  const bytes = new Promise((resolve) => void client.once("hub:message", resolve));
  peer.sendRaw(new Uint8Array([1, 2]));
  expect(await bytes).toEqual(new Uint8Array([1, 2]));
  client.send(new Uint8Array([3]));
  client.emit("event", "é");
  expect(await peer.rest()).toEqual([Buffer.from([3]), { event: "event", data: "é" }]);
  await client.close(4_321, "enough");
  expect(await peer.closed).toEqual({ code: 4_321, reason: "enough" });
});

test.each(CLASSES)("the WebSocket of %s survives a lost connection and a server that refuses", async (_, given) => {
  const server = await startServer();
  const client = startClient(server.url, { WebSocket: given });
  const first = await server.admit();
  first.cut();
  const second = await server.admit();
  await reached(client, "open");
  const closed = reached(client, "closed");
  second.close(4_000, "go");
  await closed;
  // The end of an attempt that cannot succeed is heard at once, whichever events the platform fires.
  const nobody = startClient("ws://127.0.0.1:1", { WebSocket: given, connectTimeout: 1_000_000, reconnect: false });
  const change = new Promise<StateChange>((resolve) => void nobody.on("hub:state", resolve));
  expect(await change).toMatchObject({
    state: "closed",
    code: 1006,
    reason: expect.stringMatching(/^(Nothing listens|The connection was not opened\.)/),
  });
  expect(client.state).toBe("closed");
});

test.skipIf(Global === undefined)("the global WebSocket is the default, against a real hub", async () => {
  const hub = new Hub({ joinable: () => true });
  onTestFinished(() => hub.close());
  hub.handle("sum", ({ a, b }: { a: number; b: number }) => a + b);
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = startClient(`ws://127.0.0.1:${port}`, { WebSocket: undefined });
  expect(await client.request("sum", { a: 1, b: 2 })).toBe(3);
});
