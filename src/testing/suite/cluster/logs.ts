import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Appended, LogPosition, LogRecord } from "../../../backplanes/backplane.ts";
import { until } from "./cluster-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { textsOf, type LogFixture } from "./log-fixture.ts";

const CHANNEL = "room:x";
const LIMITS = { size: 100, age: 60_000 };
/** A position behind which everything is new. */
const NOWHERE: LogPosition = { epoch: "", at: 0 };

/** The logs of the engine, without hubs. */
export function logCases(suite: ClusterSuite): void {
  suite.log("all nodes hear the entries of all in one order, which is that of the log", CHANNEL, async (fixture) => {
    const [count, rounds] = [fixture.nodes.length, 20];
    await Promise.all(
      fixture.nodes.map(async (node, index) => {
        for (let round = 0; round < rounds; round++) {
          const entries = [node.entry(`${index} ${round}`), node.entry(`${index} ${round}b`)];
          await node.log.append(CHANNEL, entries, LIMITS);
        }
      }),
    );
    const total = 2 * count * rounds;
    await fixture.heard(total);
    const tail = await fixture.node(0).log.read(CHANNEL, NOWHERE, total);
    assert.ok(tail !== undefined);
    const kept = tail.records.slice(-LIMITS.size);
    for (const { heard } of fixture.nodes) {
      assert.deepEqual(heard.slice(-LIMITS.size).map(plain), kept.map(plain));
      assertContiguous(heard);
    }
    // What one node has appended is in its order.
    for (const index of fixture.nodes.keys()) {
      const own = textsOf(fixture.node(0).heard).filter((text) => text.startsWith(`${index} `));
      assert.deepEqual(
        own,
        Array.from({ length: rounds }, (_, round) => [`${index} ${round}`, `${index} ${round}b`]).flat(),
      );
    }
  });

  suite.log("an append is answered with the place that everybody hears", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const places = await one.log.append(CHANNEL, [one.entry("a"), one.entry("b")], LIMITS);
    await fixture.heard(2);
    assert.deepEqual(
      places,
      two.heard.map(({ epoch, at }) => ({ epoch, at })),
    );
    assert.deepEqual(await two.log.heads([CHANNEL, "room:other"]), [places[1], undefined]);
  });

  suite.log("an entry that is appended again under its number is there once", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const [a, b, c] = [one.entry("a"), one.entry("b"), one.entry("c")];
    const places = await one.log.append(CHANNEL, [a, b], LIMITS);
    await two.log.append(CHANNEL, [two.entry("between")], LIMITS);
    assert.deepEqual(await one.log.append(CHANNEL, [a, b], LIMITS, NOWHERE), places);
    // Of these, only the last one is missing.
    const [again, last] = await one.log.append(CHANNEL, [b, c], LIMITS, NOWHERE);
    assert.deepEqual(again, places[1]);
    await fixture.heard(4);
    assert.deepEqual(textsOf(two.heard), ["a", "b", "between", "c"]);
    assert.deepEqual(last, positionOf(two.heard[3]));
  });

  suite.log("a retry of which nobody can tell any more leaves a hole for each entry", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const [lost, next] = [one.entry("lost"), one.entry("next")];
    const limits = { ...LIMITS, size: 5 };
    await two.log.append(CHANNEL, [two.entry("first")], limits);
    const [before] = await two.log.append(CHANNEL, [two.entry("second")], limits);
    assert.ok(typeof before === "object");
    await flood(fixture, 1, before, limits);
    const count = one.heard.length;
    assert.deepEqual(await one.log.append(CHANNEL, [lost, next], limits, before), ["unknown", "unknown"]);
    await fixture.heard(count + 2);
    assert.deepEqual(textsOf(two.heard.slice(-2)), ["hole", "hole"]);
    assertContiguous(two.heard);
    // They have the numbers of what they stand for: tried once more, nothing is added.
    assert.deepEqual(await one.log.append(CHANNEL, [lost, next], limits, before), ["unknown", "unknown"]);
    const after = one.entry("after");
    await one.log.append(CHANNEL, [after], limits);
    await fixture.heard(count + 3);
    assert.deepEqual(textsOf(two.heard.slice(count)), ["hole", "hole", "after"]);
  });

  suite.log("a retry is appended if nothing was trimmed since the first attempt", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const [before] = await two.log.append(CHANNEL, [two.entry("first")], LIMITS);
    assert.ok(typeof before === "object");
    const [place] = await one.log.append(CHANNEL, [one.entry("late")], LIMITS, before);
    await fixture.heard(2);
    assert.deepEqual(textsOf(two.heard), ["first", "late"]);
    assert.deepEqual(place, positionOf(two.heard[1]));
  });

  suite.log("reading goes on behind a position, in parts", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const texts = Array.from({ length: 10 }, (_, index) => `${index}`);
    const places = await one.log.append(
      CHANNEL,
      texts.map((text) => one.entry(text)),
      LIMITS,
    );
    const third = places[2] as LogPosition;
    const part = await two.log.read(CHANNEL, third, 4);
    assert.deepEqual(textsOf(part?.records ?? []), ["3", "4", "5", "6"]);
    assert.deepEqual({ epoch: part?.epoch, head: part?.head, floor: part?.floor }, { ...headOf(places), floor: 0 });
    assert.equal(part?.records[0]?.previous, third.at);
    const end = await two.log.read(CHANNEL, places.at(-1) as LogPosition, 4);
    assert.deepEqual({ records: end?.records, head: end?.head }, { records: [], head: headOf(places).head });
    // Whoever has a position of another epoch gets the end of the log.
    const other = await two.log.read(CHANNEL, { ...third, epoch: "other" }, 4);
    assert.deepEqual(textsOf(other?.records ?? []), ["6", "7", "8", "9"]);
    assert.equal(await two.log.read("room:other", third, 4), undefined);
  });

  suite.log("the oldest entries go, and a position before them is told from one behind", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    const limits = { ...LIMITS, size: 5 };
    const [first] = await one.log.append(CHANNEL, [one.entry("first")], limits);
    assert.ok(typeof first === "object");
    await flood(fixture, 0, first, limits);
    const tail = await two.log.read(CHANNEL, first, 3);
    assert.ok(tail !== undefined && tail.floor > first.at && tail.records.length === 3);
    assert.equal(tail.records.at(-1)?.at, tail.head);
    const behind = await two.log.read(CHANNEL, { epoch: tail.epoch, at: tail.floor }, 3);
    assert.ok(behind !== undefined && behind.records[0]?.previous === tail.floor);
    assert.ok(((await two.log.read(CHANNEL, NOWHERE, 1_000_000))?.records.length as number) >= limits.size);
  });

  suite.log(
    "a log ends with the silence of its channel, and the next one has another epoch",
    CHANNEL,
    async (fixture) => {
      const [one, two] = [fixture.node(0), fixture.node(1)];
      const [before] = await one.log.append(CHANNEL, [one.entry("a")], { ...LIMITS, age: 50 });
      await expired(fixture);
      assert.deepEqual(await two.log.heads([CHANNEL]), [undefined]);
      const [after] = await one.log.append(CHANNEL, [one.entry("b")], LIMITS);
      await fixture.heard(2);
      assert.notEqual(epochOf(after), epochOf(before));
      assert.equal(two.heard[1]?.previous, 0);
    },
  );

  suite.log(
    "a log that was forgotten is gone for all, and the next one has another epoch",
    CHANNEL,
    async (fixture) => {
      const [one, two] = [fixture.node(0), fixture.node(1)];
      const [before] = await one.log.append(CHANNEL, [one.entry("a"), one.entry("b")], LIMITS);
      await two.log.forget(CHANNEL);
      assert.equal(await one.log.read(CHANNEL, NOWHERE, 10), undefined);
      const [after] = await one.log.append(CHANNEL, [one.entry("c")], LIMITS);
      const tail = await two.log.read(CHANNEL, before as LogPosition, 10);
      assert.deepEqual(textsOf(tail?.records ?? []), ["c"]);
      assert.equal(tail?.epoch, epochOf(after));
      assert.notEqual(epochOf(after), epochOf(before));
    },
  );

  suite.log("what is published to a channel has no place in its log, whatever its bytes", CHANNEL, async (fixture) => {
    const [one, two] = [fixture.node(0), fixture.node(1)];
    await one.log.append(CHANNEL, [one.entry("a")], LIMITS);
    const envelopes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte, byte, 1));
    await Promise.all(envelopes.map((envelope) => one.backplane.publish(CHANNEL, envelope)));
    await one.log.append(CHANNEL, [one.entry("b")], LIMITS);
    await fixture.heard(2);
    await until("all envelopes have arrived", () => two.messages.length === envelopes.length);
    assert.deepEqual(Buffer.concat(two.messages), Buffer.concat(envelopes));
    assert.deepEqual(textsOf(two.heard), ["a", "b"]);
    assertContiguous(two.heard);
  });
}

/** Appends until the entry at a position is trimmed: an engine may keep more than it has to. */
async function flood(fixture: LogFixture, index: number, from: LogPosition, limits: typeof LIMITS): Promise<void> {
  const node = fixture.node(index);
  for (let count = 0; count < 10_000; count += 100) {
    const entries = Array.from({ length: 100 }, () => node.entry("flood"));
    await node.log.append(CHANNEL, entries, limits);
    const tail = await node.log.read(CHANNEL, NOWHERE, 1);
    await fixture.heard(count + 100);
    if (tail !== undefined && tail.floor > from.at) return;
  }
  assert.fail(`The engine has kept 10,000 entries, and should keep ${limits.size}.`);
}

async function expired(fixture: LogFixture): Promise<void> {
  const { log } = fixture.node(0);
  const end = performance.now() + 20_000;
  while ((await log.read(CHANNEL, NOWHERE, 1)) !== undefined)
    assert.ok(performance.now() < end, "The log has not ended.");
}

function assertContiguous(records: readonly LogRecord[]): void {
  for (const [index, record] of records.entries()) {
    const before = records[index - 1];
    if (before === undefined) continue;
    assert.deepEqual([record.epoch, record.previous], [before.epoch, before.at]);
    assert.ok(record.at > before.at);
  }
}

function plain({ epoch, at, previous, origin, number, envelope, hole }: LogRecord): unknown {
  return { epoch, at, previous, origin, number, text: textsOf([{ origin, number, envelope }]), hole };
}

function positionOf(record: LogRecord | undefined): LogPosition | undefined {
  return record && { epoch: record.epoch, at: record.at };
}

function epochOf(place: Appended | undefined): string | undefined {
  return typeof place !== "object" ? undefined : place.epoch;
}

function headOf(places: readonly Appended[]): { readonly epoch: string; readonly head: number } {
  const last = places.at(-1) as LogPosition;
  return { epoch: last.epoch, head: last.at };
}
