import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVERYBODY, type Audience } from "../../../src/members/audience.ts";
import type { Handshake } from "../../../src/members/handshake.ts";
import { Member } from "../../../src/members/member.ts";
import { Members } from "../../../src/members/members.ts";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import type { Connection } from "../../../src/transports/transport.ts";

const SEED = 20_261_123;

const NO_CONNECTION = {} as Connection;
const NO_HANDSHAKE = {} as Handshake;

function createMember(id: string, user?: string): Member {
  return new Member(id, NO_CONNECTION, jsonCodec, NO_HANDSHAKE, user === undefined ? undefined : { id: user });
}

/** Ids and rooms share their names on purpose: they are separate name spaces. */
const NAMES = ["a", "b", "c", "d", "e"];
const names = fc.array(fc.constantFrom(...NAMES, "nobody"), { maxLength: 4 });

const population = fc.tuple(
  ...NAMES.map((id) =>
    fc.record({
      id: fc.constant(id),
      rooms: fc.uniqueArray(fc.constantFrom(...NAMES)),
      user: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
      removed: fc.boolean(),
    }),
  ),
);

const audience: fc.Arbitrary<Audience> = fc.record({
  everybody: fc.boolean(),
  rooms: names,
  sockets: names,
  users: names,
  exceptRooms: names,
  exceptSockets: names,
  volatile: fc.constant(false),
  uncompressed: fc.constant(false),
  overload: fc.constant(undefined),
  local: fc.constant(false),
});

describe("Members.forEach", () => {
  test("visits the members that a filter over all of them would choose, each once", () => {
    fc.assert(
      fc.property(population, fc.array(audience, { minLength: 1, maxLength: 4 }), (people, audiences) => {
        const members = new Members();
        for (const { id, rooms, user, removed } of people) {
          const member = createMember(id, user);
          members.add(member);
          for (const name of rooms) members.rooms.join(member, name);
          if (removed) members.remove(member);
        }
        const present = people.filter(({ removed }) => !removed);

        for (const asked of audiences) {
          const chosen = present.filter(({ id, rooms, user }) => {
            const named =
              asked.everybody ||
              asked.sockets.includes(id) ||
              (user !== undefined && asked.users.includes(user)) ||
              rooms.some((name) => asked.rooms.includes(name));
            const excluded = asked.exceptSockets.includes(id) || rooms.some((name) => asked.exceptRooms.includes(name));
            return named && !excluded;
          });
          const visited: string[] = [];
          members.forEach(asked, ({ id }) => visited.push(id));
          expect(visited.toSorted()).toEqual(chosen.map(({ id }) => id));
          const group = members.groupOf(asked);
          if (group === undefined) continue;
          const others = Array.from(group.values()).filter((member) => member !== members.exceptionOf(asked));
          expect(others.map(({ id }) => id).toSorted()).toEqual(visited.toSorted());
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  test("allows a visited member to leave, be removed or join elsewhere", () => {
    const members = new Members();
    const all = NAMES.map((id) => createMember(id));
    for (const member of all) {
      members.add(member);
      members.rooms.join(member, "room");
    }
    const visited: string[] = [];
    members.forEach({ ...EVERYBODY, everybody: false, rooms: ["room", "other"] }, (member) => {
      visited.push(member.id);
      members.rooms.leave(member, "room");
      members.rooms.join(member, "other");
      if (member.id === "c") members.remove(member);
    });
    expect(visited).toEqual(NAMES);
    expect([...members.rooms.entries.keys()]).toEqual(["other"]);
    expect(members.rooms.get("other")?.size).toBe(NAMES.length - 1);
  });
});

/** What one call touches: the steps of every iteration over a Set or a Map, and the stamps read or written. */
interface Touched {
  readonly steps: number;
  readonly stamped: ReadonlySet<string>;
}

const ITERATIONS = [
  [Set.prototype, Symbol.iterator],
  [Set.prototype, "values"],
  [Set.prototype, "forEach"],
  [Map.prototype, Symbol.iterator],
  [Map.prototype, "values"],
  [Map.prototype, "keys"],
  [Map.prototype, "forEach"],
] as const;

/** Runs the action while every iteration over a Set or a Map in this process is counted step by step. */
function countSteps(action: () => void): number {
  let steps = 0;
  const originals = ITERATIONS.map(([owner, name]) => [owner, name, Reflect.get(owner, name) as unknown] as const);
  for (const [owner, name, original] of originals) {
    Reflect.set(owner, name, function counted(this: ReadonlySet<unknown>, ...args: unknown[]): unknown {
      if (name === "forEach") {
        steps += this.size;
        return Reflect.apply(original as () => void, this, args);
      }
      const inner = Reflect.apply(original as () => Iterator<unknown>, this, args);
      return {
        [Symbol.iterator]() {
          return this;
        },
        next(): IteratorResult<unknown> {
          steps += 1;
          return inner.next();
        },
      };
    });
  }
  try {
    action();
  } finally {
    for (const [owner, name, original] of originals) Reflect.set(owner, name, original);
  }
  return steps;
}

describe("The cost of a broadcast", () => {
  const OTHERS = 20_000;
  const MEMBERS = 10;
  const stamped = new Set<string>();
  const members = new Members();

  /** Tells when the index looks at the member. */
  function watched(id: string): Member {
    const member = createMember(id, `user of ${id}`);
    let stamp = member.stamp;
    Object.defineProperty(member, "stamp", {
      get: () => {
        stamped.add(id);
        return stamp;
      },
      set: (value: number) => {
        stamped.add(id);
        stamp = value;
      },
    });
    return member;
  }

  for (let index = 0; index < OTHERS; index++) {
    const member = watched(`other ${index}`);
    members.add(member);
    for (const name of ["huge", `own ${index}`, `shared ${index % 100}`]) members.rooms.join(member, name);
  }
  const few = Array.from({ length: MEMBERS }, (_, index) => watched(`member ${index}`));
  for (const member of few) {
    members.add(member);
    for (const name of ["first", "second"]) members.rooms.join(member, name);
  }
  members.rooms.join(few[0] as Member, "huge");

  function touchedBy(asked: Partial<Audience>): Touched & { readonly visited: number } {
    stamped.clear();
    let visited = 0;
    const taken = countSteps(() => {
      members.forEach({ ...EVERYBODY, everybody: false, ...asked }, () => (visited += 1));
    });
    return { steps: taken, stamped: new Set(stamped), visited };
  }

  test.each<[string, Partial<Audience>, visited: number, named: number]>([
    ["to a room", { rooms: ["first"] }, 10, 10],
    ["to a union of rooms", { rooms: ["first", "second", "unknown"] }, 10, 20],
    ["but for a room of thousands", { rooms: ["first"], exceptRooms: ["huge"] }, 9, 10],
    ["but for one socket", { rooms: ["first"], exceptSockets: ["member 3"] }, 9, 10],
    ["to a socket", { sockets: ["member 3"] }, 1, 1],
    ["to a socket, but for a room of thousands", { sockets: ["other 7"], exceptRooms: ["huge"] }, 0, 1],
    ["to a user", { users: ["user of member 3"] }, 1, 1],
    ["to nobody", { rooms: ["unknown"] }, 0, 0],
  ])("%s is that of the members named", (_, asked, visited, named) => {
    const touched = touchedBy(asked);
    expect(touched.visited).toBe(visited);
    expect(touched.stamped.size).toBeLessThanOrEqual(MEMBERS);
    // Each set of members costs one step more, which finds its end.
    expect(touched.steps).toBeLessThanOrEqual(named + 3);
  });

  test("is counted for a broadcast to everybody", () => {
    const touched = touchedBy({ everybody: true });
    expect(touched.visited).toBe(OTHERS + MEMBERS);
    expect(touched.steps).toBeGreaterThanOrEqual(OTHERS + MEMBERS);
    expect(touched.stamped.size).toBe(OTHERS + MEMBERS);
  });
});
