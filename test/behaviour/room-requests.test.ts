import { setImmediate as aWhile } from "node:timers/promises";
import { Hub, ReplyError, type HubOptions, type Socket } from "roomcast";
import { afterEach, describe, expect, test } from "vitest";
import { enter } from "../support/library-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import type { WsClient } from "../support/ws-client.ts";

const NOT_JOINABLE = { code: "not-joinable", message: "This room cannot be joined or left so." };

describe("hub:join and hub:leave", () => {
  const hubs: Hub[] = [];

  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.close();
  });

  async function connect(options: HubOptions = {}): Promise<{ hub: Hub; socket: Socket; client: WsClient }> {
    const hub = new Hub({ heartbeat: false, ...options });
    hubs.push(hub);
    const connected = new Promise<Socket>((resolve) => hub.once("connection", resolve));
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const client = await enter(port);
    return { hub, socket: await connected, client };
  }

  test("are refused unless the application allows them", async () => {
    const { socket, client } = await connect();
    socket.join("kept");
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    client.send({ event: "hub:leave", id: 2, data: { room: "kept" } });
    expect(await client.nextJson()).toEqual({ reply: 1, error: NOT_JOINABLE });
    expect(await client.nextJson()).toEqual({ reply: 2, error: NOT_JOINABLE });
    expect([...socket.rooms]).toEqual(["kept"]);
  });

  test("take effect if the guard allows them", async () => {
    const { socket, client } = await connect({ joinable: (room) => room.startsWith("public/") });
    client.send({ event: "hub:join", id: 1, data: { room: "public/tea" } });
    expect(await client.nextJson()).toEqual({ reply: 1 });
    expect([...socket.rooms]).toEqual(["public/tea"]);
    client.send({ event: "hub:join", id: 2, data: { room: "private" } });
    expect(await client.nextJson()).toEqual({ reply: 2, error: NOT_JOINABLE });
    client.send({ event: "hub:leave", id: 3, data: { room: "public/tea" } });
    expect(await client.nextJson()).toEqual({ reply: 3 });
    expect([...socket.rooms]).toEqual([]);
  });

  test("pass the room and the socket to the guard, and its reason to the client", async () => {
    const asked: unknown[] = [];
    const { socket, client } = await connect({
      joinable: async (...args) => {
        asked.push(args);
        throw new ReplyError("room-full", "Three are enough.");
      },
    });
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    expect(await client.nextJson()).toEqual({ reply: 1, error: { code: "room-full", message: "Three are enough." } });
    expect(asked).toEqual([["tea", socket]]);
  });

  test("that wait for others are not put to the guard any more when the client has gone", async () => {
    const asked: string[] = [];
    const waiting: ((allowed: boolean) => void)[] = [];
    const { hub, client } = await connect({
      joinable: (room) => {
        asked.push(room);
        return new Promise((resolve) => waiting.push(resolve));
      },
    });
    const gone = new Promise((resolve) => hub.once("disconnection", resolve));
    for (let id = 0; id < 120; id++) client.send({ event: "hub:join", id, data: { room: `room ${id}` } });
    await expect.poll(() => asked).toHaveLength(100);
    client.vanish();
    await gone;
    for (const answer of waiting) answer(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(100);
    expect(hub.rooms.size).toBe(0);
  });

  test("take effect in order, however long the guard takes for each", async () => {
    const waiting: ((allowed: boolean) => void)[] = [];
    const { socket, client } = await connect({
      joinable: () => new Promise<boolean>((resolve) => waiting.push(resolve)),
    });
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    client.send({ event: "hub:leave", id: 2, data: { room: "tea" } });
    client.send({ event: "hub:join", id: 3, data: { rooms: ["milk", "sugar"] } });
    await expect.poll(() => waiting).toHaveLength(4);
    for (const answer of waiting.toReversed().slice(0, 3)) answer(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect([...socket.rooms]).toEqual([]);
    waiting[0]?.(true);
    for (const reply of [1, 2, 3]) expect(await client.nextJson()).toEqual({ reply });
    expect([...socket.rooms]).toEqual(["milk", "sugar"]);
  });

  test("are put to the guard side by side, a hundred at a time, in their order", async () => {
    let open = 0;
    let most = 0;
    const asked: string[] = [];
    const { socket, client } = await connect({
      joinable: async (room) => {
        asked.push(room);
        most = Math.max(most, ++open);
        await aWhile();
        open--;
        return true;
      },
    });
    const rooms = Array.from({ length: 300 }, (_, index) => `room ${index}`);
    client.send({ event: "hub:join", id: 0, data: { rooms: rooms.slice(0, 100) } });
    for (const [index, room] of rooms.slice(100).entries()) {
      client.send({ event: "hub:join", id: index + 1, data: { room } });
    }
    for (let reply = 0; reply <= 200; reply++) expect(await client.nextJson()).toEqual({ reply });
    expect(asked).toEqual(rooms);
    expect([...socket.rooms]).toEqual(rooms);
    expect(most).toBe(100);
  });

  test.each([
    ["at once", (verdict: () => boolean) => verdict()],
    ["later", async (verdict: () => boolean) => aWhile().then(verdict)],
  ])("for several rooms get one reply, with those that were refused, if the guard decides %s", async (_, decide) => {
    const failure = new Error("a secret");
    const { hub, socket, client } = await connect({
      limits: { rooms: 2 },
      joinable: (room) =>
        decide(() => {
          if (room === "staff") throw new ReplyError("staff-only", "For staff.");
          if (room === "bad") throw failure;
          return room !== "secret";
        }),
    });
    const reported = new Promise((resolve) => void hub.on("error", (...args) => resolve(args)));
    const rooms = ["tea", "secret", "", "staff", "bad", "milk", "sugar"];
    client.send({ event: "hub:join", id: 1, data: { rooms } });
    expect(await client.nextJson()).toEqual({
      reply: 1,
      data: {
        refused: [
          { room: "secret", ...NOT_JOINABLE },
          { room: "", code: "invalid-data", message: expect.stringContaining("room's name") },
          { room: "staff", code: "staff-only", message: "For staff." },
          { room: "bad", code: "handler-failed", message: "The server failed to handle this." },
          { room: "sugar", code: "too-many-rooms", message: expect.any(String) },
        ],
      },
    });
    expect([...socket.rooms]).toEqual(["tea", "milk"]);
    expect(await reported).toEqual([failure, { source: "joinable", event: "hub:join", socket }]);
    client.send({ event: "hub:leave", id: 2, data: { rooms: ["milk", "tea"] } });
    expect(await client.nextJson()).toEqual({ reply: 2 });
    expect([...socket.rooms]).toEqual([]);
  });

  test("for several rooms without a reply are told of the first refused room alone", async () => {
    const { client } = await connect({ joinable: (room) => room === "tea" });
    client.send({ event: "hub:join", data: { rooms: ["tea", "secret", "other"] } });
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    expect(await client.nextJson()).toEqual({ event: "hub:error", data: { room: "secret", ...NOT_JOINABLE } });
    expect(await client.nextJson()).toEqual({ reply: 1 });
  });

  test("for several rooms put a room that is named twice to the guard once", async () => {
    const verdicts = [true, false, true];
    const { socket, client } = await connect({ joinable: () => verdicts.shift() ?? false });
    client.send({ event: "hub:join", id: 1, data: { rooms: ["tea", "tea", "milk", "tea", "sugar"] } });
    expect(await client.nextJson()).toEqual({ reply: 1, data: { refused: [{ room: "milk", ...NOT_JOINABLE }] } });
    expect([...socket.rooms]).toEqual(["tea", "sugar"]);
  });

  test("see what was joined before, if the guard decides at once", async () => {
    const { client, socket } = await connect({
      joinable: (room, { rooms }) => room === "house" || rooms.has("house"),
    });
    client.send({ event: "hub:join", id: 1, data: { rooms: ["house", "kitchen"] } });
    expect(await client.nextJson()).toEqual({ reply: 1 });
    expect([...socket.rooms]).toEqual(["house", "kitchen"]);
  });

  test.each(
    [[], "tea", null, {}, [7], ["tea", null], Array.from({ length: 101 }, () => "tea")].map((rooms) => ({ rooms })),
  )("are refused with the data %j", async (data) => {
    const { socket, client } = await connect({ joinable: () => true });
    client.send({ event: "hub:join", id: 1, data });
    expect(await client.nextJson()).toEqual({
      reply: 1,
      error: { code: "invalid-data", message: '"rooms" must be a list of 1 to 100 names.' },
    });
    expect([...socket.rooms]).toEqual([]);
  });

  test.each(TRANSPORTS)("are followed by what the client sent after them, on %s", async (transport) => {
    const waiting: ((allowed: boolean) => void)[] = [];
    const { hub, client } = await connect({
      transport,
      joinable: () => new Promise<boolean>((resolve) => waiting.push(resolve)),
    });
    const handled: unknown[] = [];
    hub.on("message", ({ rooms }, message) => handled.push([[...(message as Uint8Array)], ...rooms]));
    hub.handle("say", (text, { rooms }) => {
      handled.push([text, ...rooms]);
      hub.to("tea").emit("said", text);
    });
    client.send({ event: "hub:join", id: 1, data: { rooms: ["tea"] } });
    client.send({ event: "say", data: "one" });
    client.send(Buffer.from([2]));
    client.send({ event: "hub:join", id: 2, data: { room: "milk" } });
    client.send({ event: "say", data: "three" });
    await expect.poll(() => waiting).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(handled).toEqual([]);
    waiting[0]?.(true);
    expect(await client.nextJson()).toEqual({ reply: 1 });
    expect(await client.nextJson()).toEqual({ event: "said", room: "tea", data: "one" });
    await expect.poll(() => waiting).toHaveLength(2);
    waiting[1]?.(true);
    expect(await client.nextJson()).toEqual({ reply: 2 });
    expect(await client.nextJson()).toEqual({ event: "said", room: "tea", data: "three" });
    expect(handled).toEqual([
      ["one", "tea"],
      [[2], "tea"],
      ["three", "tea", "milk"],
    ]);
  });

  test("work again after a guard that failed, which is reported", async () => {
    const failure = new Error("a secret");
    const { hub, socket, client } = await connect({
      joinable: (room) => (room === "bad" ? Promise.reject(failure) : true),
    });
    const reported = new Promise((resolve) => {
      hub.on("error", (...args) => resolve(args));
    });
    client.send({ event: "hub:join", id: 1, data: { room: "bad" } });
    client.send({ event: "hub:join", id: 2, data: { room: "good" } });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(await client.nextJson()).toEqual({ reply: 2 });
    expect(await reported).toEqual([failure, { source: "joinable", event: "hub:join", socket }]);
    expect([...socket.rooms]).toEqual(["good"]);
  });

  test.each([undefined, null, "tea", {}, { room: "" }, { room: 7 }, { room: ["tea"] }, { room: "x".repeat(257) }])(
    "are refused with the data %j",
    async (data) => {
      const { socket, client } = await connect({ joinable: () => true });
      client.send({ event: "hub:join", id: 1, data });
      expect(await client.nextJson()).toEqual({
        reply: 1,
        error: { code: "invalid-data", message: expect.stringContaining("room's name") },
      });
      expect([...socket.rooms]).toEqual([]);
    },
  );
});
