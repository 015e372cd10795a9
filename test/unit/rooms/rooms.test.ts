import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Groups, Rooms, roomsOf, wouldExceed, type RoomMember } from "../../../src/rooms/rooms.ts";

const SEED = 20_261_123;

const room = fc.constantFrom("a", "b", "c", "__proto__");

interface Step {
  readonly act: "join" | "leave" | "read" | "remove";
  readonly member: number;
  readonly room: string;
}

const programs: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ act: fc.constantFrom("join", "leave", "read", "remove"), member: fc.nat(3), room }),
  { maxLength: 60, size: "max" },
);

/** Every membership as "member in room", from the side of the rooms. */
function fromRooms(rooms: Rooms<RoomMember>, members: readonly RoomMember[]): string[] {
  const found = [...rooms.entries].flatMap(([name, inside]) => [...inside].map((member) => [member, name] as const));
  return found.map(([member, name]) => `${members.indexOf(member)} in ${name}`).toSorted();
}

function fromMembers(members: readonly RoomMember[]): string[] {
  return members.flatMap((member, index) => roomsIn(member).map((name) => `${index} in ${name}`)).toSorted();
}

/** What `roomsOf` would show, without making the set that it makes. */
function roomsIn({ rooms }: RoomMember): string[] {
  return typeof rooms === "string" ? [rooms] : [...(rooms ?? [])];
}

describe("Rooms", () => {
  test("agrees with a list of memberships, from both sides, and keeps no empty room", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const rooms = new Rooms<RoomMember>();
        const members: RoomMember[] = [0, 1, 2, 3].map(() => ({ rooms: undefined }));
        const gone = new Set<number>();
        const model = new Set<string>();

        for (const { act, member, room: name } of program) {
          if (gone.has(member)) continue;
          const subject = members[member] as RoomMember;
          const before = roomsIn(subject);
          if (act === "join") {
            rooms.join(subject, name);
            model.add(`${member} in ${name}`);
          } else if (act === "leave") {
            rooms.leave(subject, name);
            model.delete(`${member} in ${name}`);
          } else if (act === "read") {
            roomsOf(subject);
          } else {
            rooms.remove(subject);
            gone.add(member);
            for (const joined of before) model.delete(`${member} in ${joined}`);
          }

          expect(fromRooms(rooms, members)).toEqual([...model].toSorted());
          const present = members.map((one, index) => (gone.has(index) ? { rooms: undefined } : one));
          expect(fromMembers(present)).toEqual([...model].toSorted());
          // Whoever is removed remembers where it was, and looking there changes nothing.
          expect(act === "read" || act === "remove" ? [...(roomsOf(subject) ?? [])] : before).toEqual(before);
          for (const inside of rooms.entries.values()) expect(inside.size).toBeGreaterThan(0);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("a member that never joined has no set, and leaving another room does nothing", () => {
    const rooms = new Rooms<RoomMember>();
    const member: RoomMember = { rooms: undefined };
    rooms.leave(member, "a");
    rooms.remove(member);
    expect(member.rooms).toBeUndefined();
    expect(rooms.entries.size).toBe(0);
    expect(rooms.get("a")).toBeUndefined();
  });

  test("an iteration over the rooms of a member meets what it leaves and joins meanwhile", () => {
    const rooms = new Rooms<RoomMember>();
    const member: RoomMember = { rooms: undefined };
    rooms.join(member, "a");
    const met: string[] = [];
    for (const name of roomsOf(member) ?? []) {
      met.push(name);
      rooms.leave(member, name);
      if (met.length < 3) rooms.join(member, `${name}${name}`);
    }
    expect(met).toEqual(["a", "aa", "aaaa"]);
    expect([...(roomsOf(member) ?? [])]).toEqual([]);
    expect(rooms.entries.size).toBe(0);
  });
});

describe("Groups", () => {
  test("agrees with a list of pairs and keeps no empty group", () => {
    const act = fc.record({ add: fc.boolean(), name: room, member: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60, size: "max" }), (program) => {
        const groups = new Groups<number>();
        let model: string[] = [];
        for (const { add, name, member } of program) {
          model = model.filter((pair) => pair !== `${name}/${member}`);
          if (add) {
            groups.add(name, member);
            model.push(`${name}/${member}`);
          } else {
            groups.delete(name, member);
          }
        }
        const pairs = [...groups.entries].flatMap(([name, inside]) => [...inside].map((item) => `${name}/${item}`));
        expect(pairs.toSorted()).toEqual(model.toSorted());
        for (const inside of groups.entries.values()) expect(inside.size).toBeGreaterThan(0);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

test("every change of a group is announced before it happens", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const members: RoomMember[] = [0, 1, 2, 3].map(() => ({ rooms: undefined }));
      let announced: string[] | undefined;
      const seen = (): string[] => fromRooms(rooms, members);
      /** A change was announced while everything was as before; what is announced may change once. */
      const changed = (): void => {
        expect(announced).toBeDefined();
        expect(announced).not.toEqual(seen());
        announced = undefined;
      };
      const rooms = new Rooms<RoomMember>({
        changing: () => (announced = seen()),
        joined: changed,
        left: changed,
      });
      for (const { act, member: index, room: name } of program) {
        const before = seen();
        const member = members[index] as RoomMember;
        if (act === "join") rooms.join(member, name);
        else if (act === "leave") rooms.leave(member, name);
        else if (act === "remove") {
          rooms.remove(member);
          member.rooms = undefined;
        }
        expect(announced ?? before).toEqual(before);
        announced = undefined;
      }
    }),
    { seed: SEED },
  );
});

test("an observer hears who enters and leaves which room, and which rooms come and go", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const members: RoomMember[] = [0, 1, 2, 3].map(() => ({ rooms: undefined }));
      const present = new Set<string>();
      const existing = new Set<string>();
      const rooms = new Rooms<RoomMember>(undefined, undefined, {
        entered: (name, member, isFirst) => {
          expect(existing.has(name)).toBe(!isFirst);
          existing.add(name);
          present.add(`${members.indexOf(member)} in ${name}`);
          expect([...present].toSorted()).toEqual(fromRooms(rooms, members));
        },
        exited: (name, member, wasLast) => {
          expect(present.delete(`${members.indexOf(member)} in ${name}`)).toBe(true);
          if (wasLast) existing.delete(name);
          expect(existing.has(name)).toBe(rooms.get(name) !== undefined);
          expect([...present].toSorted()).toEqual(fromRooms(rooms, members));
        },
      });
      for (const { act, member: index, room: name } of program) {
        const member = members[index] as RoomMember;
        if (act === "join") rooms.join(member, name);
        else if (act === "leave") rooms.leave(member, name);
        else if (act === "remove") {
          rooms.remove(member);
          member.rooms = undefined;
        }
        expect([...present].toSorted()).toEqual(fromRooms(rooms, members));
        expect([...existing].toSorted()).toEqual([...rooms.entries.keys()].toSorted());
      }
    }),
    { seed: SEED },
  );
});

test("a member that ends because it leaves a room has left that room first, and leaves none twice", () => {
  const told: string[] = [];
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    rooms.remove(member);
  };
  const rooms = new Rooms<RoomMember>({ changing: () => {}, joined: () => {}, left: end }, undefined, {
    entered: () => {},
    exited: (name, _member, wasLast) => told.push(`${name} ${wasLast}`),
  });
  const member: RoomMember = { rooms: undefined };
  for (const name of ["a", "b", "c"]) rooms.join(member, name);
  rooms.join({ rooms: undefined }, "c");
  rooms.leave(member, "b");
  // Whoever takes it out of several rooms may go on.
  rooms.leave(member, "c");
  expect(told).toEqual(["b true", "a true", "c false"]);
  expect([...rooms.entries.keys()]).toEqual(["c"]);
});

describe("The limit of rooms", () => {
  test("agrees with a set of all names", () => {
    const names = fc.array(room, { maxLength: 5 });
    fc.assert(
      fc.property(names, names, fc.nat(5), (held, asked, most) => {
        const rooms = new Rooms<RoomMember>();
        const member: RoomMember = { rooms: undefined };
        for (const name of held) rooms.join(member, name);
        const isTooMuch = new Set([...held, ...asked]).size > Math.max(most, new Set(held).size);
        expect(wouldExceed(Math.max(most, new Set(held).size), member, asked)).toBe(isTooMuch);
      }),
      { seed: SEED },
    );
  });

  test.each([1, 3])("costs as much as the %d names asked for, however many rooms the member is in", (asked) => {
    let looks = 0;
    class Watched extends Set<string> {
      override has(name: string): boolean {
        looks++;
        return super.has(name);
      }
      override *[Symbol.iterator](): SetIterator<string> {
        for (const name of super.values()) {
          looks++;
          yield name;
        }
      }
    }
    const rooms = new Watched(Array.from({ length: 10_000 }, (_, n) => `room ${n}`));
    const names = Array.from({ length: asked }, (_, n) => `another ${n}`);
    looks = 0;
    expect(wouldExceed(10_000, { rooms }, names)).toBe(true);
    expect(looks).toBe(asked);
  });
});
