import { setImmediate as turn } from "node:timers/promises";
import { HubError } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { SupervisedBackplane } from "../../../src/backplanes/shared/supervised.ts";
import { roomChannel } from "../../../src/cluster/channels.ts";
import { Interest } from "../../../src/cluster/interest.ts";
import { ScriptedSession } from "../backplanes/scripted-session.ts";

const GRACE = 2_000;

let clock: VirtualClock;
let session: ScriptedSession;
let interest: Interest;
/** For each refusal, whether it was the first on its connection. */
let refusals: boolean[];

beforeEach(async () => {
  clock = new VirtualClock();
  session = new ScriptedSession();
  refusals = [];
  const backplane = new SupervisedBackplane(true, async () => session);
  interest = new Interest(backplane, clock, GRACE);
  await new Promise<void>((resolve) => {
    backplane.start({
      message: () => {},
      up: () => resolve(),
      down: () => interest.forgetRefusals(),
      refused: (channel, cause) => {
        refusals.push(interest.refuse(channel, new HubError("ERR_HUB_BACKPLANE", "Refused.", { cause })));
      },
    });
  });
  onTestFinished(() => backplane.close());
});

test.each([0, GRACE - 1, GRACE])(
  "a refused room that has its first member again after %i ms is asked for again",
  async (delay) => {
    session.refuses = () => true;
    interest.rooms.appeared("a");
    await expect(interest.synced(roomChannel("a"))).rejects.toThrow(HubError);
    interest.rooms.vanished("a");
    await clock.advance(delay);
    session.refuses = () => false;
    interest.rooms.appeared("a");
    await interest.synced(roomChannel("a"));
    expect([...session.heard]).toEqual([roomChannel("a")]);
    // It is held, and not released for the member that has left.
    await clock.advance(2 * GRACE);
    await turn();
    expect([...session.heard]).toEqual([roomChannel("a")]);
  },
);

test("one refusal on a connection is the first, also when all refused rooms have gone", async () => {
  session.refuses = () => true;
  for (const room of ["a", "b", "c"]) {
    interest.rooms.appeared(room);
    await expect(interest.synced(roomChannel(room))).rejects.toThrow(HubError);
    interest.rooms.vanished(room);
    await clock.advance(GRACE);
  }
  expect([interest.refusals, refusals]).toEqual([[], [true, false, false]]);
  interest.forgetRefusals();
  interest.rooms.appeared("d");
  await expect(interest.synced(roomChannel("d"))).rejects.toThrow(HubError);
  expect(refusals).toEqual([true, false, false, true]);
});

test("a channel that several hold stays until the last of them has released it", async () => {
  interest.rooms.appeared("a");
  interest.hold(roomChannel("a"));
  await interest.synced(roomChannel("a"));
  interest.rooms.vanished("a");
  await clock.advance(2 * GRACE);
  expect(interest.has(roomChannel("a"))).toBe(true);
  interest.rooms.appeared("a");
  interest.release(roomChannel("a"));
  await clock.advance(2 * GRACE);
  expect(interest.has(roomChannel("a"))).toBe(true);
  interest.rooms.vanished("a");
  await clock.advance(GRACE);
  expect(interest.has(roomChannel("a"))).toBe(false);
});
