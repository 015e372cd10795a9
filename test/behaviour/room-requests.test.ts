import { Hub, ReplyError, type HubOptions, type Socket } from "roomcast";
import { afterEach, describe, expect, test } from "vitest";
import { enter } from "../support/library-client.ts";
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
    hub.handle("fence", () => "fence");
    const gone = new Promise((resolve) => hub.once("disconnection", resolve));
    for (const [index, room] of ["tea", "milk", "sugar"].entries()) {
      client.send({ event: "hub:join", id: index, data: { room } });
    }
    client.send({ event: "fence", id: 9 });
    await client.nextJson();
    client.vanish();
    await gone;
    waiting[0]?.(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toStrictEqual(["tea"]);
    expect(hub.rooms.size).toBe(0);
  });

  test("take effect in order, however long the guard takes for each", async () => {
    const waiting: ((allowed: boolean) => void)[] = [];
    let slow = true;
    const { socket, client } = await connect({
      joinable: () => (slow ? new Promise<boolean>((resolve) => waiting.push(resolve)) : true),
    });
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    client.send({ event: "hub:leave", id: 2, data: { room: "tea" } });
    client.send({ event: "unknown", id: 3 });
    // Both requests have come when the third is answered; the guard was asked for the first alone.
    expect(await client.nextJson()).toMatchObject({ reply: 3 });
    slow = false;
    expect(waiting).toHaveLength(1);
    waiting[0]?.(true);
    expect(await client.nextJson()).toEqual({ reply: 1 });
    expect(await client.nextJson()).toEqual({ reply: 2 });
    expect([...socket.rooms]).toEqual([]);
    client.send({ event: "hub:join", id: 4, data: { room: "tea" } });
    expect(await client.nextJson()).toEqual({ reply: 4 });
    expect([...socket.rooms]).toEqual(["tea"]);
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
