import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { WireError } from "../../protocol/packet.ts";
import { closePayload, Opcode, rawFrame } from "../raw-frame.ts";
import type { Suite } from "./suite.ts";

const LIMIT = 1000;
const BAD_TEXT = Buffer.from([0x61, 0xc3, 0x28]);
const EURO = Buffer.from("€");

/** Writes the header of a frame whose payload is too long to be sent. */
const header = (...length: readonly number[]): Buffer => Buffer.from([0x82, ...length, 1, 2, 3, 4]);

/** Bytes that a client must not send, and the close code that is reported for them. */
const VIOLATIONS: readonly (readonly [what: string, bytes: readonly Buffer[], code: number])[] = [
  ["a reserved bit", [rawFrame(Opcode.text, "{}", { reserved: 4 })], 1006],
  ["another reserved bit", [rawFrame(Opcode.binary, "{}", { reserved: 1 })], 1006],
  ["an unknown opcode of a data frame", [rawFrame(0x3, "x")], 1006],
  ["an unknown opcode of a control frame", [rawFrame(0xb, "x")], 1006],
  ["a ping of 126 bytes", [rawFrame(Opcode.ping, "x".repeat(126))], 1006],
  ["a ping in fragments", [rawFrame(Opcode.ping, "x", { fin: false })], 1006],
  ["a continuation without a beginning", [rawFrame(Opcode.continuation, "x")], 1006],
  ["a second message inside the first", [rawFrame(Opcode.text, "a", { fin: false }), rawFrame(Opcode.text, "b")], 1006],
  ["a close with the code 999", [rawFrame(Opcode.close, closePayload(999))], 1006],
  ["a close with the code 1005", [rawFrame(Opcode.close, closePayload(1005))], 1006],
  ["a close with the code 1006", [rawFrame(Opcode.close, closePayload(1006))], 1006],
  ["a close with the code 5000", [rawFrame(Opcode.close, closePayload(5000))], 1006],
  ["text that is not UTF-8", [rawFrame(Opcode.text, BAD_TEXT)], 1007],
  ["text that ends within a character", [rawFrame(Opcode.text, EURO.subarray(0, 2))], 1007],
  ["text with a surrogate", [rawFrame(Opcode.text, Buffer.from([0xed, 0xa0, 0x80]))], 1007],
  [
    "text that is not UTF-8 in fragments",
    [rawFrame(Opcode.text, EURO.subarray(0, 1), { fin: false }), rawFrame(Opcode.continuation, EURO.subarray(0, 2))],
    1007,
  ],
  ["a length over the limit", [header(0xfe, 0xff, 0xff)], 1009],
  ["a length of 4 GiB", [header(0xff, 0, 0, 0, 1, 0, 0, 0, 0)], 1009],
  ["a length of 8 EiB", [header(0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255)], 1009],
  [
    "fragments over the limit together",
    [
      rawFrame(Opcode.binary, Buffer.alloc(600), { fin: false }),
      rawFrame(Opcode.continuation, Buffer.alloc(600), { fin: false }),
    ],
    1009,
  ],
];

/** A rate so low that it refills nothing during a test. */
const SLOW = 0.001;
const TWO_AT_ONCE = { limits: { messages: { perSecond: 100, burst: 2 } } };
const TWO_MISTAKES = { limits: { violations: { perSecond: SLOW, burst: 2 } } };

/** Clients that break the rules. Only their own connections end, and in the same way on all transports. */
export function violationCases(suite: Suite): void {
  for (const [what, bytes, code] of VIOLATIONS) {
    suite.raw(`${what} is reported as ${code}`, { maxMessageBytes: LIMIT }, async (fixture) => {
      const other = await fixture.connect();
      const peer = await fixture.connectRaw();
      peer.socket.join("room");
      peer.client.write(...bytes);
      const departure = await fixture.departures.next();
      assert.equal(departure?.socket, peer.socket);
      assert.equal(departure.code, code);
      assert.equal(fixture.hub.rooms.size, 0);
      peer.socket.send("nobody is there");
      fixture.hub.send("the others live on");
      assert.equal(await other.client.next(), "the others live on");
      peer.client.vanish();
    });
  }

  suite.raw("messages before a violation are handled, and messages after it are not", async (fixture) => {
    const handled: unknown[] = [];
    fixture.hub.handle("n", (n) => handled.push(n));
    const { client } = await fixture.connectRaw();
    const event = (n: number): Buffer => fixture.wire.frame({ event: "n", data: n });
    client.write(event(1), event(2), rawFrame(0x3, "x"), event(3));
    assert.equal((await fixture.departures.next())?.code, 1006);
    const other = await fixture.connect();
    other.say({ event: "n", data: 4 });
    await other.ask("fence");
    assert.deepEqual(handled, [1, 2, 4]);
  });

  suite.raw("an unmasked frame is not handled as a message", async (fixture) => {
    const handled: unknown[] = [];
    fixture.hub.handle("n", (n) => handled.push(n));
    const peer = await fixture.connectRaw();
    peer.client.write(fixture.wire.frame({ event: "n", data: 1 }, { masked: false }));
    peer.client.end();
    assert.deepEqual(await fixture.departures.next(), { socket: peer.socket, code: 1006, reason: "" });
    assert.deepEqual(handled, []);
  });

  suite.raw("a close frame of one byte ends the connection", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.frame(Opcode.close, "x");
    assert.equal((await fixture.departures.next())?.socket, peer.socket);
  });

  suite.test("messages above the rate wait, and are handled in order", TWO_AT_ONCE, async (fixture) => {
    const [peer, other] = await fixture.pair();
    fixture.hub.handle("n", (n) => n);
    for (let n = 1; n <= 5; n++) peer.say({ event: "n", id: n, data: n });
    assert.deepEqual(await other.ask("n", 0), { reply: 1, data: 0 });
    const replies = await Promise.all(Array.from({ length: 5 }, () => peer.packet()));
    assert.deepEqual(
      replies,
      [1, 2, 3, 4, 5].map((n) => ({ reply: n, data: n })),
    );
    assert.equal(peer.socket.isOpen, true);
    assert.deepEqual(fixture.failures.take(), []);
  });

  suite.test("a client that makes too many mistakes is closed with 4005", TWO_MISTAKES, async (fixture) => {
    const [peer, other] = await fixture.pair();
    for (let n = 1; n <= 3; n++) peer.say({ event: "unknown", id: n });
    for (let n = 1; n <= 3; n++) {
      // oxlint-disable-next-line no-await-in-loop -- the messages are read one after the other
      const { reply, error } = (await peer.packet()) as { reply: number; error: WireError };
      assert.deepEqual([reply, error.code], [n, "unknown-event"]);
    }
    assert.equal((await peer.client.closed).code, 4005);
    assert.equal((await fixture.departures.next())?.code, 4005);
    assert.deepEqual(await other.heard(), []);
  });

  suite.raw("bytes that are no HTTP request end their own connection and no other", async (fixture) => {
    const other = await fixture.connect();
    const raw = await fixture.dialRaw();
    raw.write(Buffer.from([0x16, 0x03, 0x01, 0, 0, 0x0d, 0x0a, 0x0d, 0x0a, 255, 0, 1]));
    assert.notEqual((await raw.response())?.status, 101);
    assert.deepEqual(await other.heard(), []);
    assert.equal(fixture.connected.length, 1);
  });
}
