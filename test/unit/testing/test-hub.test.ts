import { CloseCode, Hub, type HubOptions } from "roomcast";
import { createTestHub, type TestHub } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { rejection } from "../../support/client-fixture.ts";

/** A hub for this test, and what its `disconnection` event told. */
function open(options: HubOptions = {}): { readonly stage: TestHub; readonly codes: readonly number[] } {
  const stage = createTestHub(options);
  onTestFinished(() => stage.close());
  const codes: number[] = [];
  stage.hub.on("disconnection", (_socket, { code }) => codes.push(code));
  return { stage, codes };
}

/** How an application makes its hub. */
function createChat(options: HubOptions): Hub {
  const hub = new Hub({ ...options, path: "/chat" });
  hub.handle("chat", (text) => hub.emit("chat", text));
  return hub;
}

describe("time", () => {
  test("a lost client is found within interval and timeout, without any real waiting", async () => {
    const { stage, codes } = open({ heartbeat: { interval: 25_000, timeout: 20_000 } });
    const [lost, well] = [await stage.connect(), await stage.connect()];
    lost.stall();
    await stage.clock.advance(20_000);
    expect(codes).toEqual([]);
    await stage.clock.advance(25_000);
    expect(codes).toEqual([CloseCode.heartbeatLost]);
    expect(stage.hub.stats().heartbeatLosses).toBe(1);
    lost.resume();
    expect(await lost.closed).toMatchObject({ code: CloseCode.heartbeatLost });
    await stage.clock.advance(3_600_000);
    expect(well.socket.isOpen).toBe(true);
  });

  test("a request that nobody answers fails when its time is up", async () => {
    const { stage } = open({ heartbeat: false });
    const client = await stage.connect();
    const failure = rejection(client.socket.request("ready?", undefined, { timeout: 5_000 }));
    let failed = false;
    void failure.then(() => (failed = true));
    await stage.clock.advance(4_999);
    expect(failed).toBe(false);
    await stage.clock.advance(1);
    expect(failed).toBe(true);
    expect(await failure).toMatchObject({ code: "ERR_HUB_TIMEOUT" });
  });

  test("credentials expire", async () => {
    const { stage, codes } = open({ authenticate: () => ({ id: "ann", expiresAt: stage.clock.wall() + 60_000 }) });
    const client = await stage.connect();
    await stage.clock.advance(59_999);
    expect(codes).toEqual([]);
    await stage.clock.advance(1_000);
    expect(codes).toEqual([CloseCode.credentialsExpired]);
    expect(await client.closed).toMatchObject({ code: CloseCode.credentialsExpired });
  });

  test("a handshake that is not decided is refused when its time is up", async () => {
    const { stage } = open({ authenticate: () => new Promise<never>(() => {}), handshakeTimeout: 3_000 });
    const refusal = rejection(stage.connect());
    await stage.clock.advance(3_000);
    expect(await refusal).toMatchObject({ status: 503 });
    expect(stage.errors).toMatchObject([{ error: { code: "ERR_HUB_TIMEOUT" }, context: { source: "authenticate" } }]);
  });

  test("the effect of a timer has reached the clients when the time has passed", async () => {
    const { stage } = open();
    const [ann, bob] = [await stage.connect(), await stage.connect()];
    stage.hub.handle("pong", (data, socket) => socket.broadcast.emit("heard", data));
    stage.clock.setTimeout(() => ann.socket.emit("ping"), 1_000);
    void ann.next("ping").then(() => ann.emit("pong", 1));
    await stage.clock.advance(1_000);
    expect(bob.received).toStrictEqual([{ event: "heard", data: 1 }]);
  });

  test("a drain ends when its time is up", async () => {
    const { stage, codes } = open({ heartbeat: false });
    const client = await stage.connect();
    stage.hub.handle("work", () => new Promise<never>(() => {}));
    client.emit("work");
    await stage.settle();
    const drained = stage.hub.drain({ within: 10_000 });
    await stage.clock.advance(9_999);
    expect(codes).toEqual([]);
    await stage.clock.advance(1);
    await drained;
    expect(codes).toEqual([CloseCode.draining]);
    expect(await client.next("hub:bye")).toMatchObject({ data: { reconnect: true, spread: 10_000 } });
  });
});

describe("a stalled reader", () => {
  const MESSAGE = "x".repeat(1_000);

  test("is closed when too much waits for it, and the others are not", async () => {
    const { stage, codes } = open({ maxBufferedBytes: 10_000 });
    const [slow, well] = [await stage.connect(), await stage.connect()];
    slow.stall();
    for (let count = 0; count < 20; count++) {
      stage.hub.emit("news", MESSAGE);
      await stage.settle();
    }
    expect(codes).toEqual([CloseCode.slowConsumer]);
    expect(well.received.length).toBe(20);
    slow.resume();
    expect(await slow.closed).toMatchObject({ code: CloseCode.slowConsumer });
  });

  test("learns how much was dropped, and gets the rest", async () => {
    const { stage, codes } = open({ maxBufferedBytes: 10_000, overload: "drop" });
    const slow = await stage.connect();
    slow.stall();
    for (let count = 0; count < 20; count++) {
      stage.hub.emit("news", { count, MESSAGE });
      await stage.settle();
    }
    slow.resume();
    await stage.settle();
    stage.hub.emit("last");
    await slow.next("last");
    const { data } = await slow.next("hub:dropped");
    const news = slow.received.filter((message) => typeof message === "object" && "event" in message);
    const got = news.filter(({ event }) => event === "news").length;
    expect(got).toBeGreaterThan(0);
    expect(data).toEqual({ count: 20 - got });
    expect(stage.hub.stats().drops.overload).toBe(20 - got);
    expect(codes).toEqual([]);
  });
});

describe("errors", () => {
  test("of handlers are reported", async () => {
    const { stage } = open();
    const client = await stage.connect();
    const broken = new Error("broken");
    stage.hub.handle("break", () => {
      throw broken;
    });
    await expect(client.request("break")).rejects.toMatchObject({ reason: "handler-failed" });
    expect(stage.errors).toEqual([{ error: broken, context: expect.objectContaining({ source: "handler" }) }]);
    expect(stage.errors[0]?.context.socket).toBe(client.socket);
  });
});

describe("hubs", () => {
  test("can be made by the application", async () => {
    const stage = createTestHub(createChat);
    onTestFinished(() => stage.close());
    await expect(stage.connect()).rejects.toMatchObject({ status: 404 });
    const client = await stage.connect({ url: "/chat" });
    client.emit("chat", "hi");
    expect(await client.next()).toStrictEqual({ event: "chat", data: "hi" });
    expect(stage.clock.timers).toBeGreaterThan(0);
  });

  test("can exist side by side, each with its own clients and its own time", async () => {
    const { stage: a } = open({ heartbeat: { interval: 1_000, timeout: 1_000 } });
    const { stage: b } = open({ heartbeat: { interval: 1_000, timeout: 1_000 } });
    const [ann, bob] = await Promise.all([a.connect(), b.connect()]);
    a.hub.emit("from a");
    b.hub.emit("from b");
    ann.stall();
    bob.stall();
    await Promise.all([a.clock.advance(10), b.clock.advance(2_000)]);
    expect([ann.socket.isOpen, bob.socket.isOpen]).toEqual([true, false]);
    expect(b.clock.now() - a.clock.now()).toBe(1_990);
    ann.resume();
    bob.resume();
    await a.settle();
    expect([ann.received, bob.received]).toStrictEqual([[{ event: "from a" }], [{ event: "from b" }]]);
  });

  test("leave nothing behind", async () => {
    const { stage } = open({
      authenticate: ({ url }) => (url === "/never" ? new Promise<never>(() => {}) : { id: "x" }),
    });
    const clients = [await stage.connect(), await stage.connect(), await stage.connect()];
    const undecided = rejection(stage.connect({ url: "/never" }));
    await stage.settle();
    clients[0]?.stall();
    const asked = rejection(Promise.resolve(clients[1]?.socket.request("ready?")));
    await stage.close();
    expect(await asked).toMatchObject({ code: "ERR_HUB_CLOSED" });
    expect(await Promise.all(clients.map(({ closed }) => closed))).toMatchObject([
      { code: CloseCode.goingAway },
      { code: CloseCode.goingAway },
      { code: CloseCode.goingAway },
    ]);
    expect(stage.hub.sockets.size).toBe(0);
    await stage.clock.advance(60_000);
    expect(await undecided).toMatchObject({ status: 503 });
    expect(stage.clock.timers).toBe(0);
    await stage.close();
  });

  test("are closed at the end of a block", async () => {
    let kept: TestHub;
    {
      await using stage = createTestHub();
      kept = stage;
      await stage.connect();
      expect(stage.hub.sockets.size).toBe(1);
    }
    expect(kept.hub.sockets.size).toBe(0);
    await expect(kept.connect()).rejects.toMatchObject({ status: 503 });
  });
});
