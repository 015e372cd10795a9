import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer as createHttpServer } from "node:http";
import { deflateRawSync, constants } from "node:zlib";
import { Hub } from "roomcast";
import { WebSocketServer } from "ws";
import { closePayload, rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { describe, expect, onTestFinished, test } from "vitest";

const { text, close } = Opcode;
const REQUEST = '{"event":"work","id":1,"data":"x"}';
const REPLY = '{"reply":1,"data":"x"}';

/** What a client sends in one segment with a request, and the code of the close that answers. */
const ENDS: readonly (readonly [what: string, bytes: Buffer, code: number])[] = [
  ["a close frame", rawFrame(close, closePayload(1000)), 1000],
  ["a close frame without a code", rawFrame(close), 1005],
  ["a frame with a reserved bit", rawFrame(text, "x", { reserved: 2 }), 1002],
  ["text that is not UTF-8", rawFrame(text, Buffer.from([0xff])), 1007],
  ["a message that is too large", rawFrame(text, "x".repeat(2_000)), 1009],
];

async function hub(compression: boolean): Promise<number> {
  const server = new Hub({ transport: "ws", welcome: false, heartbeat: false, maxMessageBytes: 1_000, compression });
  onTestFinished(() => server.close());
  server.handle("work", (data) => data);
  return (await server.listen({ host: "127.0.0.1" })).port;
}

/** A server on bare `ws` that answers as the hub does. */
async function bare(compression: boolean): Promise<number> {
  const http = createHttpServer();
  const server = new WebSocketServer({
    server: http,
    maxPayload: 1_000,
    perMessageDeflate: compression && { serverNoContextTakeover: true },
  });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    http.close();
  });
  server.on("connection", (client) => client.on("message", () => client.send(REPLY)).on("error", () => {}));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return (http.address() as AddressInfo).port;
}

function deflated(message: string): Buffer {
  const stream = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
  return rawFrame(text, stream.subarray(0, -4), { reserved: 4 });
}

/** The frames that a client gets which sends all of this at once. */
async function heard(port: number, compression: boolean, end: Buffer): Promise<(string | number)[]> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.vanish());
  const extensions = compression ? { "Sec-WebSocket-Extensions": "permessage-deflate" } : {};
  client.write(rawRequest("/", { ...UPGRADE_HEADERS, ...extensions }));
  expect((await client.response())?.status).toBe(101);
  client.write(compression ? deflated(REQUEST) : rawFrame(text, REQUEST), end);
  const frames: (string | number)[] = [];
  for (;;) {
    const frame = await client.frame();
    if (frame === undefined) return frames;
    if (frame.opcode === close) return [...frames, frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE()];
    frames.push(frame.payload.toString());
  }
}

describe.each([
  ["without compression", false],
  ["with compression", true],
])("a reply that was made at once %s", (_name, compression) => {
  test.each(ENDS)("arrives although %s came with the request, as on bare ws", async (_what, end, code) => {
    expect(await heard(await hub(compression), compression, end)).toEqual([REPLY, code]);
    expect(await heard(await bare(compression), compression, end)).toEqual([REPLY, code]);
  });
});
