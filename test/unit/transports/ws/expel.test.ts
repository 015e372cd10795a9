import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket as TcpSocket } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import { closePayload, rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import type { RawClient } from "../../../../src/testing/raw-client.ts";
import { WsConnection } from "../../../../src/transports/ws/connection.ts";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WsFixture } from "./ws-fixture.ts";

const { text, close, ping } = Opcode;
const MIB = 1024 * 1024;
const FLOOD = 120 * MIB;

const WORDS = randomBytes(768).toString("base64");
const DEFLATED = deflateRawSync(WORDS, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const EXTENSION = { "Sec-WebSocket-Extensions": "permessage-deflate; client_no_context_takeover" };

/** Frames of some 64 KiB together. */
const PLAIN = Buffer.concat(Array.from({ length: 64 }, () => rawFrame(text, WORDS)));
const COMPRESSED = Buffer.concat(Array.from({ length: 80 }, () => rawFrame(text, DEFLATED, { reserved: 4 })));

/** The messages of one read, and of one more that waits while a message is inflated. */
const UNDER_WAY = 2 * 80;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The time after which an expelled client is cut at the latest, in milliseconds. */
const CUT_AFTER = 2_000;

/** Sends the same again and again, as fast as it is taken, until the connection ends or all is sent. */
async function flood(tcp: TcpSocket, bytes: Buffer): Promise<void> {
  const ended = new Promise((resolve) => {
    tcp.once("close", resolve);
  });
  for (let sent = 0; sent < FLOOD && !tcp.destroyed; sent += bytes.length) {
    const taken = new Promise((resolve) => {
      tcp.once("drain", resolve);
    });
    if (!tcp.write(bytes)) await Promise.race([taken, ended]);
    else tcp.removeAllListeners("drain");
  }
}

/** The code of the close frame that a client gets. */
async function codeFor(client: RawClient): Promise<number | undefined> {
  const frame = await client.frame();
  return frame?.opcode === close ? frame.payload.readUInt16BE() : undefined;
}

describe.each([
  ["plain messages", false, PLAIN],
  ["compressed messages", true, COMPRESSED],
])("a client that floods the hub with %s", (_name, compression, bytes) => {
  test("gets the code of its expulsion, nothing more of it is parsed, and its descriptor gets free", async () => {
    const parsed = vi.spyOn(WsConnection.prototype, "received");
    const fixture = await WsFixture.open({ compression });
    const { client, tcp, connection, server } = await fixture.connect(compression ? EXTENSION : {});
    const flooding = flood(tcp, bytes);
    await fixture.transport.events.next();
    connection.expel?.(4005, "Too much");
    const [read, before] = [server.bytesRead, parsed.mock.calls.length];
    expect(await codeFor(client)).toBe(4005);
    await Promise.all([flooding, fixture.transport.gone.next()]);
    expect(server.bytesRead - read).toBeLessThan(16 * MIB);
    expect(parsed.mock.calls.length - before).toBeLessThan(UNDER_WAY);
    await expect.poll(() => fixture.descriptors()).toBe(0);
    const ends = fixture.transport.events.take().filter(({ type }) => type === "close");
    expect(ends).toMatchObject([{ code: 4005, reason: "Too much" }]);
  });
});

test.each([
  ["a frame with a reserved bit", rawFrame(text, "x", { reserved: 2 }), 1002],
  ["text that is not UTF-8", rawFrame(text, Buffer.from([0xff])), 1007],
  ["a message that is too large", rawFrame(text, "x".repeat(66_000)), 1009],
])("a client that goes on after %s gets the code, and is not read for long", async (_what, breach, code) => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const fixture = await WsFixture.open();
  const { client, tcp, server } = await fixture.connect();
  tcp.write(breach);
  const flooding = flood(tcp, PLAIN);
  expect(await codeFor(client)).toBe(code);
  vi.advanceTimersByTime(CUT_AFTER);
  await Promise.all([flooding, fixture.transport.gone.next()]);
  expect(server.bytesRead).toBeLessThan(16 * MIB);
});

test("an expelled client that neither reads nor ends its side keeps no descriptor", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const fixture = await WsFixture.open();
  const { tcp, connection } = await fixture.connect();
  tcp.pause();
  connection.expel?.(4005, "");
  vi.advanceTimersByTime(CUT_AFTER - 1);
  expect(await fixture.descriptors()).toBe(1);
  vi.advanceTimersByTime(1);
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
  expect(await fixture.descriptors()).toBe(0);
});

test("a client that reads only after it has written everything gets the code of its expulsion", async () => {
  const fixture = await WsFixture.open();
  const { client, tcp, connection } = await fixture.connect();
  tcp.pause();
  connection.expel?.(4005, "");
  for (let sent = 0; sent < 5 * MIB; sent += PLAIN.length) if (!tcp.write(PLAIN)) await once(tcp, "drain");
  tcp.resume();
  expect(await codeFor(client)).toBe(4005);
});

test("a paused client is expelled like any other", async () => {
  const fixture = await WsFixture.open();
  const { client, connection } = await fixture.connect();
  connection.pause?.();
  client.write(PLAIN);
  connection.expel?.(4005, "");
  expect(await codeFor(client)).toBe(4005);
  client.end();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
});

test("a client that is closed politely is read on until its own close frame", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const fixture = await WsFixture.open();
  const { client, tcp, connection, server } = await fixture.connect();
  connection.close(4000, "");
  expect(await codeFor(client)).toBe(4000);
  vi.advanceTimersByTime(4_999);
  for (let sent = 0; sent < MIB / 2; sent += PLAIN.length) if (!tcp.write(PLAIN)) await once(tcp, "drain");
  client.write(rawFrame(close, closePayload(4000)));
  expect(await client.frame()).toBeUndefined();
  expect(server.bytesRead).toBeGreaterThan(MIB / 2);
  client.end();
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
});

test.each([
  ["messages", rawFrame(text, WORDS), 1_024],
  ["empty messages", rawFrame(text), 2_049],
])(
  "a client that goes on with %s after a polite close is parsed no further than a limit",
  async (_what, bytes, most) => {
    const parsed = vi.spyOn(WsConnection.prototype, "received");
    const fixture = await WsFixture.open();
    const { client, tcp, connection, server } = await fixture.connect();
    connection.close(4000, "");
    expect(await codeFor(client)).toBe(4000);
    await flood(tcp, Buffer.concat(Array.from({ length: Math.ceil(65_536 / bytes.length) }, () => bytes)));
    expect((await fixture.transport.gone.next())?.connection).toBe(connection);
    expect(server.bytesRead).toBeLessThan(16 * MIB);
    // The rest of one read is parsed as well, and `ws` parses what waits when a connection ends.
    expect(parsed.mock.calls.length).toBeLessThan(most + (2 * 65_536) / bytes.length);
    expect(fixture.transport.events.take()).toMatchObject([{ type: "close", code: 4000 }]);
  },
);

test("each ping and each pong of a client is reported until it is closed", async () => {
  const fixture = await WsFixture.open();
  const { client, connection } = await fixture.connect();
  client.write(rawFrame(ping), rawFrame(Opcode.pong, "x"), rawFrame(ping, "y"));
  for (const type of ["ping", "pong", "ping"]) {
    expect(await fixture.transport.events.next()).toEqual({ type, connection });
  }
  connection.close(4000, "");
  client.write(rawFrame(ping), rawFrame(Opcode.pong), rawFrame(close, closePayload(4000)));
  client.end();
  await fixture.transport.gone.next();
  expect(fixture.transport.events.take()).toMatchObject([{ type: "close" }]);
});

test("a client that goes on with too many compressed fragments after a polite close is cut", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const fixture = await WsFixture.open({ compression: true });
  const { client, connection, server } = await fixture.connect(EXTENSION);
  connection.close(4000, "");
  expect(await codeFor(client)).toBe(4000);
  const fragments = Array.from({ length: 3_000 }, (_, index) =>
    rawFrame(index === 0 ? text : Opcode.continuation, "", { fin: false, reserved: index === 0 ? 4 : 0 }),
  );
  client.write(...fragments);
  // The server ends its side.
  expect(await client.frame()).toBeUndefined();
  vi.advanceTimersByTime(CUT_AFTER);
  expect((await fixture.transport.gone.next())?.connection).toBe(connection);
  expect(server.destroyed).toBe(true);
});
