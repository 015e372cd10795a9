import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import type { BackplaneLog, LogPosition, LogRecord, LogTail } from "../../../src/backplanes/backplane.ts";
import { LogReader, NOWHERE } from "../../../src/cluster/log-reader.ts";

const ROOM = "room:x";
const SIZE = 10;

/** A read that waits for its answer. */
interface Read {
  readonly after: LogPosition;
  readonly answer: (tail: LogTail | undefined) => void;
  readonly fail: () => void;
}

let clock: VirtualClock;
let reads: Read[];
let heads: readonly (LogPosition | undefined)[];
let audits: (readonly string[])[];
let told: string[];
let failures: number;
let reader: LogReader;

beforeEach(() => {
  clock = new VirtualClock();
  [reads, heads, audits, told, failures] = [[], [], [], [], 0];
  const log: BackplaneLog = {
    append: () => Promise.reject(new Error("Nothing is appended here.")),
    read: (_channel, after) => {
      return new Promise((resolve, reject) => {
        reads.push({ after, answer: resolve, fail: () => reject(new Error("No.")) });
      });
    },
    heads: (channels) => {
      audits.push(channels);
      return Promise.resolve(heads);
    },
    forget: () => Promise.resolve(),
  };
  reader = new LogReader({
    log,
    clock,
    report: { failed: () => failures++ },
    listener: {
      begun: (_channel, end, gap) =>
        told.push(`${end?.epoch ?? "none"} from ${end?.head ?? 0}${gap ? `, ${gap}` : ""}`),
      recorded: (_channel, { epoch, at }, novelty) =>
        told.push(`${epoch}${at}${novelty === "new" ? "" : ` ${novelty}`}`),
    },
  });
  reader.connected();
});

function record(epoch: string, at: number, number: number = at, origin = "n"): LogRecord {
  return { epoch, at, previous: at - 1, origin, number, envelope: new Uint8Array() };
}

/** The end of a log, with the entries from the first to the last of these places. */
function tail(epoch: string, from: number, to: number): LogTail {
  const records = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => record(epoch, from + index));
  return { epoch, head: to, floor: from - 1, records };
}

/** Answers the oldest read. */
async function answer(found: LogTail | undefined): Promise<LogPosition | undefined> {
  const read = reads.shift();
  read?.answer(found);
  await clock.advance(0);
  return read?.after;
}

/** Follows the room, whose log ends here. */
async function follow(found: LogTail | undefined): Promise<void> {
  reader.follow(ROOM, SIZE);
  await answer(found);
  told = [];
}

const take = (...records: readonly LogRecord[]): void => records.forEach((item) => reader.take(ROOM, item));

test("a log is told from its end on, and what comes twice is told once", async () => {
  reader.follow(ROOM, SIZE);
  expect(await answer(tail("a", 3, 5))).toStrictEqual(NOWHERE);
  take(record("a", 5), record("a", 6), record("a", 6));
  expect(told).toStrictEqual(["a from 5", "a6"]);
  expect(reader.positionOf(ROOM)).toStrictEqual({ epoch: "a", at: 6 });
});

test("R1: what comes behind a hole waits for one read, and is told in order", async () => {
  await follow(tail("a", 1, 1));
  take(record("a", 4), record("a", 5));
  expect([told, reads.length]).toStrictEqual([[], 1]);
  expect(await answer(tail("a", 2, 4))).toStrictEqual({ epoch: "a", at: 1 });
  expect(told).toStrictEqual(["a2", "a3", "a4", "a5"]);
  expect(reads).toStrictEqual([]);
});

test("R1: a read that brings only a part is followed by another", async () => {
  await follow(tail("a", 1, 1));
  take(record("a", 9));
  await answer({ epoch: "a", head: 9, floor: 0, records: [record("a", 2), record("a", 3)] });
  expect(await answer(tail("a", 4, 9))).toStrictEqual({ epoch: "a", at: 3 });
  expect(told.at(-1)).toBe("a9");
});

test("more than can be held during a read is read afterwards", async () => {
  await follow(tail("a", 1, 1));
  for (let at = 3; at < 400; at++) take(record("a", at));
  await answer(tail("a", 2, 3));
  expect(told).toHaveLength(257);
  await answer(tail("a", 259, 399));
  expect(told.at(-1)).toBe("a399");
  expect(reads).toStrictEqual([]);
});

test("R2: where the log does not reach back, it begins anew with a gap", async () => {
  await follow(tail("a", 1, 1));
  take(record("a", 9));
  await answer(tail("a", 5, 9));
  expect(told).toStrictEqual(["a from 9, trimmed"]);
});

test("R3: a position ahead of this node is read first, and one of a log that is known is not", async () => {
  await follow(tail("a", 1, 5));
  const known: string[] = [];
  reader.whenKnown(ROOM, { epoch: "a", at: 5 }, () => known.push("here"));
  reader.whenKnown(ROOM, { epoch: "other", at: 5 }, () => known.push("other"));
  expect([known, reads.length]).toStrictEqual([["here", "other"], 0]);
  reader.whenKnown(ROOM, { epoch: "a", at: 7 }, () => known.push("ahead"));
  const cancel = reader.whenKnown(ROOM, { epoch: "a", at: 8 }, () => known.push("cancelled"));
  cancel();
  expect([known.length, reads.length]).toStrictEqual([2, 1]);
  await answer(tail("a", 6, 7));
  expect(known).toStrictEqual(["here", "other", "ahead"]);
  expect(told).toStrictEqual(["a6", "a7"]);
});

test("R4: the same offset of another epoch is no continuation", async () => {
  await follow(tail("a", 1, 5));
  take(record("b", 6));
  expect(told).toStrictEqual([]);
  await answer(tail("b", 1, 6));
  // All of the other log is there, with what was in the one before.
  const before = [1, 2, 3, 4, 5].map((at) => `b${at} before`);
  expect(told).toStrictEqual(["b from 0, epoch", ...before, "b6"]);
  take(record("c", 9));
  await answer(tail("c", 4, 9));
  expect(told.slice(7)).toStrictEqual(["c from 9, epoch"]);
});

test("a log that begins with a hole, as one that was forgotten, begins behind it", async () => {
  await follow(tail("a", 1, 5));
  take({ ...record("b", 1, 6), hole: true });
  await answer({ ...tail("b", 1, 2), records: [{ ...record("b", 1, 6), hole: true }, record("b", 2, 7)] });
  expect(told).toStrictEqual(["b from 1, epoch", "b2"]);
});

test("R5: what is on its way from an epoch that was left is dropped, and costs no read", async () => {
  await follow(tail("a", 1, 5));
  take(record("b", 1));
  await answer(tail("b", 1, 1));
  take(record("a", 6), record("b", 2, 7));
  expect(told.slice(1)).toStrictEqual(["b1 before", "b2"]);
  expect(reads).toStrictEqual([]);
});

test("R5: what is on its way from an epoch before that costs one read, and not one after the other", async () => {
  await follow(tail("a", 1, 5));
  take(record("b", 1));
  await answer(tail("b", 1, 1));
  take(record("c", 1));
  await answer(tail("c", 1, 1));
  take(record("a", 6));
  await answer(tail("c", 2, 1));
  expect(reads).toStrictEqual([]);
  take(record("c", 2));
  expect(told.slice(-1)).toStrictEqual(["c2 before"]);
});

test("R5, R11: should a log go on in an epoch that was left, it is compared once more, and nothing is lost in silence", async () => {
  await follow(tail("a", 1, 5));
  reader.disconnected();
  reads = [];
  reader.connected();
  await answer(undefined);
  await clock.advance(60_000);
  take(record("a", 9));
  expect(told).toStrictEqual(["none from 0, epoch"]);
  heads = [{ epoch: "a", at: 9 }];
  await clock.advance(10_000);
  await answer(tail("a", 9, 9));
  expect(told.at(-1)).toBe("a from 9, epoch");
});

test("R10: a read that ends with its connection is done again on the next, and who waits for it waits on", async () => {
  let isKnown = false;
  reader.follow(ROOM, SIZE);
  reader.whenKnown(ROOM, NOWHERE, () => (isKnown = true));
  reader.disconnected();
  const [lost] = reads.splice(0);
  lost?.answer(tail("a", 1, 9));
  await clock.advance(0);
  expect([isKnown, told]).toStrictEqual([false, []]);
  reader.connected();
  await answer(tail("a", 1, 2));
  expect([isKnown, told]).toStrictEqual([true, ["a from 2"]]);
});

test("what was missed in an outage is told when it is over, without anything new", async () => {
  await follow(tail("a", 1, 2));
  reader.disconnected();
  const known: string[] = [];
  reader.whenKnown(ROOM, { epoch: "a", at: 1 }, () => known.push("in the outage"));
  expect(known).toHaveLength(1);
  reader.connected();
  expect(await answer(tail("a", 3, 4))).toStrictEqual({ epoch: "a", at: 2 });
  expect(told).toStrictEqual(["a3", "a4"]);
});

test("a read that the engine refuses is reported once for each connection, and tried again later", async () => {
  reader.follow(ROOM, SIZE);
  for (const count of [1, 1, 2]) {
    if (count === 2) {
      reader.disconnected();
      reads = [];
      reader.connected();
    }
    reads.shift()?.fail();
    await clock.advance(1_000);
    expect([failures, reads.length]).toStrictEqual([count, 1]);
  }
  await answer(tail("a", 1, 2));
  expect(told).toStrictEqual(["a from 2"]);
});

test("R11: a room that has fallen silent is compared with the engine once", async () => {
  await follow(tail("a", 1, 2));
  take(record("a", 3));
  heads = [{ epoch: "a", at: 4 }];
  await clock.advance(10_000);
  expect(audits).toStrictEqual([[ROOM]]);
  await answer(tail("a", 4, 4));
  expect(told).toStrictEqual(["a3", "a4"]);
  await clock.advance(10_000);
  expect([audits.length, reads.length]).toStrictEqual([2, 0]);
  await clock.advance(60_000);
  expect(audits).toHaveLength(2);
});

test("R11: a log that has ended is no gap until there is another one", async () => {
  await follow(tail("a", 1, 2));
  heads = [undefined];
  await clock.advance(10_000);
  expect([audits.length, reads.length, told]).toStrictEqual([1, 0, []]);
});

test("R12: an entry that is appended again in a new epoch is told as one of before", async () => {
  await follow(tail("a", 1, 4));
  take(record("a", 5));
  take(record("b", 1, 100));
  await answer(tail("b", 1, 1));
  take(record("b", 2, 5), record("b", 3, 6), record("b", 4, 1, "another"));
  expect(told.slice(2)).toStrictEqual(["b1 before", "b2 before", "b3", "b4"]);
});

test("R12: what was in a log before this node followed it is of before when it is appended again in another", async () => {
  await follow(tail("a", 1, 5));
  take(record("b", 1, 100));
  await answer(tail("b", 1, 1));
  take(record("b", 2, 5));
  expect(told.slice(1)).toStrictEqual(["b1 before", "b2 before"]);
});

test("an entry that is twice in one log is told as such", async () => {
  await follow(tail("a", 1, 2));
  take(record("a", 3, 2), record("a", 4, 5), record("a", 5, 5));
  expect(told).toStrictEqual(["a3 again", "a4", "a5 again"]);
});

test("R13: the first entry of a channel without a log goes on, and any other is a gap", async () => {
  await follow(undefined);
  take(record("a", 1), record("a", 2));
  expect(told).toStrictEqual(["a from 0", "a1", "a2"]);
  expect(reads).toStrictEqual([]);
  reader.unfollow(ROOM);
  await follow(undefined);
  take(record("b", 2));
  await answer(tail("b", 1, 2));
  expect(told).toStrictEqual(["b from 0, epoch", "b1", "b2"]);
});

test("R13: whoever did not hear the channel all along may have missed a log that came and went", async () => {
  await follow(undefined);
  reader.disconnected();
  reader.connected();
  await answer(undefined);
  expect(told).toStrictEqual(["none from 0, epoch"]);
});

test("a channel that is followed no longer tells nothing", async () => {
  await follow(tail("a", 1, 2));
  reader.unfollow(ROOM);
  take(record("a", 3));
  reader.follow(ROOM, SIZE);
  reader.stop();
  await answer(tail("a", 1, 3));
  expect(told).toStrictEqual([]);
});
