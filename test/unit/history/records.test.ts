import { VirtualClock } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import { Records, type RoomRecord } from "../../../src/history/records.ts";
import { Rules } from "../../../src/history/rules.ts";

const MINUTE = 60_000;

function createRecords(maxBytes = 1_000_000) {
  const clock = new VirtualClock();
  const rules = new Rules({
    rooms: { "long*": { size: 10, age: 60 * MINUTE }, "*": { size: 10, age: MINUTE } },
    maxBytes,
  });
  const used = new Set<string>();
  const records = new Records({ rules, codecs: 1, clock, feed: undefined, isUsed: (room) => used.has(room) });
  const of = (room: string): RoomRecord => {
    const rule = rules.of(room);
    if (rule === undefined) throw new Error(`There is no rule for ${room}.`);
    return records.of(room, rule);
  };
  const say = (room: string, size = 100): void => {
    const record = of(room);
    const frames = [new OutgoingFrame("x".repeat(size))];
    records.append(record, { at: record.ring.head + 1, time: clock.wall(), frames, note: "", key: undefined });
  };
  return { clock, records, used, of, say };
}

describe("records", () => {
  test("end with the silence of their rooms, each as its rule says", async () => {
    const { clock, records, say } = createRecords();
    say("long");
    say("short");
    await clock.advance(MINUTE / 2);
    say("later");
    await clock.advance(MINUTE / 2);
    expect([records.entries, records.size]).toStrictEqual([2, 3]);
    await clock.advance(MINUTE / 2);
    expect(records.entries).toBe(1);
    await clock.advance(3 * MINUTE);
    expect([records.entries, records.size]).toStrictEqual([1, 1]);
    await clock.advance(4 * 60 * MINUTE);
    expect([records.entries, records.size, records.byteLength]).toStrictEqual([0, 0, 0]);
  });

  test("without events stay while their rooms have members, and for once to twice their age after that", async () => {
    const { clock, records, used, of } = createRecords();
    used.add("room");
    const { epoch } = of("room");
    await clock.advance(10 * MINUTE);
    expect(of("room").epoch).toBe(epoch);
    used.delete("room");
    await clock.advance(MINUTE - 1);
    expect(records.size).toBe(1);
    await clock.advance(2 * MINUTE);
    expect(records.size).toBe(0);
    expect(of("room").epoch).not.toBe(epoch);
  });

  test("without events and members are forgotten when there are very many", () => {
    const { records, used, of } = createRecords();
    for (let room = 0; room < 100; room++) {
      used.add(`used ${room}`);
      of(`used ${room}`);
    }
    const epochs = [...used].map((room) => of(room).epoch);
    for (let room = 0; room < 50_000; room++) of(`empty ${room}`);
    expect(records.size).toBeLessThanOrEqual(16_384 + 1);
    expect([...used].map((room) => of(room).epoch)).toStrictEqual(epochs);
  });

  test("lose the oldest events of the rooms that were silent longest, over all rules", async () => {
    const { clock, records, of, say } = createRecords(40_000);
    for (const room of ["long a", "short a", "long b", "short b"]) {
      say(room, 9_000);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await clock.advance(1);
    }
    const counts = (): readonly number[] =>
      ["long a", "short a", "long b", "short b"].map((room) => of(room).ring.count);
    expect(counts()).toStrictEqual([1, 1, 1, 1]);
    say("short c", 9_000);
    expect(counts()).toStrictEqual([0, 1, 1, 1]);
    say("short a", 9_000);
    expect(counts()).toStrictEqual([0, 2, 0, 1]);
    expect(records.byteLength).toBeLessThanOrEqual(40_000);
    // Who was in the room can go on from its end.
    expect([of("long a").ring.floor, of("long a").ring.head]).toStrictEqual([1, 1]);
  });

  test("that are forgotten are known to be, and their timer ends with them", async () => {
    const { clock, records, of, say } = createRecords();
    say("room");
    const record = of("room");
    expect(records.forget("room")).toBe(true);
    expect(records.forget("room")).toBe(false);
    expect(record.isForgotten).toBe(true);
    expect(of("room").epoch).not.toBe(record.epoch);
    records.stop();
    await clock.advance(10 * MINUTE);
    expect([records.size, records.byteLength]).toStrictEqual([0, 0]);
  });
});
