import { VirtualClock } from "roomcast/testing";
import { expect, test } from "vitest";
import type { Codecs } from "../../../src/delivery/codecs.ts";
import { OutgoingFrame } from "../../../src/delivery/outgoing-frame.ts";
import { Follower } from "../../../src/history/follower.ts";
import type { Notices } from "../../../src/history/notices.ts";
import { Records } from "../../../src/history/records.ts";
import { Rules, type Rule } from "../../../src/history/rules.ts";
import { zeroHistoryCounters } from "../../../src/history/statistics.ts";
import type { Members } from "../../../src/members/members.ts";
import type { LoggedEvent, RoomFeed, RoomTail } from "../../../src/members/room-feed.ts";

const ROOM = "room";

const event: LoggedEvent = {
  at: 1,
  time: 0,
  exceptRooms: [],
  exceptSockets: [],
  uncompressed: false,
  overload: undefined,
  frames: [OutgoingFrame.of(Buffer.from([0x81, 0x01, 0x78]), true)],
};

/** The end of a log without entries. */
function empty(epoch: string): RoomTail {
  return { epoch, head: 0, floor: 0, events: [] };
}

test("R12: who was told of a gap does not get again what was told before, also when the log begins only later", () => {
  const rules = new Rules({ rooms: { [ROOM]: { size: 10, age: 1_000 } } });
  const codecs = { all: [{}], encodingOf: () => new Map() } as unknown as Codecs;
  const feed = { follow: () => {}, unfollow: () => {} } as unknown as RoomFeed;
  const records = new Records({ rules, codecs: 1, clock: new VirtualClock(), feed, isUsed: () => true });
  const members = { rooms: new Map([[ROOM, new Set([{ id: "witness" }])]]) } as unknown as Members;
  const notices = { gap: () => {}, position: () => {} } as unknown as Notices;
  const excepted: (readonly string[])[] = [];
  const follower = new Follower({
    codecs,
    counters: zeroHistoryCounters(),
    members,
    notices,
    records,
    deliver: (_record, _at, { exceptSockets }) => excepted.push(exceptSockets),
  });
  records.of(ROOM, rules.of(ROOM) as Rule);
  follower.begun(ROOM, empty("a"));
  follower.recorded(ROOM, event, "new");
  follower.begun(ROOM, undefined, "epoch");
  follower.begun(ROOM, empty("b"));
  follower.recorded(ROOM, event, "before");
  expect(excepted).toStrictEqual([[], ["witness"]]);
  records.stop();
});
