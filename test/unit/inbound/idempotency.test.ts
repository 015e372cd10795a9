import { Buffer } from "node:buffer";
import { Hub, type HubOptions } from "roomcast";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Idempotency } from "../../../src/inbound/idempotency.ts";
import { systemClock } from "../../../src/time/clock.ts";
import type { Member } from "../../../src/members/member.ts";
import type { EventPacket } from "../../../src/protocol/packet.ts";
import { Frame } from "../../../src/transports/frame.ts";
import { enter } from "../../support/library-client.ts";

function member(user?: string, protocol = "roomcast.v1.json"): Member {
  return {
    open: true,
    user: user === undefined ? undefined : { id: user },
    connection: { protocol },
  } as unknown as Member;
}

const REQUEST: EventPacket = { event: "pay", id: 1, key: "k" };
const NEW = { isNew: true };
const PENDING = { isNew: false };

describe("Idempotency", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("remembers a reply, and everybody who asked before there was one", () => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 10_000 }, systemClock);
    const [first, second, third] = [member(), member(), member()];
    expect(answers.receive(first, REQUEST)).toEqual(NEW);
    expect(answers.receive(second, REQUEST)).toEqual(PENDING);
    expect(answers.settle(first, REQUEST, new Frame('{"reply":1}'))).toEqual([first, second]);
    expect(answers.receive(third, REQUEST)).toEqual({ isNew: false, reply: '{"reply":1}' });
  });

  test("keeps a copy of binary replies", () => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 10_000 }, systemClock);
    const bytes = Buffer.from([1, 2, 3]);
    answers.receive(member(), REQUEST);
    answers.settle(member(), REQUEST, new Frame(bytes));
    const { reply } = answers.receive(member(), REQUEST);
    expect(reply).toStrictEqual(Uint8Array.of(1, 2, 3));
    expect((reply as Uint8Array).buffer.byteLength).toBe(3);
  });

  test.each([
    ["user", member("ben"), REQUEST],
    ["subprotocol", member("ann", "roomcast.v1.msgpack"), REQUEST],
    ["event", member("ann"), { ...REQUEST, event: "refund" }],
    ["id", member("ann"), { ...REQUEST, id: 2 }],
    ["key", member("ann"), { ...REQUEST, key: "other" }],
  ])("keeps a reply for one %s", (_, asker, request) => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 10_000 }, systemClock);
    answers.receive(member("ann"), REQUEST);
    answers.settle(member("ann"), REQUEST, new Frame("secret"));
    expect(answers.receive(asker, request)).toEqual(NEW);
    expect(answers.receive(member("ann"), REQUEST)).toEqual({ isNew: false, reply: "secret" });
  });

  test("forgets a request after its time, which starts again with the reply", () => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 10_000 }, systemClock);
    answers.receive(member(), REQUEST);
    vi.advanceTimersByTime(900);
    answers.settle(member(), REQUEST, new Frame("paid"));
    vi.advanceTimersByTime(1_000);
    expect(answers.receive(member(), REQUEST)).toEqual({ isNew: false, reply: "paid" });
    vi.advanceTimersByTime(1);
    expect(answers.receive(member(), REQUEST)).toEqual(NEW);
  });

  test("forgets the oldest replies first when they would take too much memory", () => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 3_000 }, systemClock);
    for (let id = 0; id < 100; id++) {
      answers.receive(member(), { ...REQUEST, id });
      answers.settle(member(), { ...REQUEST, id }, new Frame("x".repeat(100)));
    }
    expect(answers.receive(member(), { ...REQUEST, id: 99 }).reply).toBeDefined();
    expect(answers.receive(member(), { ...REQUEST, id: 90 })).toEqual(NEW);
    // One that is too large by itself is not kept, and does no harm.
    answers.receive(member(), { ...REQUEST, id: 200 });
    answers.settle(member(), { ...REQUEST, id: 200 }, new Frame("x".repeat(3_000)));
    expect(answers.receive(member(), { ...REQUEST, id: 200 })).toEqual(NEW);
    answers.receive(member(), { ...REQUEST, id: 201 });
    expect(answers.receive(member(), { ...REQUEST, id: 201 })).toEqual(PENDING);
  });

  test("answers the client that asked although its request was forgotten meanwhile", () => {
    const answers = new Idempotency<Member>({ within: 1_000, maxBytes: 10_000 }, systemClock);
    const [first, second] = [member(), member()];
    answers.receive(first, REQUEST);
    vi.advanceTimersByTime(1_001);
    answers.receive(second, { ...REQUEST, id: 2 });
    expect(answers.settle(first, REQUEST, new Frame("late"))).toEqual([first]);
  });
});

describe("a request with a key", () => {
  const hubs: Hub[] = [];

  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.close();
  });

  async function listen(options: HubOptions = {}): Promise<{ hub: Hub; port: number }> {
    const hub = new Hub({ heartbeat: false, ...options });
    hubs.push(hub);
    return { hub, port: (await hub.listen({ host: "127.0.0.1" })).port };
  }

  test("is handled once, and answered on every connection that repeats it", async () => {
    const { hub, port } = await listen();
    let paid = 0;
    hub.handle("pay", () => ++paid);
    for (let attempt = 0; attempt < 3; attempt++) {
      const client = await enter(port);
      client.send(REQUEST);
      expect(await client.nextJson()).toEqual({ reply: 1, data: 1 });
      client.vanish();
    }
    expect(paid).toBe(1);
  });

  test("that is being handled is answered on every connection that is still open", async () => {
    const { hub, port } = await listen();
    const finish: (() => void)[] = [];
    hub.handle("pay", async () => {
      await new Promise<void>((resolve) => finish.push(resolve));
      return "paid";
    });
    const first = await enter(port);
    first.send(REQUEST);
    first.send({ event: "fence", id: 2 });
    await first.next();
    first.vanish();

    const second = await enter(port);
    second.send(REQUEST);
    second.send({ event: "fence", id: 2 });
    expect(await second.nextJson()).toMatchObject({ reply: 2 });
    expect(finish).toHaveLength(1);
    finish[0]?.();
    expect(await second.nextJson()).toEqual({ reply: 1, data: "paid" });
  });

  test("is answered with the same error again", async () => {
    const { hub, port } = await listen();
    hub.on("error", () => {});
    let attempts = 0;
    hub.handle("pay", () => {
      attempts++;
      throw new Error("a secret");
    });
    const client = await enter(port);
    client.send(REQUEST);
    const failure = await client.next();
    client.send(REQUEST);
    expect(await client.next()).toBe(failure);
    expect(attempts).toBe(1);
  });

  test.each<[string, HubOptions, object]>([
    ["where the hub remembers nothing", { idempotency: false }, REQUEST],
    ["without its key", {}, { event: "pay", id: 1 }],
    ["that is no request", {}, { event: "pay", key: "k" }],
  ])("%s is handled each time", async (_, options, packet) => {
    const { hub, port } = await listen(options);
    let paid = 0;
    hub.handle("pay", () => ++paid);
    const client = await enter(port);
    client.send(packet);
    client.send(packet);
    client.send({ event: "fence", id: 9 });
    for (let reply = {}; !("reply" in reply && reply.reply === 9);) reply = (await client.nextJson()) as object;
    expect(paid).toBe(2);
  });

  test.each([1, "", "x".repeat(65), null, {}])("cannot have the key %j", async (key) => {
    const { port } = await listen();
    const client = await enter(port);
    client.send({ event: "pay", id: 1, key });
    expect(await client.nextJson()).toMatchObject({ event: "hub:error", data: { code: "bad-packet" } });
  });
});
