import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import { expect, test } from "vitest";
import { heldBytes } from "../../../support/held-bytes.ts";
import { WsFixture } from "./ws-fixture.ts";

const MIB = 1024 * 1024;

/** The frames of one message, each with the same payload. */
function fragments(count: number, payload: string): Buffer {
  const { continuation, text } = Opcode;
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      rawFrame(index === 0 ? text : continuation, payload, { fin: index === count - 1 }),
    ),
  );
}

test("a legal message in fragments of 64 bytes arrives", async () => {
  const fixture = await WsFixture.open({ maxMessageBytes: 2 * MIB });
  const { client } = await fixture.connect();
  client.write(fragments((2 * MIB) / 64, "x".repeat(64)));
  expect(await fixture.transport.events.next()).toMatchObject({ type: "message", data: "x".repeat(2 * MIB) });
});

test("too many fragments are a message that is too large, for the hub and for the client", async () => {
  const fixture = await WsFixture.open({ maxMessageBytes: MIB });
  const { client } = await fixture.connect();
  client.write(fragments(32_768, ""));
  expect(await fixture.transport.events.next()).toMatchObject({ type: "message", data: "" });
  client.write(fragments(32_769, ""));
  expect(await fixture.transport.events.next()).toMatchObject({ type: "close", code: 1009, reason: "Message too big" });
  const frame = await client.frame();
  expect([frame?.opcode, frame?.payload.readUInt16BE()]).toEqual([Opcode.close, 1009]);
});

test("the close code 1008 of a client is reported and answered as it is", async () => {
  const fixture = await WsFixture.open();
  const { client } = await fixture.connect();
  client.write(rawFrame(Opcode.close, Buffer.from([0x03, 0xf0])));
  expect(await fixture.transport.events.next()).toMatchObject({ type: "close", code: 1008, reason: "" });
  expect((await client.frame())?.payload.readUInt16BE()).toBe(1008);
});

test("a close with 1008 by the hub is sent as it is", async () => {
  const fixture = await WsFixture.open();
  const { client, connection } = await fixture.connect();
  connection.close(1008, "");
  expect((await client.frame())?.payload.readUInt16BE()).toBe(1008);
});

test("a message that comes byte by byte ends the connection with 1009 before it holds much", async () => {
  const fixture = await WsFixture.open({ maxMessageBytes: 65_536 });
  const { tcp } = await fixture.connect();
  const handshake = tcp.bytesRead;
  const answer = once(tcp, "data") as Promise<[Buffer]>;
  tcp.write(rawFrame(Opcode.binary, Buffer.alloc(60_000)).subarray(0, 8));
  const before = await heldBytes();
  let sent = 0;
  let most = 0;
  for (; tcp.bytesRead === handshake && sent < 10_000; sent++) {
    tcp.write("x");
    await nextTurn();
    if (sent === 1_000) most = (await heldBytes()) - before;
  }
  expect((await answer)[0].subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xf1]));
  expect(await fixture.transport.events.next()).toMatchObject({ type: "close", code: 1009 });
  // A read may have brought two bytes.
  expect(sent).toBeLessThan(4_096);
  expect(most).toBeLessThan(512 * 1024);
});

/** One byte of a message that never ends, amid pongs: 64 KiB together, which is what the server reads at once. */
function amidPongs(opcode: number): Buffer {
  const pongs = Array.from({ length: 499 }, () => rawFrame(Opcode.pong, Buffer.alloc(125)));
  return Buffer.concat([rawFrame(opcode, "x", { fin: false }), ...pongs]);
}

test("fragments amid pongs do not hold what was read around them without bound", async () => {
  const fixture = await WsFixture.open();
  const { tcp, client } = await fixture.connect();
  const before = await heldBytes();
  const chunk = amidPongs(Opcode.continuation);
  tcp.write(amidPongs(Opcode.text));
  let held = 0;
  for (let sent = 0; sent < 16 * MIB && !tcp.readableEnded; sent += chunk.length) {
    await new Promise((resolve) => {
      tcp.write(chunk, resolve);
    });
    await nextTurn();
    fixture.transport.events.take();
    if (sent % (32 * chunk.length) === 0) held = Math.max(held, (await heldBytes()) - before);
  }
  expect((await client.frame())?.payload.readUInt16BE()).toBe(1009);
  expect(held).toBeLessThan(6 * MIB);
});

test("pings and pongs are counted anew after each message", async () => {
  const fixture = await WsFixture.open();
  const { client, connection } = await fixture.connect();
  const pongs = Buffer.concat(Array.from({ length: 20_000 }, () => rawFrame(Opcode.pong, Buffer.alloc(125))));
  for (const message of ["1", "2", "3"]) {
    client.write(pongs, rawFrame(Opcode.text, message));
    let event = await fixture.transport.events.next();
    while (event?.type === "pong") event = await fixture.transport.events.next();
    expect(event).toMatchObject({ type: "message", data: message });
  }
  expect(connection.bytesRead).toBeGreaterThan(60_000 * 131);
});
