import { afterEach, describe, expect, test } from "vitest";
import { StormClient } from "../../../bench/history/storm-client.ts";
import { RawPeer } from "./raw-peer.ts";
import { serverFrame } from "./server-frames.ts";

const MISSED = 2;

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

function record(room: number, at: number, gap?: string): object {
  return { event: "hub:record", data: { room: `r${room}`, stream: "epoch.id", at, gap } };
}

/** The codec of a hub puts the position first. */
function event(room: number, at: number): object {
  return { at, event: "m", room: `r${room}`, data: "text" };
}

function reply(room: number): object {
  return { reply: room };
}

/** Makes a client in the rooms 3 and 14 come back, and sends it this. Returns what becomes of it. */
async function returning(...packets: readonly object[]): Promise<{ readonly outcome: Promise<string> }> {
  const peer = await RawPeer.listen();
  cleanup.push(() => peer.close());
  const client = new StormClient(7, [3, 14]);
  cleanup.push(() => client.lose());
  const plan = { port: peer.port, compression: false, from: "127.0.0.1" };
  const { caughtUp } = await client.connect(plan, { letter: "r", missed: MISSED });
  const frames = packets.map((packet) => serverFrame(0x81, JSON.stringify(packet)));
  await peer.send(7, frames);
  return { outcome: outcomeOf(caughtUp) };
}

async function outcomeOf(caughtUp: Promise<void>): Promise<string> {
  try {
    await caughtUp;
    return "caught up";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Resolves a moment later. */
async function moment(): Promise<string> {
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  return "waits";
}

const FIRST = [record(3, 5), event(3, 6), event(3, 7), reply(3)];
const SECOND = [record(14, 0), event(14, 1), event(14, 2), reply(14)];

describe("a client of the storm", () => {
  test("has caught up when it has what it missed, and is in its rooms", async () => {
    const { outcome } = await returning(...FIRST, ...SECOND);
    expect(await outcome).toBe("caught up");
  });

  test.each([
    ["a reply", [...FIRST, ...SECOND.slice(0, 3)]],
    ["an event", [...FIRST, ...SECOND.slice(0, 2), reply(14)]],
  ])("waits for what is missing: %s", async (_, packets) => {
    const { outcome } = await returning(...packets);
    expect(await Promise.race([outcome, moment()])).toBe("waits");
  });

  test.each([
    ["an event that was left out", [record(3, 5), event(3, 7)], "at 5 was sent"],
    ["an event that came twice", [record(3, 5), event(3, 6), event(3, 6)], "at 6 was sent"],
    ["an event of another room", [...FIRST, event(15, 1)], "at undefined was sent"],
    ["a gap", [record(3, 5, "trimmed")], "trimmed"],
    ["what is no answer", [{ event: "hub:error" }], "hub:error"],
  ])("notices %s", async (_, packets, message) => {
    const { outcome } = await returning(...packets);
    expect(await outcome).toContain(message);
  });
});
