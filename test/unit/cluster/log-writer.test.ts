import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import type { Appended, BackplaneLog, LogEntry, LogPosition } from "../../../src/backplanes/backplane.ts";
import { LogWriter } from "../../../src/cluster/log-writer.ts";

const ROOM = "room:x";
const LIMITS = { size: 10, age: 1_000 };
const END: LogPosition = { epoch: "a", at: 7 };

/** An append that waits for its answer. */
interface Append {
  readonly numbers: readonly string[];
  readonly retry: LogPosition | undefined;
  readonly answer: (all: readonly Appended[]) => void;
  readonly fail: () => void;
}

let clock: VirtualClock;
let appends: Append[];
let settled: string[];
let failures: number;
let writer: LogWriter;

beforeEach(() => {
  clock = new VirtualClock();
  [appends, settled, failures] = [[], [], 0];
  create(1_000_000);
});

function create(maxPendingBytes: number): void {
  const log: BackplaneLog = {
    append: (_channel, entries, _limits, retry) => {
      return new Promise((resolve, reject) => {
        appends.push({ numbers: entries.map(nameOf), retry, answer: resolve, fail: () => reject(new Error("No.")) });
      });
    },
    read: () => Promise.resolve(undefined),
    heads: () => Promise.resolve([]),
    forget: () => Promise.resolve(),
  };
  const report = { failed: () => failures++ };
  const places = { positionOf: () => END, isFollowed: () => false, flush: () => {} };
  writer = new LogWriter({ log, clock, origin: "n", maxPendingBytes, ...places, report });
  writer.connected();
}

function nameOf({ number, hole }: LogEntry): string {
  return `${number}${hole === true ? " hole" : ""}`;
}

function append(count = 1, byteLength = 10): void {
  for (let index = 0; index < count; index++) {
    void writer.append(ROOM, LIMITS, new Uint8Array(byteLength)).then(
      ({ at }) => settled.push(`at ${at}`),
      (error: { code: string }) => settled.push(error.code),
    );
  }
}

const at = (...places: readonly number[]): readonly Appended[] => places.map((place) => ({ epoch: "a", at: place }));

/** Answers the append that is under way. */
async function answer(all: readonly Appended[]): Promise<readonly string[] | undefined> {
  const under = appends.shift();
  under?.answer(all);
  await clock.advance(0);
  return under?.numbers;
}

test("one append is under way for a channel, and what is called for meanwhile goes together afterwards", async () => {
  append(3);
  expect(appends.map(({ numbers }) => numbers)).toStrictEqual([["1"]]);
  await answer(at(8));
  expect(await answer(at(9, 11))).toStrictEqual(["2", "3"]);
  expect(settled).toStrictEqual(["at 8", "at 9", "at 11"]);
  expect(writer.byteLength).toBe(0);
});

test("a batch has at most 64 KiB", async () => {
  append(4, 30_000);
  await answer(at(8));
  expect(await answer(at(9, 10))).toStrictEqual(["2", "3"]);
  expect(await answer(at(11))).toStrictEqual(["4"]);
});

test("R6: what was under way in an outage is tried again alone, as a retry, with the end of the log at the first attempt", async () => {
  append();
  writer.disconnected();
  appends.shift()?.fail();
  append(2);
  await clock.advance(5_000);
  expect(appends).toStrictEqual([]);
  writer.connected();
  expect(appends[0]).toMatchObject({ numbers: ["1"], retry: END });
  await answer(at(8));
  expect(appends[0]).toMatchObject({ numbers: ["2", "3"], retry: undefined });
  await answer(at(9, 10));
  expect(settled).toStrictEqual(["at 8", "at 9", "at 10"]);
});

test("an append without an answer is tried again later, as a retry", async () => {
  append();
  appends.shift()?.fail();
  await clock.advance(999);
  expect(appends).toStrictEqual([]);
  await clock.advance(1);
  expect(appends[0]).toMatchObject({ numbers: ["1"], retry: END });
});

test("an entry that is heard is confirmed, whatever becomes of the answer", async () => {
  append(1);
  writer.heard(ROOM, { origin: "n", number: 1, envelope: new Uint8Array() }, { epoch: "a", at: 8 });
  writer.disconnected();
  appends.shift()?.fail();
  writer.connected();
  append(1);
  expect(appends[0]).toMatchObject({ numbers: ["2"], retry: undefined });
  await answer(at(9));
  expect(settled).toStrictEqual(["at 8", "at 9"]);
});

test("R7: what nobody can tell of rejects", async () => {
  append();
  await answer(["unknown"]);
  append();
  writer.heard(ROOM, { origin: "n", number: 2, envelope: new Uint8Array(), hole: true }, { epoch: "a", at: 8 });
  await clock.advance(0);
  expect(settled).toStrictEqual(["ERR_HUB_BACKPLANE", "ERR_HUB_BACKPLANE"]);
});

test("R8: what is too much becomes one hole in its place, and the newest is kept", async () => {
  writer.disconnected();
  append(1_001);
  await clock.advance(0);
  expect(settled).toStrictEqual(Array.from({ length: 501 }, () => "ERR_HUB_BACKPLANE"));
  expect([failures, writer.byteLength]).toStrictEqual([1, 5_000]);
  append(501);
  writer.connected();
  const numbers = await answer([]);
  expect(numbers?.[0]).toMatch(/ hole$/);
  expect(numbers?.filter((name) => name.endsWith("hole"))).toHaveLength(1);
  expect(numbers?.at(-1)).toBe("1502");
});

test("R8: more bytes than may wait become a hole, too", async () => {
  create(1_000);
  append(1, 600);
  append(1, 300);
  append(1, 300);
  await answer(at(8));
  expect(await answer(at(9, 10))).toStrictEqual(["2 hole", "3"]);
  expect(settled).toStrictEqual(["ERR_HUB_BACKPLANE", "at 8", "at 10"]);
  append(1, 2_000);
  expect(await answer(at(11))).toStrictEqual(["4 hole"]);
  expect(writer.byteLength).toBe(0);
});

test("what the engine refuses becomes a hole, what follows is appended, and a refused hole is tried again", async () => {
  append(4);
  await answer(at(8));
  await answer([...at(9), "refused", "refused"]);
  expect(appends[0]).toMatchObject({ numbers: ["3 hole", "4"], retry: undefined });
  await answer(["refused", "refused"]);
  expect(appends).toStrictEqual([]);
  await clock.advance(1_000);
  expect(await answer(at(10, 11))).toStrictEqual(["3 hole", "4"]);
  expect(settled).toStrictEqual(["at 8", "at 9", "ERR_HUB_BACKPLANE", "at 11"]);
});

test("settled() waits for what was called for by then", async () => {
  let isSettled = false;
  append(2);
  void writer.settled()?.then(() => (isSettled = true));
  append();
  await answer(at(8));
  expect(isSettled).toBe(false);
  await answer(at(9, 10));
  expect(isSettled).toBe(true);
  await writer.settled();
});

test("stop() rejects what waits", async () => {
  append(2);
  writer.stop();
  await clock.advance(0);
  expect(settled).toStrictEqual(["ERR_HUB_CLOSED", "ERR_HUB_CLOSED"]);
  expect(writer.byteLength).toBe(0);
});
