import { Hub, jsonCodec, ReplyError, type Handshake, type HubOptions, type Socket, type User } from "roomcast";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../src/testing/raw-frame.ts";
import { afterEach, describe, expect, test } from "vitest";
import { dial, enter } from "../support/library-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { WsClient } from "../support/ws-client.ts";

const HELLO = { event: "hub:hello", data: { protocol: 1 } };

function error(code: string, message: unknown = expect.any(String)): unknown {
  return { event: "hub:error", data: { code, message } };
}

describe.each(TRANSPORTS)("a library client on %s", (transport) => {
  const hubs: Hub[] = [];

  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.close();
  });

  async function listen(options: HubOptions = {}): Promise<{ hub: Hub; port: number; connected: Socket[] }> {
    const hub = new Hub({ transport, heartbeat: false, ...options });
    hubs.push(hub);
    const connected: Socket[] = [];
    hub.on("connection", (socket) => connected.push(socket));
    const { port } = await hub.listen({ host: "127.0.0.1" });
    return { hub, port, connected };
  }

  test("is let in after its hello, and not earlier", async () => {
    const { hub, port, connected } = await listen({ heartbeat: { interval: 5_000, timeout: 1_000 } });
    const client = await dial(port);
    const plain = await WsClient.connect(`ws://127.0.0.1:${port}/`);
    await plain.next();
    expect(hub.sockets.size).toBe(1);
    hub.emit("nothing for those who are not in");

    client.send({ ...HELLO, data: { protocol: 1, auth: { token: "t" } } });
    const welcome = await client.nextJson();
    const socket = connected.at(-1);
    expect(welcome).toEqual({
      event: "hub:welcome",
      data: { id: socket?.id, protocol: 1, heartbeat: 5_000, timeout: 1_000, window: 270_336 },
    });
    expect(socket?.protocol).toBe(jsonCodec.protocol);
    expect(socket?.handshake.auth).toEqual({ token: "t" });
    expect(connected[0]?.handshake.auth).toBeUndefined();
    socket?.emit("first");
    expect(await client.nextJson()).toEqual({ event: "first" });
  });

  test("is greeted even where plain clients are not", async () => {
    const { port, connected } = await listen({ welcome: false });
    await enter(port);
    expect(connected).toHaveLength(1);
  });

  test.each([
    ["an event of the application's", '{"event":"chat"}'],
    ["no packet", "hello"],
    ["a reply", '{"reply":1}'],
    ["bytes", Buffer.from("{}")],
  ])("that begins with %s is told that a hello was expected, and closed with 4000", async (_, message) => {
    const { port, connected } = await listen();
    const client = await dial(port);
    client.send(message);
    client.send(HELLO);
    expect(await client.nextJson()).toEqual(error("hello-expected"));
    expect(await client.closed).toEqual({ code: 4000, reason: "hello-expected" });
    expect(connected).toEqual([]);
  });

  test("that sends pings or pongs instead of its hello is closed with 4000", async () => {
    const { port, connected } = await listen();
    const client = await RawClient.connect(port);
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": jsonCodec.protocol }));
    expect((await client.response())?.status).toBe(101);
    client.write(...Array.from({ length: 16 }, (_, index) => rawFrame(index % 2 === 0 ? Opcode.ping : Opcode.pong)));
    for (let pong = 0; pong < 8; pong++) expect((await client.frame())?.opcode).toBe(Opcode.pong);
    client.write(rawFrame(Opcode.pong));
    expect(JSON.parse(String((await client.frame())?.payload))).toEqual(error("hello-expected"));
    expect((await client.frame())?.payload).toEqual(closePayload(4000, "hello-expected"));
    client.vanish();
    expect(connected).toEqual([]);
  });

  test("that sends before the answer to its hello is closed with 4000", async () => {
    const { port, connected } = await listen({ authenticate: () => new Promise(() => {}) });
    const client = await dial(port);
    client.send(HELLO);
    client.send(HELLO);
    expect(await client.nextJson()).toEqual(error("hello-expected"));
    expect((await client.closed).code).toBe(4000);
    expect(connected).toEqual([]);
  });

  test.each([
    ["a hello", HELLO],
    ["an event", { event: "chat" }],
    ["a request", { event: "hub:join", id: 1, data: { room: "r" } }],
  ])("that sends %s right behind its hello is closed with 4000", async (_, packet) => {
    const { port, connected } = await listen({ joinable: () => true });
    const client = await RawClient.connect(port);
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": jsonCodec.protocol }));
    await client.response();
    client.write(...[HELLO, packet].map((one) => rawFrame(Opcode.text, JSON.stringify(one))));
    expect(JSON.parse(String((await client.frame())?.payload))).toEqual(error("hello-expected"));
    expect((await client.frame())?.payload).toEqual(closePayload(4000, "hello-expected"));
    client.vanish();
    expect(connected).toEqual([]);
  });

  test.each([2, 0, "1", undefined])("of version %j is closed with 4004", async (protocol) => {
    const { port } = await listen();
    const client = await dial(port);
    client.send({ event: "hub:hello", data: { protocol } });
    expect(await client.nextJson()).toEqual(error("unsupported-version"));
    expect(await client.closed).toEqual({ code: 4004, reason: "unsupported-version" });
  });

  test("shows its credentials to authenticate, once", async () => {
    const seen: unknown[] = [];
    const { port, connected } = await listen({
      authenticate: async ({ auth }: Handshake): Promise<User | undefined> => {
        seen.push(auth);
        return auth === "secret" ? { id: "ann" } : undefined;
      },
    });
    await enter(port, "secret");
    expect(connected[0]?.user).toEqual({ id: "ann" });

    const stranger = await dial(port);
    stranger.send({ ...HELLO, data: { protocol: 1, auth: "guess" } });
    expect(await stranger.nextJson()).toEqual(error("unauthorized"));
    expect(await stranger.closed).toEqual({ code: 4001, reason: "unauthorized" });
    expect(seen).toEqual(["secret", "guess"]);
  });

  test("is told the reason that authenticate gives", async () => {
    const failures: unknown[] = [];
    const { hub, port } = await listen({
      authenticate: () => {
        throw new ReplyError("banned", "You are banned until Monday.");
      },
    });
    hub.on("error", (failure) => failures.push(failure));
    const client = await dial(port);
    client.send(HELLO);
    expect(await client.nextJson()).toEqual(error("banned", "You are banned until Monday."));
    expect(await client.closed).toEqual({ code: 4001, reason: "banned" });

    const plain = fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status);
    expect(await plain).toBe(426);
    expect(failures).toEqual([]);
  });

  test("may reconnect when authenticate itself failed", async () => {
    const failure = new Error("The database is away");
    const { hub, port } = await listen({ authenticate: () => Promise.reject(failure) });
    const reported = new Promise((resolve) => {
      hub.on("error", (...args) => resolve(args));
    });
    const client = await dial(port);
    client.send(HELLO);
    expect((await client.closed).code).toBe(1011);
    expect(await reported).toEqual([failure, { source: "authenticate" }]);
  });

  test("that says nothing is closed with 4102", async () => {
    const { port } = await listen({ handshakeTimeout: 20 });
    const client = await dial(port);
    expect((await client.closed).code).toBe(4102);
  });

  test("whose credentials are checked for too long is closed with 4102, and not let in later", async () => {
    let decide: ((user: User) => void) | undefined;
    const asked = new Promise<User>((resolve) => {
      decide = resolve;
    });
    const { port, connected } = await listen({ handshakeTimeout: 20, authenticate: () => asked });
    const client = await dial(port);
    client.send(HELLO);
    expect((await client.closed).code).toBe(4102);
    decide?.({ id: "ann" });
    await asked;
    expect(connected).toEqual([]);
  });

  test("that leaves while its credentials are checked is not let in", async () => {
    let begin: (() => void) | undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let decide: ((user: User) => void) | undefined;
    const { hub, port, connected } = await listen({
      authenticate: ({ auth }: Handshake) => {
        if (auth === "second") return { id: "ben" };
        begin?.();
        return new Promise<User>((resolve) => {
          decide = resolve;
        });
      },
    });
    const client = await dial(port);
    client.send(HELLO);
    await begun;
    await client.close();
    await enter(port, "second");
    decide?.({ id: "ann" });
    await enter(port, "second");
    expect(connected.map(({ user }) => user?.id)).toEqual(["ben", "ben"]);
    expect(hub.sockets.size).toBe(2);
  });

  test("without an answer to its hello is closed when the hub closes", async () => {
    const { hub, port, connected } = await listen({ authenticate: () => new Promise(() => {}) });
    const silent = await dial(port);
    const waiting = await dial(port);
    waiting.send(HELLO);
    await hub.close();
    expect((await silent.closed).code).toBe(1001);
    expect((await waiting.closed).code).toBe(1001);
    expect(connected).toEqual([]);
  });

  test("gets pings as events, and is lost if it answers none", async () => {
    const { port } = await listen({ heartbeat: { interval: 60, timeout: 60 } });
    const answering = await enter(port);
    const silent = await enter(port);
    expect(await silent.nextJson()).toEqual({ event: "hub:ping" });
    for (let round = 0; round < 4; round++) {
      expect(await answering.nextJson()).toEqual({ event: "hub:ping" });
      answering.send({ event: "hub:pong" });
    }
    expect((await silent.closed).code).toBe(4201);
    expect((await answering.close()).code).toBe(1000);
  });
});
