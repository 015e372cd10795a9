import * as fc from "fast-check";
import { Hub, type Socket } from "roomcast";
import { inMemory, memory } from "roomcast/testing";
import { expect, test, vi } from "vitest";
import { settle } from "../../src/testing/settle.ts";
import { openHubFixture } from "../support/hub-fixture.ts";

const NAMES = Array.from({ length: 1_000 }, (_, number) => `room ${number}`);

test("joining and leaving rooms schedules nothing while nobody listens", async () => {
  const fixture = await openHubFixture(inMemory());
  const { socket } = await fixture.connect();
  const heard = vi.fn<() => void>();
  fixture.hub.on("room", heard);
  fixture.hub.off("room", heard);
  const schedule = vi.spyOn(globalThis, "queueMicrotask");
  try {
    socket.join(NAMES);
    socket.leave(NAMES);
    expect(schedule).not.toHaveBeenCalled();
    fixture.hub.on("room", heard);
    socket.join("lobby");
    expect(schedule).toHaveBeenCalledTimes(2);
  } finally {
    schedule.mockRestore();
  }
  await Promise.resolve();
  expect(heard.mock.calls).toEqual([[{ type: "created", room: "lobby" }], [{ type: "joined", room: "lobby", socket }]]);
});

const SEED = 20_261_130;

const step = fc.record({
  act: fc.constantFrom("join", "leave", "close", "listen", "turn", "joinAll", "leaveAll"),
  socket: fc.nat(3),
  room: fc.constantFrom("a", "b", "c"),
});

/** Returns the ids of the sockets of each room of a hub. */
function roomsOf(hub: Hub): Map<string, Set<string>> {
  return new Map(Array.from(hub.rooms, ([room, sockets]) => [room, new Set(Array.from(sockets, ({ id }) => id))]));
}

/** Copies the rooms of a hub, and keeps the copy up to date by its events. Every change must be one. */
function follow(hub: Hub): Map<string, Set<string>> {
  const rooms = roomsOf(hub);
  hub.on("room", ({ type, room, socket }) => {
    const inside = rooms.get(room);
    const before = inside && { size: inside.size, isIn: socket !== undefined && inside.has(socket.id) };
    const size = expect.any(Number) as number;
    const expected = {
      created: undefined,
      joined: { size, isIn: false },
      left: { size, isIn: true },
      deleted: { size: 0, isIn: false },
    };
    expect(before).toEqual(expected[type]);
    if (type === "created") rooms.set(room, new Set());
    else if (type === "joined") inside?.add(socket.id);
    else if (type === "left") inside?.delete(socket.id);
    else rooms.delete(room);
  });
  hub.on("disconnection", ({ id }) => {
    for (const inside of rooms.values()) expect(inside.has(id)).toBe(false);
  });
  return rooms;
}

test("whoever copies the rooms at any time, and listens from then on, always knows them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (program) => {
      const transport = memory();
      const hub = new Hub({ transport, heartbeat: false, welcome: false });
      const errors: unknown[] = [];
      hub.on("error", (error) => errors.push(error));
      const sockets: Socket[] = [];
      hub.on("connection", (socket) => sockets.push(socket));
      for (let clients = 0; clients < 4; clients++) transport.connect("/");
      await settle();
      // A listener that changes rooms itself, from inside a change.
      hub.on("room", ({ type, room, socket }) => {
        if (type === "joined" && room === "a") socket.leave("b");
        if (type === "left" && room === "c") hub.to("a").join("b");
      });
      const copies = [follow(hub)];
      for (const { act, socket: index, room } of program) {
        const socket = sockets[index];
        if (act === "listen") copies.push(follow(hub));
        else if (act === "joinAll") hub.join(room);
        else if (act === "leaveAll") hub.leave(room);
        else if (act === "turn") await Promise.resolve();
        else if (act === "close") socket?.close();
        else socket?.[act](room);
      }
      await settle();
      for (const copy of copies) expect(copy).toEqual(roomsOf(hub));
      await hub.close();
      for (const copy of copies) expect(copy).toEqual(new Map());
      expect(errors).toEqual([]);
    }),
    { seed: SEED, numRuns: 100 },
  );
});
