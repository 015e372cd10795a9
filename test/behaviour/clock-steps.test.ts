import { Hub, type HubOptions } from "roomcast";
import { createTestHub, memory, MemoryEngine, VirtualClock, type TestHub, type TestRefusal } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";

const HOUR = 3_600_000;

/** What somebody does to the clock of a server; forward, a machine that was suspended sees the same. */
const STEPS = [
  ["two hours forward", 2 * HOUR],
  ["two hours back", -2 * HOUR],
  ["thirty days forward", 30 * 24 * HOUR],
] as const;

function open(options: HubOptions = {}): TestHub {
  const fixture = createTestHub({ welcome: false, heartbeat: false, ...options });
  onTestFinished(() => fixture.close());
  return fixture;
}

describe.each(STEPS)("When the wall clock is set %s,", (_, step) => {
  const setBy = (clock: VirtualClock): void => clock.setWall(clock.wall() + step);

  test("rates give and take nothing", async () => {
    const fixture = open({ limits: { messages: { perSecond: 10, burst: 5 } } });
    let handled = 0;
    fixture.hub.handle("any", () => void handled++);
    const client = await fixture.connect();
    for (let n = 0; n < 9; n++) client.emit("any");
    await fixture.settle();
    expect(handled).toBe(5);
    setBy(fixture.clock);
    // What waits is looked at 50 ms after there is room for one more.
    await fixture.clock.advance(149);
    expect(handled).toBe(5);
    await fixture.clock.advance(1);
    expect(handled).toBe(6);
    setBy(fixture.clock);
    await fixture.clock.advance(350);
    expect(handled).toBe(9);
    expect(client.socket.isOpen).toBe(true);
  });

  test("an answer is remembered for its time and no longer", async () => {
    const fixture = open({ idempotency: { within: 60_000, maxBytes: 10_000 } });
    let paid = 0;
    fixture.hub.handle("pay", () => ++paid);
    const client = await fixture.connect();
    const pay = async (): Promise<void> => {
      client.send(JSON.stringify({ event: "pay", id: 1, key: "k" }));
      await fixture.settle();
    };
    await pay();
    setBy(fixture.clock);
    await fixture.clock.advance(60_000);
    await pay();
    expect(paid).toBe(1);
    await fixture.clock.advance(1);
    await pay();
    expect(paid).toBe(2);
  });

  test("the heartbeat finds those who are silent, in time, and no other client", async () => {
    const fixture = open({ heartbeat: { interval: 1_000, timeout: 400 } });
    const departures: unknown[] = [];
    fixture.hub.on("disconnection", (socket) => departures.push(socket));
    const [silent, well] = [await fixture.connect(), await fixture.connect()];
    silent.stall();
    await fixture.clock.advance(600);
    setBy(fixture.clock);
    await fixture.clock.advance(500);
    setBy(fixture.clock);
    await fixture.clock.advance(300);
    expect(departures).toEqual([silent.socket]);
    await fixture.clock.advance(3_000);
    expect(well.socket.isOpen).toBe(true);
  });

  test("a node keeps its lease, and one that falls silent loses it in time", async () => {
    const engine = new MemoryEngine();
    const [here, there] = [new VirtualClock(), new VirtualClock()];
    const [hub, other] = [here, there].map((clock) => {
      const node = new Hub({ transport: memory(), clock, backplane: engine.backplane(), cluster: { lease: 3_000 } });
      onTestFinished(() => node.close());
      return node;
    }) as [Hub, Hub];
    await Promise.all([hub.synced(), other.synced()]);
    await here.advance(500);
    setBy(here);
    for (let passed = 0; passed < 9_000; passed += 1_000) {
      await there.advance(1_000);
      await here.advance(1_000);
      expect(hub.nodes).toHaveLength(1);
    }
    await here.advance(1_000);
    setBy(here);
    await here.advance(3_000);
    expect(hub.nodes).toEqual([]);
  });

  test("a drain waits for as long as it should", async () => {
    const fixture = open();
    fixture.hub.handle("slow", () => new Promise(() => {}));
    const client = await fixture.connect();
    client.emit("slow");
    await fixture.settle();
    const drained = fixture.hub.drain({ within: 5_000 });
    await fixture.clock.advance(1_000);
    setBy(fixture.clock);
    await fixture.clock.advance(3_999);
    expect(client.socket.isOpen).toBe(true);
    await fixture.clock.advance(1);
    await drained;
    expect((await client.closed).code).toBe(4200);
  });

  test("credentials that have expired by it end within half a minute, and new ones at their time", async () => {
    const fixture = open({
      authenticate: ({ query }) => ({ id: "ann", expiresAt: fixture.clock.wall() + Number(query.get("life")) }),
    });
    const old = await fixture.connect({ url: `/?life=${HOUR}` });
    await fixture.clock.advance(45_000);
    setBy(fixture.clock);
    expect(old.socket.isOpen).toBe(true);
    const fresh = await fixture.connect({ url: "/?life=2000" });
    await fixture.clock.advance(1_999);
    expect(fresh.socket.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect((await fresh.closed).code).toBe(4103);
    await fixture.clock.advance(28_000);
    expect(old.socket.isOpen).toBe(step < 0);
    await fixture.clock.advance(Math.max(-step, 0) + HOUR);
    expect((await old.closed).code).toBe(4103);
    expect(fixture.clock.timers).toBe(0);
  });

  test("expired credentials end although nobody comes, and are not let in again", async () => {
    const expiresAt = new VirtualClock().wall() + HOUR;
    const fixture = open({ authenticate: () => ({ id: "ann", expiresAt }) });
    const { socket } = await fixture.connect();
    setBy(fixture.clock);
    await fixture.clock.advance(30_000);
    expect(socket.isOpen).toBe(step < 0);
    const status = await fixture.connect().then(
      () => 101,
      (refusal: TestRefusal) => refusal.status,
    );
    expect(status).toBe(step < 0 ? 101 : 401);
  });
});
