import * as fc from "fast-check";
import { constants, deflateRawSync } from "node:zlib";
import { rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import { InflatedFragments } from "../../../../src/transports/ws/inflated-fragments.ts";
import { expect, test } from "vitest";
import { WsFixture } from "./ws-fixture.ts";

const { binary, continuation, ping, text } = Opcode;
const COMPRESSED = { fin: false, reserved: 4 };
const EXTENSION = { "Sec-WebSocket-Extensions": "permessage-deflate" };

/** A message of a client: how it is sent, the sizes of its fragments after the first, and pings before each. */
const message = fc.record({
  isCompressed: fc.boolean(),
  isText: fc.boolean(),
  first: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536),
  fragments: fc.array(fc.constantFrom(0, 1, 125, 126, 400, 65_536), { maxLength: 4 }),
  pings: fc.nat(2),
});

test("the fragments of compressed messages are counted, wherever the reads are cut", () => {
  const cuts = fc.array(fc.nat(30), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), cuts, (messages, sizes) => {
      const frames = messages.flatMap(({ isCompressed, isText, first, fragments, pings }) => [
        rawFrame(isText ? text : binary, Buffer.alloc(first), {
          fin: fragments.length === 0,
          reserved: isCompressed ? 4 : 0,
        }),
        ...fragments.flatMap((size, index) => [
          ...Array.from({ length: pings }, () => rawFrame(ping, "x")),
          rawFrame(continuation, Buffer.alloc(size), { fin: index === fragments.length - 1 }),
        ]),
      ]);
      const bytes = Buffer.concat(frames);
      const counter = new InflatedFragments(100);
      let start = 0;
      for (const size of sizes) counter.read(bytes.subarray(start, (start += size)));
      expect(counter.read(bytes.subarray(start))).toBe(true);
      const compressed = messages.filter(({ isCompressed }) => isCompressed);
      expect(counter.total).toBe(compressed.reduce((sum, { fragments }) => sum + fragments.length, 0));
    }),
  );
});

test("a message may have as many fragments as the limit says, and what follows one more is refused", () => {
  const counter = new InflatedFragments(3);
  const whole = Buffer.concat([
    rawFrame(text, "", COMPRESSED),
    rawFrame(continuation, "", { fin: false }),
    rawFrame(continuation),
  ]);
  for (let time = 0; time < 5; time++) expect(counter.read(whole)).toBe(true);
  expect(counter.read(rawFrame(text, "", COMPRESSED))).toBe(true);
  const more = rawFrame(continuation, "", { fin: false });
  expect([more, more, more, whole].map((bytes) => counter.read(bytes))).toEqual([true, true, false, false]);
});

test("a compressed message in fragments of 512 bytes arrives, and counts for what it costs", async () => {
  const fixture = await WsFixture.open({ compression: true, maxMessageBytes: 1024 * 1024 });
  const { client, connection } = await fixture.connect(EXTENSION);
  const content = Array.from({ length: 40_000 }, (_, n) => `${n * n}`).join();
  const deflated = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const count = Math.ceil(deflated.length / 512);
  const before = connection.bytesRead ?? 0;
  for (let n = 0; n < count; n++) {
    const part = deflated.subarray(n * 512, (n + 1) * 512);
    client.write(rawFrame(n === 0 ? text : continuation, part, { fin: n === count - 1, reserved: n === 0 ? 4 : 0 }));
  }
  expect(await fixture.transport.events.next()).toMatchObject({ type: "message", data: content });
  expect((connection.bytesRead ?? 0) - before).toBeGreaterThan(deflated.length + (count - 1) * 4096);
});

test("too many fragments of a compressed message are not inflated: the connection ends with 1009", async () => {
  const fixture = await WsFixture.open({ compression: true, maxMessageBytes: 1024 * 1024 });
  const { client } = await fixture.connect(EXTENSION);
  const empty = rawFrame(continuation, "", { fin: false });
  client.write(rawFrame(text, "", COMPRESSED), Buffer.concat(Array.from({ length: 2_048 }, () => empty)));
  expect((await client.frame())?.payload.readUInt16BE()).toBe(1009);
  expect(await fixture.transport.events.next()).toMatchObject({ type: "close", code: 1009, reason: "Message too big" });
});

test("uncompressed messages on a connection with compression have the limit of others", async () => {
  const fixture = await WsFixture.open({ compression: true, maxMessageBytes: 1024 * 1024 });
  const { client } = await fixture.connect(EXTENSION);
  const empty = rawFrame(continuation, "", { fin: false });
  client.write(
    rawFrame(text, "", { fin: false }),
    Buffer.concat(Array.from({ length: 10_000 }, () => empty)),
    rawFrame(continuation, "x"),
  );
  expect(await fixture.transport.events.next()).toMatchObject({ type: "message", data: "x" });
});
