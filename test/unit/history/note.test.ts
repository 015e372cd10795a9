import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isExcepted, isUncompressed, noteOf } from "../../../src/history/note.ts";

const ids = fc.array(fc.oneof(fc.stringMatching(/^[\w-]{1,5}$/), fc.string({ maxLength: 5 })), { maxLength: 3 });

test("a note says who was left out and how an event goes, whatever the names are", () => {
  const arbitrary = fc.record({ exceptSockets: ids, exceptRooms: ids, uncompressed: fc.boolean() });
  fc.assert(
    fc.property(arbitrary, ids, ids, (noted, sockets, rooms) => {
      const note = noteOf(noted);
      expect(isUncompressed(note)).toBe(noted.uncompressed);
      const isOut =
        noted.exceptSockets.some((id) => sockets.includes(id)) ||
        noted.exceptRooms.some((room) => rooms.includes(room));
      // An event without a note is for everybody, and is not asked about.
      expect(note !== "" && isExcepted(note, sockets, (room) => rooms.includes(room))).toBe(isOut);
    }),
  );
});

test("mostly there is nothing to note, or an id", () => {
  expect(noteOf({ exceptSockets: [], exceptRooms: [], uncompressed: false })).toBe("");
  expect(noteOf({ exceptSockets: ["a-socket"], exceptRooms: [], uncompressed: false })).toBe("a-socket");
});
