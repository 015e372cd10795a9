import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ring } from "../../../src/history/ring.ts";

interface Kept {
  readonly at: number;
  readonly time: number;
  readonly frames: readonly Buffer[];
  readonly note: string;
  readonly key: string | undefined;
}

/** The ring as it would be if memory were free: a list of objects. */
class Model {
  kept: Kept[] = [];
  head = 0;
  floor = 0;
  readonly #size: number;
  readonly #keepsLatest: boolean;

  constructor(size: number, keepsLatest: boolean, start: number) {
    this.head = this.floor = start;
    this.#size = size;
    this.#keepsLatest = keepsLatest;
  }

  push(at: number, time: number, frames: readonly Buffer[], note: string, key?: string): void {
    this.head = at;
    if (key !== undefined && this.#keepsLatest) this.kept = this.kept.filter((entry) => entry.key !== key);
    this.kept.push({ at, time, frames, note, key });
    if (this.kept.length > this.#size) this.trimTo(this.kept[1]?.at ?? 0);
  }

  /** Trims what comes before this position. */
  trimTo(at: number): void {
    this.floor = this.kept.findLast((entry) => entry.at < at)?.at ?? this.floor;
    this.kept = this.kept.filter((entry) => entry.at >= at);
  }

  isNewest(at: number): boolean {
    const key = this.kept.find((entry) => entry.at === at)?.key;
    return key !== undefined && this.kept.findLast((entry) => entry.key === key)?.at === at;
  }
}

type Step =
  | { readonly push: number; readonly skip: number; readonly note: string; readonly key: string | undefined }
  | { readonly trim: "chunk" | "all" };

const push = fc.record({
  push: fc.oneof({ weight: 8, arbitrary: fc.nat(400) }, { weight: 1, arbitrary: fc.integer({ max: 40_000, min: 0 }) }),
  skip: fc.constantFrom(0, 0, 0, 3, 2 ** 31, 2 ** 33),
  note: fc.constantFrom("", "", "a-socket", '{"rooms":["ü"]}'),
  key: fc.constantFrom(undefined, undefined, "a", "b", "c"),
});
const trim = fc.record({ trim: fc.constantFrom<"chunk" | "all">("chunk", "chunk", "all") });
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>({ weight: 60, arbitrary: push } as never, { weight: 1, arbitrary: trim } as never),
  { maxLength: 400 },
);

const CODECS = 2;

function frameOf(at: number, codec: number, size: number): Buffer {
  return Buffer.alloc(size + codec, `${at}/${codec};`);
}

describe("a ring", () => {
  test("holds what a list would hold, in every codec, and counts its memory", () => {
    const arbitrary = fc.record({
      size: fc.integer({ min: 1, max: 120 }),
      start: fc.constantFrom(0, 0, 5, 2 ** 40),
      keepsLatest: fc.boolean(),
      steps,
    });
    fc.assert(
      fc.property(arbitrary, (program) => {
        let sized = 0;
        const { size, start, keepsLatest } = program;
        const counted = (difference: number): void => void (sized += difference);
        const ring = new Ring({ codecs: CODECS, size, keyed: true, keepsLatest, start, sized: counted });
        const model = new Model(size, keepsLatest, start);
        for (const step of program.steps) {
          if ("push" in step) {
            const at = model.head + 1 + step.skip;
            const frames = [0, 1].map((codec) => frameOf(at, codec, step.push));
            ring.push(
              at,
              model.head,
              frames.map((bytes) => ({ bytes })),
              step.note,
              step.key,
            );
            model.push(at, model.head, frames, step.note, step.key);
          } else if (step.trim === "chunk") {
            ring.trimChunk();
            // How much a chunk holds is not its user's business, but that it is the oldest that goes.
            const [first] = ring.read(ring.floor, 0, 0);
            model.trimTo(first?.at ?? model.head + 1);
          } else {
            ring.clear();
            model.kept = [];
            model.floor = model.head;
          }
          expect(ring.byteLength).toBe(sized);
        }
        compare(ring, model);
      }),
      { numRuns: 150 },
    );
  });

  test("takes little more memory than its bytes, and 24 for each event", () => {
    let bytes = 0;
    const ring = new Ring({ codecs: 1, size: 2_000, keyed: false, keepsLatest: false, sized: () => {} });
    for (let count = 0; count < 10_000; count++) {
      const frame = Buffer.alloc(100 + (count % 100));
      if (count >= 8_000) bytes += frame.length;
      ring.push(ring.head + 1, 0, [{ bytes: frame }], "");
    }
    expect(ring.count).toBe(2_000);
    expect(ring.byteLength).toBeLessThan(1.15 * bytes + 24 * ring.count);
  });

  test("with one small event takes less than two kilobytes", () => {
    const ring = new Ring({ codecs: 1, size: 1_000, keyed: false, keepsLatest: false, sized: () => {} });
    ring.push(ring.head + 1, 0, [{ bytes: Buffer.alloc(100) }], "");
    expect(ring.byteLength).toBeLessThan(2_048);
  });

  test("takes no more memory the longer the same keys are used", () => {
    const ring = new Ring({ codecs: 1, size: 100, keyed: true, keepsLatest: true, sized: () => {} });
    for (let count = 0; count < 10_000; count++)
      ring.push(ring.head + 1, 0, [{ bytes: Buffer.alloc(100) }], "", `key ${count % 10}`);
    expect(ring.count).toBe(10);
    expect(ring.byteLength).toBeLessThan(40_000);
    expect(ring.floor).toBe(0);
  });

  test("does not change what it has handed out, whatever is trimmed and appended", () => {
    const ring = new Ring({ codecs: 1, size: 10, keyed: false, keepsLatest: false, sized: () => {} });
    ring.push(ring.head + 1, 0, [{ bytes: Buffer.from("first") }], "");
    const [entry] = ring.read(0, 0, 1_000);
    for (let count = 0; count < 5_000; count++)
      ring.push(ring.head + 1, 0, [{ bytes: Buffer.alloc(100, "other") }], "");
    expect(entry?.frame.toString()).toBe("first");
  });
});

function compare(ring: Ring, model: Model): void {
  expect(ring.head).toBe(model.head);
  expect(ring.floor).toBe(model.floor);
  expect(ring.count).toBe(model.kept.length);
  for (let codec = 0; codec < CODECS; codec++) {
    const all = model.kept.map(({ at, time, note, frames }) => [at, time, note, String(frames[codec])]);
    const entries = ring.read(0, codec, Number.POSITIVE_INFINITY);
    expect(entries.map(({ at, time, note, frame }) => [at, time, note, String(frame)])).toStrictEqual(all);
  }
  for (const after of [0, ring.floor, Math.floor((ring.floor + ring.head) / 2), ring.head]) {
    const most = 1_000;
    const entries = ring.read(after, 0, most);
    const behind = model.kept.filter(({ at }) => at > after);
    expect(entries.map(({ at }) => at)).toStrictEqual(behind.slice(0, entries.length).map(({ at }) => at));
    const next = behind[entries.length]?.frames[0]?.length ?? Number.POSITIVE_INFINITY;
    const taken = entries.reduce((sum, { frame }) => sum + frame.length, 0);
    expect(entries.length === 1 || taken <= most).toBe(true);
    expect(behind.length === 0 || (entries.length > 0 && taken + next > most)).toBe(true);
  }
  for (const { at } of model.kept) expect(ring.isNewest(at)).toBe(model.isNewest(at));
  for (const count of [1, 2, 7, 30, 100]) {
    const [first] = ring.read(ring.before(count), 0, 0);
    const framed = model.kept.filter(({ frames }) => frames[0]?.length !== 0);
    expect(first?.at).toBe(framed.at(-count)?.at ?? model.kept[0]?.at);
  }
}

test("what has no frame is not counted among the last events, and is trimmed as others are", () => {
  const ring = new Ring({ codecs: 1, size: 4, keyed: false, keepsLatest: false, sized: () => {} });
  const add = (at: number, text: string): void => ring.push(at, 0, [{ bytes: Buffer.from(text) }], "");
  for (const [index, text] of ["a", "", "b", ""].entries()) add(index + 1, text);
  expect([ring.before(1), ring.before(2), ring.before(3)]).toStrictEqual([2, 0, 0]);
  for (const at of [5, 6, 7, 8]) add(at, "c");
  expect([ring.before(1), ring.before(4), ring.floor]).toStrictEqual([7, 4, 4]);
});
