import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { Outgoing } from "../../../../src/transports/ws/outgoing.ts";
import { describe, expect, test } from "vitest";
import { heldBytes } from "../../../support/held-bytes.ts";
import { Random } from "../../../support/random.ts";
import { NarrowStream } from "./narrow-stream.ts";

const KIB = 1024;

/** The sizes in which bytes are handed over. */
const FIRST = 256 * KIB;
const LATER = 64 * KIB;

function open(room: number): { stream: NarrowStream; outgoing: Outgoing; taken: () => number } {
  const stream = new NarrowStream(room);
  let calls = 0;
  const outgoing = new Outgoing(stream, () => {
    calls++;
    outgoing.pump();
  });
  return { stream, outgoing, taken: () => calls };
}

/** Reads until nothing more comes. */
async function readAll(stream: NarrowStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const part = stream.clientReads(Number.POSITIVE_INFINITY);
    if (part.length === 0 && stream.untaken === 0) return Buffer.concat(parts);
    parts.push(part);
    await turn();
  }
}

describe("what waits for a slow client", () => {
  test("is handed over in large portions while these are taken at once, and in small ones from then on", async () => {
    const { stream, outgoing } = open(600 * KIB);
    const run = randomBytes(1_000 * KIB);
    outgoing.push(run);
    outgoing.pump();
    expect(stream.writes.map(({ length }) => length)).toEqual([FIRST, FIRST, FIRST]);
    expect(outgoing.byteLength).toBe(run.length - 3 * FIRST);
    expect((await readAll(stream)).equals(run)).toBe(true);
    expect(stream.writes.slice(3).map(({ length }) => length)).toEqual([LATER, LATER, LATER, 40 * KIB]);
    expect(outgoing.byteLength).toBe(0);
  });

  test("calls back for each portion that is taken", async () => {
    const { stream, outgoing, taken } = open(0);
    outgoing.push(randomBytes(FIRST + 3 * LATER));
    outgoing.pump();
    outgoing.pump();
    expect(stream.writes).toHaveLength(1);
    expect(taken()).toBe(0);
    const wide = open(FIRST + 3 * LATER);
    wide.outgoing.push(randomBytes(FIRST + 3 * LATER));
    wide.outgoing.pump();
    await turn();
    expect(wide.taken()).toBe(2);
  });

  test("is handed over behind what the stream holds already, which brings no event of its own", async () => {
    const { stream, outgoing, taken } = open(KIB);
    const [before, after] = [randomBytes(10 * KIB), randomBytes(10 * KIB)];
    expect(stream.write(before)).toBe(true);
    outgoing.push(after);
    outgoing.pump();
    expect(outgoing.byteLength).toBe(0);
    expect(await readAll(stream)).toEqual(Buffer.concat([before, after]));
    expect(taken()).toBe(1);
  });

  test("goes in one write, although it is many runs", () => {
    const { stream, outgoing } = open(1_000 * KIB);
    const runs = Array.from({ length: 300 }, (_, index) => randomBytes(1 + index));
    for (const run of runs) outgoing.push(run);
    outgoing.pump();
    expect(stream.writes).toHaveLength(1);
    expect(stream.writes[0]?.equals(Buffer.concat(runs))).toBe(true);
  });

  test("keeps small runs in few pieces of memory, because a buffer weighs more than they do", async () => {
    const { stream, outgoing } = open(0);
    outgoing.push(randomBytes(FIRST));
    outgoing.pump();
    const before = await heldBytes();
    for (let count = 0; count < 50_000; count++) outgoing.push(Buffer.from([count & 0xff, 1]));
    expect(outgoing.byteLength).toBe(100_000);
    expect((await heldBytes()) - before).toBeLessThan(500_000);
    expect((await readAll(stream)).subarray(FIRST)).toHaveLength(100_000);
  });

  test("is cut behind the run that is handed over in part", async () => {
    const { stream, outgoing } = open(0);
    const [first, second, third] = [randomBytes(300 * KIB), randomBytes(10), randomBytes(10)] as const;
    for (const run of [first, second]) outgoing.push(run);
    outgoing.pump();
    outgoing.cut();
    expect(outgoing.byteLength).toBe(300 * KIB - FIRST);
    outgoing.push(third);
    expect((await readAll(stream)).equals(Buffer.concat([first, third]))).toBe(true);
  });

  test("is cut altogether where no run is handed over in part", () => {
    const { outgoing } = open(0);
    outgoing.push(randomBytes(FIRST));
    outgoing.push(randomBytes(FIRST));
    outgoing.pump();
    outgoing.cut();
    expect(outgoing.byteLength).toBe(0);
  });

  test("is handed over in one write by a flush", () => {
    const { stream, outgoing } = open(1_000 * KIB);
    const runs = [randomBytes(300 * KIB), randomBytes(20), randomBytes(300 * KIB)];
    for (const run of runs) outgoing.push(run);
    outgoing.flush();
    outgoing.flush();
    expect(stream.writes).toHaveLength(1);
    expect(stream.writes[0]?.equals(Buffer.concat(runs))).toBe(true);
  });

  test("calls back no more once the stream has failed", async () => {
    const { stream, outgoing, taken } = open(0);
    stream.on("error", () => {});
    outgoing.push(randomBytes(2 * FIRST));
    outgoing.pump();
    stream.destroy(new Error("reset"));
    await turn();
    expect(taken()).toBe(0);
  });

  test.each(Array.from({ length: 60 }, (_, seed) => seed))(
    "stays whole and in order, and stands still never: seed %i",
    async (seed) => {
      const random = new Random(seed);
      const { stream, outgoing } = open(random.pick([0, 1, 10 * KIB, 208 * KIB]));
      let expected: Buffer[] = [];
      const read: Buffer[] = [];
      for (let step = 0; step < 60; step++) {
        const act = random.weighted([
          [6, "push"],
          [4, "read"],
          [4, "turn"],
          [1, "cut"],
        ]);
        if (act === "push") {
          const size = random.pick([1, 100, 1_023, 1_024, 5 * KIB, 64 * KIB, 700 * KIB]);
          const run = Buffer.alloc(size, step);
          outgoing.push(run);
          expected.push(run);
        } else if (act === "read") read.push(stream.clientReads(random.between(1, 300 * KIB)));
        else if (act === "turn") await turn();
        else {
          const handedOver = total(expected) - outgoing.byteLength;
          outgoing.cut();
          expected = runsUpTo(expected, handedOver);
        }
        outgoing.pump();
      }
      read.push(await readAll(stream));
      expect(outgoing.byteLength).toBe(0);
      expect(Buffer.concat(read).equals(Buffer.concat(expected))).toBe(true);
    },
  );
});

const total = (runs: readonly Buffer[]): number => runs.reduce((sum, { length }) => sum + length, 0);

/** The first runs that have so many bytes together, or begin within them. */
function runsUpTo(runs: readonly Buffer[], bytes: number): Buffer[] {
  let sum = 0;
  return runs.filter(({ length }) => {
    const begins = sum < bytes;
    sum += length;
    return begins;
  });
}
