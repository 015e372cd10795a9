import type { Stream } from "../server/messages.ts";
import { streamTo } from "../scenarios/audience.ts";
import { openLoop } from "../scenarios/loads.ts";
import { onStage, RECORDED_ROOMS, type SliceSetup } from "./slice.ts";

const ROOMS = 100;

/** As many as the rule keeps: see `bench/peers/hub.ts`. */
const EVENTS_IN_A_ROOM = 1_000;

const SIZE = 100;

/** Bytes of a frame's header, for messages of this size. */
const HEADER = 2;

/** Messages before those that are counted, to rooms that nobody records. */
const WARM_UP = 20_000;

const SECONDS = 1;

/**
 * Fills the rings of 100 rooms, and returns the memory that they take, relative to 1.15 times the bytes of their events and
 * 24 bytes for each.
 */
export function ringMemory(setup: Omit<SliceSetup, "size" | "recorded">): Promise<number> {
  return onStage({ ...setup, size: SIZE, recorded: RECORDED_ROOMS }, async (stage) => {
    const send = (streams: readonly Stream[], count: number): Promise<unknown> =>
      stage.broadcast(openLoop(streams, count / SECONDS, SECONDS));
    await send([streamTo("o0", ROOMS, 0)], WARM_UP);
    const before = await stage.memory();
    const rooms = Array.from({ length: ROOMS }, (_, room) => streamTo(`r${room}`, room, 0));
    await send(rooms, ROOMS * EVENTS_IN_A_ROOM);
    const after = await stage.memory();
    const events = ROOMS * EVENTS_IN_A_ROOM;
    const budget = 1.15 * ROOMS * bytesOf(EVENTS_IN_A_ROOM) + 24 * events;
    return (after.heap - before.heap) / budget;
  });
}

/** Bytes of the frames of so many events in one room, each with its position. */
function bytesOf(events: number): number {
  let bytes = 0;
  for (let at = 1; at <= events; at++) bytes += HEADER + SIZE + `"at":${at},`.length;
  return bytes;
}
