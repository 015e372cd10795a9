import { CloseCode, Hub, type HubOptions } from "roomcast";
import { createTestHub, type TestHub } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { rejection } from "../../support/clients.ts";

/** A hub for this test, and what its `disconnection` event told. */
function open(options: HubOptions = {}): { readonly fixture: TestHub; readonly codes: readonly number[] } {
  const fixture = createTestHub(options);
  onTestFinished(() => fixture.close());
  const codes: number[] = [];
  fixture.hub.on("disconnection", (_socket, { code }) => codes.push(code));
  return { fixture, codes };
}

/** How an application makes its hub. */
function createChat(options: HubOptions): Hub {
  const hub = new Hub({ ...options, path: "/chat" });
  hub.handle("chat", (text) => hub.emit("chat", text));
  return hub;
}

describe("in the time of a test hub", () => {
  test("a lost client is found within interval and timeout, without any real waiting", async () => {
    const { fixture, codes } = open({ heartbeat: { interval: 25_000, timeout: 20_000 } });
    const [lost, well] = [await fixture.connect(), await fixture.connect()];
    lost.stall();
    await fixture.clock.advance(20_000);
    expect(codes).toEqual([]);
    await fixture.clock.advance(25_000);
    expect(codes).toEqual([CloseCode.heartbeatLost]);
    expect(fixture.hub.stats().heartbeatLosses).toBe(1);
    lost.resume();
    expect(await lost.closed).toMatchObject({ code: CloseCode.heartbeatLost });
    await fixture.clock.advance(3_600_000);
    expect(well.socket.isOpen).toBe(true);
  });

  test("a request that nobody answers fails when its time is up", async () => {
    const { fixture } = open({ heartbeat: false });
    const client = await fixture.connect();
    const failure = rejection(client.socket.request("ready?", undefined, { timeout: 5_000 }));
    let failed = false;
    void failure.then(() => (failed = true));
    await fixture.clock.advance(4_999);
    expect(failed).toBe(false);
    await fixture.clock.advance(1);
    expect(failed).toBe(true);
    expect(await failure).toMatchObject({ code: "ERR_HUB_TIMEOUT" });
  });

  test("credentials expire", async () => {
    const { fixture, codes } = open({ authenticate: () => ({ id: "ann", expiresAt: fixture.clock.wall() + 60_000 }) });
    const client = await fixture.connect();
    await fixture.clock.advance(59_999);
    expect(codes).toEqual([]);
    await fixture.clock.advance(1_000);
    expect(codes).toEqual([CloseCode.credentialsExpired]);
    expect(await client.closed).toMatchObject({ code: CloseCode.credentialsExpired });
  });

  test("a handshake that is not decided is refused when its time is up", async () => {
    const { fixture } = open({ authenticate: () => new Promise<never>(() => {}), handshakeTimeout: 3_000 });
    const refusal = rejection(fixture.connect());
    await fixture.clock.advance(3_000);
    expect(await refusal).toMatchObject({ status: 503 });
    expect(fixture.errors).toMatchObject([{ error: { code: "ERR_HUB_TIMEOUT" }, context: { source: "authenticate" } }]);
  });

  test("the effect of a timer has reached the clients when the time has passed", async () => {
    const { fixture } = open();
    const [ann, bob] = [await fixture.connect(), await fixture.connect()];
    fixture.hub.handle("pong", (data, socket) => socket.broadcast.emit("heard", data));
    fixture.clock.setTimeout(() => ann.socket.emit("ping"), 1_000);
    void ann.next("ping").then(() => ann.emit("pong", 1));
    await fixture.clock.advance(1_000);
    expect(bob.received).toStrictEqual([{ event: "heard", data: 1 }]);
  });

  test("a drain ends when its time is up", async () => {
    const { fixture, codes } = open({ heartbeat: false });
    const client = await fixture.connect();
    fixture.hub.handle("work", () => new Promise<never>(() => {}));
    client.emit("work");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 10_000 });
    await fixture.clock.advance(9_999);
    expect(codes).toEqual([]);
    await fixture.clock.advance(1);
    await drained;
    expect(codes).toEqual([CloseCode.draining]);
    expect(await client.next("hub:bye")).toMatchObject({ data: { reconnect: true, spread: 10_000 } });
  });
});

describe("a stalled reader", () => {
  const MESSAGE = "x".repeat(1_000);

  test("is closed when too much waits for it, and the others are not", async () => {
    const { fixture, codes } = open({ maxBufferedBytes: 10_000 });
    const [slow, well] = [await fixture.connect(), await fixture.connect()];
    slow.stall();
    for (let count = 0; count < 20; count++) {
      fixture.hub.emit("news", MESSAGE);
      await fixture.settle();
    }
    expect(codes).toEqual([CloseCode.slowConsumer]);
    expect(well.received.length).toBe(20);
    slow.resume();
    expect(await slow.closed).toMatchObject({ code: CloseCode.slowConsumer });
  });

  test("learns how much was dropped, and gets the rest", async () => {
    const { fixture, codes } = open({ maxBufferedBytes: 10_000, overload: "drop" });
    const slow = await fixture.connect();
    slow.stall();
    for (let count = 0; count < 20; count++) {
      fixture.hub.emit("news", { count, MESSAGE });
      await fixture.settle();
    }
    slow.resume();
    await fixture.settle();
    fixture.hub.emit("last");
    await slow.next("last");
    const { data } = await slow.next("hub:dropped");
    const news = slow.received.filter((message) => typeof message === "object" && "event" in message);
    const got = news.filter(({ event }) => event === "news").length;
    expect(got).toBeGreaterThan(0);
    expect(data).toEqual({ count: 20 - got });
    expect(fixture.hub.stats().drops.overload).toBe(20 - got);
    expect(codes).toEqual([]);
  });
});

describe("errors of a test hub", () => {
  test("of handlers are reported", async () => {
    const { fixture } = open();
    const client = await fixture.connect();
    const broken = new Error("broken");
    fixture.hub.handle("break", () => {
      throw broken;
    });
    await expect(client.request("break")).rejects.toMatchObject({ reason: "handler-failed" });
    expect(fixture.errors).toEqual([{ error: broken, context: expect.objectContaining({ source: "handler" }) }]);
    expect(fixture.errors[0]?.context.socket).toBe(client.socket);
  });
});

describe("test hubs", () => {
  test("can be made by the application", async () => {
    const fixture = createTestHub(createChat);
    onTestFinished(() => fixture.close());
    await expect(fixture.connect()).rejects.toMatchObject({ status: 404 });
    const client = await fixture.connect({ url: "/chat" });
    client.emit("chat", "hi");
    expect(await client.next()).toStrictEqual({ event: "chat", data: "hi" });
    expect(fixture.clock.timers).toBeGreaterThan(0);
  });

  test("can exist side by side, each with its own clients and its own time", async () => {
    const { fixture: a } = open({ heartbeat: { interval: 1_000, timeout: 1_000 } });
    const { fixture: b } = open({ heartbeat: { interval: 1_000, timeout: 1_000 } });
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
    const { fixture } = open({
      authenticate: ({ url }) => (url === "/never" ? new Promise<never>(() => {}) : { id: "x" }),
    });
    const clients = [await fixture.connect(), await fixture.connect(), await fixture.connect()];
    const undecided = rejection(fixture.connect({ url: "/never" }));
    await fixture.settle();
    clients[0]?.stall();
    const asked = rejection(Promise.resolve(clients[1]?.socket.request("ready?")));
    await fixture.close();
    expect(await asked).toMatchObject({ code: "ERR_HUB_CLOSED" });
    expect(await Promise.all(clients.map(({ closed }) => closed))).toMatchObject([
      { code: CloseCode.goingAway },
      { code: CloseCode.goingAway },
      { code: CloseCode.goingAway },
    ]);
    expect(fixture.hub.sockets.size).toBe(0);
    await fixture.clock.advance(60_000);
    expect(await undecided).toMatchObject({ status: 503 });
    expect(fixture.clock.timers).toBe(0);
    await fixture.close();
  });

  test("are closed at the end of a block", async () => {
    let kept: TestHub;
    {
      await using fixture = createTestHub();
      kept = fixture;
      await fixture.connect();
      expect(fixture.hub.sockets.size).toBe(1);
    }
    expect(kept.hub.sockets.size).toBe(0);
    await expect(kept.connect()).rejects.toMatchObject({ status: 503 });
  });
});
