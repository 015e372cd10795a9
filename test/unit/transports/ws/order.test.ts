import { setImmediate as turn } from "node:timers/promises";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import { describe, expect, test } from "vitest";
import { Random } from "../../../support/random.ts";
import { describeMessage, NarrowFixture, type Seen } from "./narrow-fixture.ts";

const { text, binary, ping, pong, close } = Opcode;
const KIB = 1024;
const MIB = 1024 * KIB;

/** A message, and what a client notes of it. */
function message(size: number, fill: number): [bytes: Buffer, seen: Seen] {
  const bytes = Buffer.alloc(size, fill);
  return [bytes, [binary, describeMessage(bytes)]];
}

const [LARGE, SEEN_LARGE] = message(4 * MIB, 1);
const [SMALL, SEEN_SMALL] = message(1_000, 2);

describe("while a large frame is under way", () => {
  test("pings of the client are answered behind it, and pings of the hub stand in their place", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    expect(fixture.connection.write(sequence(LARGE))).toBe(false);
    expect(fixture.connection.isHolding).toBe(true);
    fixture.send(ping, "a");
    fixture.read(MIB);
    await turn();
    fixture.send(ping, "b");
    await turn();
    fixture.connection.ping();
    fixture.connection.write(sequence(SMALL));
    fixture.connection.ping();
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, [pong, "a"], [pong, "b"], [ping, ""], SEEN_SMALL, [ping, ""]]);
    expect(fixture.told).toEqual(["ping", "ping"]);
    expect(fixture.connection.isHolding).toBe(false);
    expect(fixture.connection.bufferedAmount).toBe(0);
  });

  test("each portion that is taken is told, and the figure is at most a portion above what is not taken", async () => {
    const room = 200 * KIB;
    const fixture = new NarrowFixture(room);
    fixture.connection.write(sequence(LARGE));
    for (let read = 1; read <= 60; read++) {
      const { drains } = fixture;
      fixture.read(64 * KIB);
      await turn();
      const untaken = LARGE.length + 10 - read * 64 * KIB - room;
      const portion = read < 5 ? 256 * KIB : 64 * KIB;
      expect(fixture.connection.bufferedAmount).toBeGreaterThanOrEqual(Math.max(0, untaken));
      expect(fixture.connection.bufferedAmount).toBeLessThanOrEqual(Math.max(0, untaken) + portion);
      expect(fixture.drains).toBeGreaterThanOrEqual(drains + Number(read >= 5 && untaken > 0));
    }
  });

  test("what is written in many runs waits in portions, too", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    const [run] = message(60 * KIB, 3);
    for (let count = 0; count < 40; count++) fixture.connection.write(sequence(run));
    let untaken = 40 * (run.length + 4) - 200 * KIB;
    for (let drains = 0; untaken > 0; untaken -= 200 * KIB) {
      fixture.read(200 * KIB);
      await turn();
      expect(fixture.drains).toBeGreaterThan(drains);
      ({ drains } = fixture);
    }
    await fixture.readAll();
    expect(fixture.seen).toHaveLength(40);
    expect(fixture.connection.isHolding).toBe(false);
  });

  test("a close by the hub goes behind all that was written, and pings are answered until then", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.connection.close(4003, "bye");
    expect(fixture.connection.bufferedAmount).toBe(0);
    expect(fixture.connection.write(sequence(SMALL))).toBe(true);
    fixture.connection.ping();
    fixture.send(ping, "late");
    fixture.send(text, "late");
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, SEEN_SMALL, [pong, "late"], [close, "4003"]]);
    fixture.send(ping, "too late");
    await fixture.readAll();
    expect(fixture.seen).toHaveLength(4);
    expect(fixture.told).toEqual(["close 4003"]);
    fixture.sendClose(4003);
    await turn();
    fixture.stream.push(null);
    await fixture.readAll();
    expect(fixture.told).toEqual(["close 4003", "gone"]);
  });

  test("what the hub expels a client for waits for this frame alone", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.connection.expel?.(4005, "");
    fixture.send(ping, "late");
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, [close, "4005"]]);
    expect(fixture.stream.writableEnded).toBe(true);
    fixture.stream.push(null);
    await turn();
    expect(fixture.told).toEqual(["close 4005", "gone"]);
  });

  test.each([
    ["a close frame", (fixture: NarrowFixture) => fixture.sendClose(1000), 1000, "1000"],
    ["a close frame without a code", (fixture: NarrowFixture) => fixture.send(close), 1005, "1005"],
  ])("%s of the client is answered behind all that was sent", async (_what, end, code, answer) => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.ending = () => fixture.connection.write(sequence(SMALL));
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    end(fixture);
    await turn();
    expect(fixture.told).toEqual([`close ${code}`]);
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, SEEN_SMALL, SEEN_SMALL, [close, answer]]);
    expect(fixture.stream.writableEnded).toBe(true);
    fixture.stream.push(null);
    await fixture.readAll();
    expect(fixture.told).toEqual([`close ${code}`, "gone"]);
  });

  test.each([
    ["a frame with a reserved bit", (fixture: NarrowFixture) => fixture.send(text, "x", 2), 1006, "1002"],
    ["text that is not UTF-8", (fixture: NarrowFixture) => fixture.send(text, Buffer.from([0xff])), 1007, "1007"],
    [
      "a message that is too large",
      (fixture: NarrowFixture) => fixture.send(text, Buffer.alloc(MIB + 1)),
      1009,
      "1009",
    ],
  ])("%s of the client is answered behind it, and nothing else is sent", async (_what, end, code, answer) => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.ending = () => fixture.connection.write(sequence(SMALL));
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.send(ping, "a");
    end(fixture);
    await turn();
    expect(fixture.told).toEqual(["ping", `close ${code}`]);
    expect(fixture.connection.bufferedAmount).toBe(0);
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, [close, answer]]);
    expect(fixture.stream.writableEnded).toBe(true);
    fixture.stream.push(null);
    await fixture.readAll();
    expect(fixture.told).toEqual(["ping", `close ${code}`, "gone"]);
  });

  test("a client that closes although the hub has done so gets everything and the hub's code", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.connection.close(4003, "");
    fixture.sendClose(1000);
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, SEEN_SMALL, [close, "4003"]]);
    expect(fixture.told).toEqual(["close 4003"]);
    expect(fixture.stream.writableEnded).toBe(true);
  });

  test("a client that ends its side of TCP gets all that was sent, and then the end", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.stream.push(null);
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, SEEN_SMALL]);
    expect(fixture.isTorn).toBe(false);
    expect(fixture.told).toEqual(["close 1006", "gone"]);
  });

  test("a client that ends its side of TCP with its close frame gets the answer, too", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.sendClose(4001);
    fixture.stream.push(null);
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, [close, "4001"]]);
    expect(fixture.told).toEqual(["close 4001", "gone"]);
  });

  test("a reset ends the connection at once", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.stream.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
    await turn();
    expect(fixture.told).toEqual(["close 1006", "gone"]);
    expect(fixture.connection.bufferedAmount).toBe(0);
    expect(fixture.connection.write(sequence(SMALL))).toBe(true);
    expect(fixture.connection.isHolding).toBe(false);
  });

  test("terminate ends the connection at once", async () => {
    const fixture = new NarrowFixture(200 * KIB);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.terminate();
    expect(fixture.connection.isHolding).toBe(false);
    await turn();
    expect(fixture.told).toEqual(["close 1006", "gone"]);
  });
});

describe("a client that goes on sending after a close by the hub", () => {
  const LATE = 2_100;

  test("gets everything while it takes what waits for it", async () => {
    const fixture = new NarrowFixture(0);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.connection.close(4000, "");
    for (let count = 0; count < LATE; count++) {
      fixture.send(text, "late");
      if (count % 100 === 99) fixture.read(100 * KIB);
      await turn();
    }
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, SEEN_SMALL, [close, "4000"]]);
    expect(fixture.stream.writableEnded).toBe(false);
  });

  test("gets no more than what is under way when it takes nothing", async () => {
    const fixture = new NarrowFixture(0);
    fixture.connection.write(sequence(LARGE));
    fixture.connection.write(sequence(SMALL));
    fixture.connection.close(4000, "");
    for (let count = 0; count < LATE; count++) fixture.send(text, "late");
    await turn();
    await fixture.readAll();
    expect(fixture.seen).toEqual([SEEN_LARGE, [close, "4000"]]);
    expect(fixture.stream.writableEnded).toBe(true);
  });
});

describe("pongs for a client that does not read", () => {
  test("are held up to maxBufferedBytes, and then the hub is told", async () => {
    const fixture = new NarrowFixture(KIB, { maxBufferedBytes: 64 * KIB });
    for (let count = 0; count < 600; count++) fixture.send(ping, "x".repeat(125));
    await turn();
    const pings = fixture.told.indexOf("overflow");
    expect(pings * 127).toBeGreaterThan(64 * KIB);
    expect(pings * 127).toBeLessThan(80 * KIB);
    expect(fixture.connection.bufferedAmount).toBeLessThan(80 * KIB);
  });

  test("do not end the connection of a client that waits for a message of maxBufferedBytes", async () => {
    const fixture = new NarrowFixture(0, { maxBufferedBytes: MIB });
    const [bytes, seen] = message(MIB - 10, 1);
    fixture.connection.write(sequence(bytes));
    for (let count = 0; count < 60; count++) fixture.send(ping, "still there?");
    await fixture.readAll();
    expect(fixture.seen).toEqual([seen, ...Array.from({ length: 60 }, () => [pong, "still there?"])]);
    expect(fixture.told).not.toContain("overflow");
  });
});

test.each([64 * KIB, 70 * KIB, 128 * KIB - 10])("a turn of %i bytes goes in one write", (size) => {
  const fixture = new NarrowFixture(MIB);
  fixture.stream.writes.length = 0;
  expect(fixture.connection.write(sequence(Buffer.alloc(size)))).toBe(true);
  expect(fixture.connection.write(sequence(Buffer.alloc(size)))).toBe(true);
  expect(fixture.stream.writes).toHaveLength(2);
});

describe.each([
  ["that tells of what is taken at once", false],
  ["that tells in a later turn, as over TLS", true],
])("any schedule over a stream %s", (_name, isLate) => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "keeps frames whole and in order, and each wait ends with a drain: seed %i",
    async (seed) => {
      const random = new Random(seed);
      const fixture = new NarrowFixture(random.pick([0, 100, 20 * KIB, 208 * KIB, 2 * MIB]), { isLate });
      const { connection, stream } = fixture;
      const expected: Seen[] = [];
      const acts: readonly (readonly [number, () => Promise<void> | void])[] = [
        [6, write],
        [2, hubPings],
        [2, clientPings],
        [5, () => void fixture.read(random.between(1, 400 * KIB))],
        [4, () => turn()],
        [1, readAll],
      ];
      function write(): void {
        const messages = Array.from({ length: random.between(1, 3) }, () =>
          message(random.pick([1, 100, 2_000, 40 * KIB, 64 * KIB, 300 * KIB, 900 * KIB]), random.between(0, 255)),
        );
        expected.push(...messages.map(([, seen]) => seen));
        const isTaken = connection.write(sequence(...messages.map(([bytes]) => bytes)));
        expect(isTaken && connection.isHolding).toBe(false);
        expect(connection.bufferedAmount).toBeGreaterThanOrEqual(stream.untaken);
      }
      function hubPings(): void {
        connection.ping();
        expected.push([ping, ""]);
      }
      async function clientPings(): Promise<void> {
        const data = String(random.between(0, 999));
        fixture.send(ping, data);
        // The stream hands over what was pushed in a later tick.
        while (!fixture.told.includes("ping")) await turn();
        fixture.told.length = 0;
        expected.push([pong, data]);
      }
      async function readAll(): Promise<void> {
        const { drains } = fixture;
        const isHolding = connection.isHolding;
        await fixture.readAll();
        expect(connection.isHolding).toBe(false);
        expect(connection.bufferedAmount).toBe(0);
        expect(fixture.drains).toBeGreaterThanOrEqual(drains + Number(isHolding));
      }
      for (let step = 0; step < 40; step++) await random.weighted(acts)();
      const isClosed = random.chance(0.5);
      if (isClosed) {
        connection.close(4000, "");
        expected.push([close, "4000"]);
        await fixture.readAll();
      } else await readAll();
      expect(fixture.seen).toEqual(expected);
      expect(fixture.isTorn).toBe(false);
    },
  );
});
