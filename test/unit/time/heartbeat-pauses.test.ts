import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RAISING } from "../../support/raising.ts";
import { Heartbeat } from "../../../src/time/heartbeat.ts";
import { PausingLoop } from "./pausing-loop.ts";

interface Being {
  askedIn: number;
  phase: number;
  bytesAhead: number;
  isPaused: boolean;
  readonly id: string;
}

test("whenever and for however long the loop stands still, those who answer in time stay, and the silent go", async () => {
  const { interval, timeout } = { interval: 30, timeout: 24 };
  const pauses = fc.array(
    fc.record({ steps: fc.integer({ min: 1, max: 60 }), length: fc.integer({ min: 1, max: 80 }) }),
    { maxLength: 20 },
  );
  const members = fc.array(
    fc.record({
      isSilent: fc.boolean(),
      /** Whether the question is only queued, and written by an immediate. */
      isQueued: fc.boolean(),
      answer: fc.oneof(
        fc.record({ after: fc.integer({ min: 0, max: timeout - 1 }), inflating: fc.constant(0) }),
        // What is compressed is inflated by another thread, once it was read.
        fc.record({ after: fc.integer({ min: 0, max: timeout / 2 - 1 }), inflating: fc.integer({ min: 1, max: 5 }) }),
      ),
      /** When nothing is read from the member, and when reading goes on. */
      pause: fc.option(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 100 })), {
        nil: undefined,
      }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(pauses, members, async (stops, all) => {
      const loop = new PausingLoop(stops);
      const present = new Map<string, Being>();
      const lost: string[] = [];
      const heartbeat = new Heartbeat<Being>({ interval, timeout }, present, loop, {
        ...RAISING,
        ping: (member) => {
          const { isSilent, isQueued, answer } = all[Number(member.id)]!;
          if (isSilent) return;
          const take = (): void => {
            member.askedIn = 0;
          };
          const write = (): void => {
            const read = answer.inflating === 0 ? take : () => loop.arriveIn(answer.inflating, () => true, take);
            loop.arriveIn(answer.after, () => !member.isPaused, read);
          };
          if (isQueued) setImmediate(write);
          else write();
        },
        lost: (member) => {
          lost.push(member.id);
          expect(member.isPaused).toBe(false);
          present.delete(member.id);
        },
      });
      for (const [index, { pause }] of all.entries()) {
        const id = String(index);
        const member = { askedIn: 0, phase: heartbeat.nextPhase(), bytesAhead: 0, isPaused: false, id };
        present.set(id, member);
        if (pause === undefined) continue;
        loop.setTimeout(() => (member.isPaused = true), pause[0]);
        loop.setTimeout(() => {
          member.isPaused = false;
          member.askedIn = 0;
        }, pause[0] + pause[1]);
      }
      heartbeat.start();
      await loop.run(2_000);
      heartbeat.stop();
      const silent = all.flatMap(({ isSilent }, index) => (isSilent ? [String(index)] : []));
      expect(lost.toSorted()).toEqual(silent.toSorted());
    }),
    { numRuns: 100 },
  );
});
