import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch } from "../../../src/delivery/batch.ts";
import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";

const [a, b, c] = ["a", "b", "c"].map((text) => new OutgoingFrame(text)) as [
  OutgoingFrame,
  OutgoingFrame,
  OutgoingFrame,
];

describe("Batch", () => {
  test("gives the same successor to all that add the same frame", () => {
    const start = new Batch();
    const one = start.append(a);
    expect(start.append(a)).toBe(one);
    expect(one.append(b)).toBe(one.append(b));
    expect(one.append(b)).not.toBe(one);
  });

  test("tells frames apart by identity, not by content", () => {
    const start = new Batch();
    expect(start.append(new OutgoingFrame("same"))).not.toBe(start.append(new OutgoingFrame("same")));
  });

  test("branches where the sequences differ, and each branch keeps its own", () => {
    const start = new Batch();
    const shared = start.append(a);
    const left = shared.append(b);
    const right = shared.append(c);
    const leftToo = left.append(c);
    expect(shared.frames).toEqual([a]);
    expect(left.frames).toEqual([a, b]);
    expect(right.frames).toEqual([a, c]);
    expect(leftToo.frames).toEqual([a, b, c]);
    expect(right.append(b).frames).toEqual([a, c, b]);
    // Asked again for what it has forgotten, it gives an equal one, never a wrong one.
    expect(shared.append(b).frames).toEqual([a, b]);
  });

  test("is the empty sequence at first", () => {
    expect(new Batch().byteLength).toBe(0);
    expect(new Batch().frames).toEqual([]);
  });

  test("of one frame passes that frame's own bytes on", () => {
    expect(new Batch().append(a).bytes).toBe(a.bytes);
  });

  test("joins its bytes once", () => {
    const batch = new Batch().append(a).append(b);
    expect(batch.bytes).toBe(batch.bytes);
    expect(batch.frames).toBe(batch.frames);
    expect(batch.bytes.equals(Buffer.concat([a.bytes, b.bytes]))).toBe(true);
  });

  test("can still grow after its bytes were read", () => {
    const one = new Batch().append(a);
    expect(one.bytes.length).toBe(3);
    const two = one.append(b);
    expect(two.bytes.length).toBe(6);
    expect(one.frames).toEqual([a]);
  });

  test("keeps the order of 50,000 links", () => {
    let batch = new Batch();
    const frames = Array.from({ length: 50_000 }, (_, index) => new OutgoingFrame(String(index)));
    for (const frame of frames) batch = batch.append(frame);
    expect(batch.frames.length).toBe(frames.length);
    expect(batch.frames.every((frame, index) => frame === frames[index])).toBe(true);
    expect(batch.bytes.length).toBe(batch.byteLength);
  });

  test("holds the frames on the way for any walk through the tree", () => {
    const pool = ["a", "bb", "", "x".repeat(126)].map((text) => new OutgoingFrame(text));
    // Each socket is sent a frame or not; all in the order in which a program would.
    const sends = fc.array(fc.tuple(fc.nat(3), fc.subarray([0, 1, 2])), { maxLength: 30, size: "max" });
    fc.assert(
      fc.property(sends, (program) => {
        const start = new Batch();
        const sockets = [0, 1, 2].map(() => ({ batch: start, model: [] as OutgoingFrame[] }));
        for (const [frame, meant] of program) {
          for (const index of meant) {
            const socket = sockets[index] as (typeof sockets)[number];
            socket.batch = socket.batch.append(pool[frame] as OutgoingFrame);
            socket.model.push(pool[frame] as OutgoingFrame);
          }
        }
        for (const { batch, model } of sockets) {
          const bytes = Buffer.concat(model.map((frame) => frame.bytes));
          expect(batch.frames).toEqual(model);
          expect(batch.byteLength).toBe(bytes.length);
          expect(batch.bytes.equals(bytes)).toBe(true);
        }
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });
});
