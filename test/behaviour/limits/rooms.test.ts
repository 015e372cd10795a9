import { describe, expect, test } from "vitest";
import { hubError } from "../../support/hub-error.ts";
import { openHubFixture, SUBJECTS } from "../../support/hub-fixture.ts";

const TOO_MANY = { code: "too-many-rooms", message: "This would be a room too many." };
const REPORTED = { error: { code: "ERR_HUB_LIMIT" }, context: { source: "limits" } };
const TWO = { limits: { rooms: 2 } };

describe.each(SUBJECTS)("On $name the rooms of a socket", (subject) => {
  test("are limited, and a call that would exceed the limit joins none", async () => {
    const fixture = await openHubFixture(subject, TWO);
    const { socket } = await fixture.connect();
    expect(() => socket.join("a", "b", "c")).toThrow(hubError("ERR_HUB_LIMIT", '"limits.rooms"'));
    expect([...socket.rooms]).toStrictEqual([]);
    expect(fixture.hub.rooms.size).toBe(0);
    socket.join("a");
    expect(() => socket.join(["b", "c"])).toThrow(hubError("ERR_HUB_LIMIT"));
    expect([...socket.rooms]).toStrictEqual(["a"]);
    socket.join("b");
    expect(() => socket.join("c")).toThrow(hubError("ERR_HUB_LIMIT"));
    expect([...fixture.hub.rooms.keys()]).toStrictEqual(["a", "b"]);
  });

  test("may be joined again, and named twice", async () => {
    const fixture = await openHubFixture(subject, TWO);
    const { socket } = await fixture.connect();
    socket.join("a", "a", "b", "b", "a");
    socket.join("b", "a");
    socket.leave("a");
    socket.join("c", "b", "c");
    expect([...socket.rooms]).toStrictEqual(["b", "c"]);
  });

  test("are those that the socket is in, not those that it left", async () => {
    const fixture = await openHubFixture(subject, TWO);
    const { socket } = await fixture.connect();
    for (let n = 0; n < 10; n++) {
      socket.join(`room ${n}`, "always");
      socket.leave(`room ${n}`);
    }
    expect([...socket.rooms]).toStrictEqual(["always"]);
  });

  test("keep no other socket of a target out, and one report tells of them", async () => {
    const fixture = await openHubFixture(subject, TWO);
    const [a, b] = await fixture.pair();
    const c = await fixture.connect();
    b.socket.join("x", "y");
    c.socket.join("x", "y");
    fixture.hub.join("z");
    expect([a, b, c].map(({ socket }) => Array.from(socket.rooms))).toStrictEqual([["z"], ["x", "y"], ["x", "y"]]);
    expect(fixture.failures.take()).toMatchObject([REPORTED]);
    fixture.hub.toSocket(a.socket.id).join("p", "q");
    expect([...a.socket.rooms]).toStrictEqual(["z"]);
    expect(fixture.failures.take()).toMatchObject([REPORTED]);
    fixture.hub.join("x", "x");
    expect([...a.socket.rooms]).toStrictEqual(["z", "x"]);
    expect(fixture.failures.take()).toStrictEqual([]);
  });

  test("are limited by an error to a client that asks for one too many", async () => {
    const fixture = await openHubFixture(subject, { ...TWO, joinable: () => true });
    const peer = await fixture.connect();
    const join = (room: string): Promise<unknown> => peer.ask("hub:join", { room });
    expect(await join("a")).toStrictEqual({ reply: 1 });
    expect(await join("b")).toStrictEqual({ reply: 1 });
    expect(await join("c")).toStrictEqual({ reply: 1, error: TOO_MANY });
    expect(await join("a")).toStrictEqual({ reply: 1 });
    expect(await peer.ask("hub:leave", { room: "a" })).toStrictEqual({ reply: 1 });
    expect(await join("c")).toStrictEqual({ reply: 1 });
    expect([...peer.socket.rooms]).toStrictEqual(["b", "c"]);
    expect(fixture.failures.take()).toStrictEqual([]);
    expect(fixture.hub.stats()).toMatchObject({ handlerErrors: 0, violations: 0 });
  });

  test("are limited by an error to the client, too, when the error escapes from a handler or middleware", async () => {
    const fixture = await openHubFixture(subject, { limits: { rooms: 1 } });
    fixture.hub.handle("enter", (room: unknown, socket) => socket.join("hall", room as string));
    fixture.hub.handle("enter later", async (room: unknown, socket) => {
      await Promise.resolve();
      socket.join("hall", room as string);
    });
    const peer = await fixture.connect();
    expect(await peer.ask("enter", "room")).toStrictEqual({ reply: 1, error: TOO_MANY });
    expect(await peer.ask("enter later", "room")).toStrictEqual({ reply: 1, error: TOO_MANY });
    peer.say({ event: "enter", data: "room" });
    expect(await peer.packet()).toStrictEqual({ event: "hub:error", data: TOO_MANY });
    fixture.hub.use(({ socket }) => socket.join("a", "b"));
    expect(await peer.ask("enter", "room")).toStrictEqual({ reply: 1, error: TOO_MANY });
    expect(peer.socket.rooms.size).toBe(0);
    expect(fixture.failures.take()).toStrictEqual([]);
    expect(fixture.hub.stats().handlerErrors).toBe(0);
  });
});

describe("The names of rooms", () => {
  const [memory] = SUBJECTS;
  if (memory === undefined) throw new Error("There is always a transport.");

  test.each([
    ["by default", {}, 256],
    ["lowered", { roomNameLength: 5 }, 5],
    ["raised", { roomNameLength: 1_000 }, 1_000],
  ] as const)("have a maximal length, %s", async (_when, limits, most) => {
    const fixture = await openHubFixture(memory, { limits, joinable: () => true });
    const peer = await fixture.connect();
    const { hub } = fixture;
    const { socket } = peer;
    const fits = "é".repeat(most);
    const long = `${fits}x`;
    const refused = hubError("ERR_HUB_ROOM_NAME", `at most ${most} characters; this one has ${most + 1}`);
    for (const use of [
      (name: string) => socket.join(name),
      (name: string) => socket.join("other", [name]),
      (name: string) => socket.leave(name),
      (name: string) => socket.to(name),
      (name: string) => socket.except(name),
      (name: string) => hub.to(name),
      (name: string) => hub.to("other", [name]),
      (name: string) => hub.except(name),
      (name: string) => hub.to("other").except(name),
      (name: string) => hub.volatile.to(name),
      (name: string) => hub.to("other").join(name),
      (name: string) => hub.to("other").leave(name),
    ]) {
      expect(() => use(long)).toThrow(refused);
      expect(() => use(fits)).not.toThrow();
    }
    expect(socket.rooms.has("other")).toBe(true);
    socket.leave("other");
    expect(await peer.ask("hub:join", { room: fits })).toStrictEqual({ reply: 1 });
    for (const event of ["hub:join", "hub:leave"]) {
      expect(await peer.ask(event, { room: long })).toMatchObject({ reply: 1, error: { code: "invalid-data" } });
    }
    expect([...socket.rooms]).toStrictEqual([fits]);
  });
});
