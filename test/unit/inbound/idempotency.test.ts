import { Buffer } from "node:buffer";
import { Hub, type HubOptions } from "roomcast";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { zeroCounters } from "../../../src/counters.ts";
import { Idempotency, repeatableOf, type IdempotencyOptions } from "../../../src/inbound/idempotency.ts";
import type { Receipt } from "../../../src/members/repeats.ts";
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
    handshake: { remoteAddress: "192.0.2.1" },
  } as unknown as Member;
}

function idempotency(options: Partial<IdempotencyOptions> = {}): Idempotency<Member> {
  return new Idempotency<Member>({ within: 1_000, maxBytes: 10_000, ...options }, systemClock, zeroCounters());
}

const REQUEST: EventPacket = { event: "pay", id: 1, key: "k" };
const NEW = { isNew: true };
const PENDING = { isNew: false };

describe("Idempotency", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("remembers a reply, and everybody who asked before there was one", () => {
    const answers = idempotency();
    const [first, second, third] = [member(), member(), member()];
    expect(answers.receive(first, REQUEST)).toEqual(NEW);
    expect(answers.receive(second, REQUEST)).toEqual(PENDING);
    expect([...answers.settle(first, REQUEST, new Frame('{"reply":1}'))]).toEqual([first, second]);
    expect(answers.receive(third, REQUEST)).toEqual({ isNew: false, reply: '{"reply":1}' });
  });

  test("keeps a copy of binary replies", () => {
    const answers = idempotency();
    const bytes = Buffer.from([1, 2, 3]);
    const first = member();
    answers.receive(first, REQUEST);
    answers.settle(first, REQUEST, new Frame(bytes));
    const { reply } = answers.receive(member(), REQUEST);
    expect(reply).toStrictEqual(Uint8Array.of(1, 2, 3));
    expect((reply as Uint8Array).buffer.byteLength).toBe(3);
  });

  test("a secret key counts whoever the user is", () => {
    const answers = idempotency();
    const request: EventPacket = { ...REQUEST, key: "~0123456789abcdefghij" };
    const guest = member("guest 1");
    answers.receive(guest, request);
    answers.settle(guest, request, new Frame("reply"));
    expect(answers.receive(member("guest 2"), request)).toEqual({ isNew: false, reply: "reply" });
    expect(answers.receive(member("guest 2", "roomcast.v1.msgpack"), request)).toEqual(NEW);
  });

  test("a key that is too short to be secret counts for its user, whatever its characters", () => {
    const answers = idempotency();
    const request: EventPacket = { ...REQUEST, key: "order~1" };
    answers.receive(member("ann"), request);
    answers.settle(member("ann"), request, new Frame("secret"));
    expect(answers.receive(member("ben"), request)).toEqual(NEW);
  });

  test.each([
    ["user", member("ben"), REQUEST],
    ["subprotocol", member("ann", "roomcast.v1.msgpack"), REQUEST],
    ["event", member("ann"), { ...REQUEST, event: "refund" }],
    ["id", member("ann"), { ...REQUEST, id: 2 }],
    ["key", member("ann"), { ...REQUEST, key: "other" }],
  ])("keeps a reply for one %s", (_, asker, request) => {
    const answers = idempotency();
    answers.receive(member("ann"), REQUEST);
    answers.settle(member("ann"), REQUEST, new Frame("secret"));
    expect(answers.receive(asker, request)).toEqual(NEW);
    expect(answers.receive(member("ann"), REQUEST)).toEqual({ isNew: false, reply: "secret" });
  });

  test("forgets a reply after its time, which begins with the reply", () => {
    const answers = idempotency();
    answers.receive(member(), REQUEST);
    vi.advanceTimersByTime(900);
    answers.settle(member(), REQUEST, new Frame("paid"));
    vi.advanceTimersByTime(1_000);
    expect(answers.receive(member(), REQUEST)).toEqual({ isNew: false, reply: "paid" });
    vi.advanceTimersByTime(1);
    expect(answers.receive(member(), REQUEST)).toEqual(NEW);
  });

  test("forgets nothing that is being handled, however long that takes and whatever others are answered", () => {
    const answers = idempotency({ maxBytes: 2_000 });
    answers.receive(member(), REQUEST);
    vi.advanceTimersByTime(1_000_000);
    for (let id = 2; id < 100; id++) {
      const packet = { ...REQUEST, id };
      answers.receive(member(), packet);
      answers.settle(member(), packet, new Frame("x".repeat(100)));
    }
    expect(answers.receive(member(), { ...REQUEST })).toEqual(PENDING);
  });

  test("remembers of a reply that is longer than a sixteenth of a share only that there was one", () => {
    const answers = idempotency({ maxBytes: 100_000, maxBytesPerOwner: 16_000 });
    for (const [id, length] of [
      [1, 1_000],
      [2, 1_001],
    ] as const) {
      const packet = { ...REQUEST, id };
      answers.receive(member(), packet);
      answers.settle(member(), packet, new Frame("x".repeat(length)));
    }
    expect(answers.receive(member(), { ...REQUEST, id: 1 })).toEqual({ isNew: false, reply: "x".repeat(1_000) });
    expect(answers.receive(member(), { ...REQUEST, id: 2 })).toEqual({ isNew: false, isGone: true });
  });

  test("remembers that a request was handled whose reply could not be encoded", () => {
    const answers = idempotency();
    answers.receive(member(), REQUEST);
    answers.settle(member(), REQUEST, undefined);
    expect(answers.receive(member(), REQUEST)).toEqual({ isNew: false, isGone: true });
  });

  test("takes the refusal of a repeated request for no reply to the first", () => {
    const answers = idempotency();
    const [first, second] = [member(), member()];
    answers.receive(first, REQUEST);
    expect([...answers.settle(second, { ...REQUEST }, new Frame("refused"))]).toEqual([second]);
    answers.settle(first, REQUEST, new Frame("paid"));
    expect([...answers.settle(second, { ...REQUEST }, new Frame("refused"))]).toEqual([second]);
    expect(answers.receive(second, REQUEST)).toEqual({ isNew: false, reply: "paid" });
  });

  test("gives a reply to sixteen open connections at most, and lets those that are gone make room", () => {
    const answers = idempotency();
    const askers = Array.from({ length: 16 }, () => member());
    for (const asker of askers) expect(answers.receive(asker, { ...REQUEST }).isExcessive).toBeUndefined();
    expect(answers.receive(member(), { ...REQUEST })).toEqual({ isNew: false, isExcessive: true });
    const [gone, ...others] = askers;
    if (gone !== undefined) gone.open = false;
    const last = member();
    expect(answers.receive(last, { ...REQUEST })).toEqual(PENDING);
    expect(answers.receive(others[0] as Member, { ...REQUEST })).toEqual(PENDING);
  });

  test.each(["four connections", "as many connections"])("does work in proportion to the repeats, from %s", (from) => {
    const workFor = (repeats: number): number => {
      let looks = 0;
      const observed = (): Member => Object.defineProperty(member(), "open", { get: () => looks++ >= 0 });
      const four = Array.from({ length: 4 }, observed);
      const answers = idempotency();
      answers.receive(observed(), REQUEST);
      for (let n = 0; n < repeats; n++) {
        answers.receive((from === "four connections" && four[n % 4]) || observed(), { ...REQUEST });
      }
      return looks;
    };
    expect(workFor(2_000)).toBeLessThanOrEqual(2.6 * workFor(1_000));
    expect(workFor(1_000)).toBeLessThanOrEqual(16 * 1_000);
  });

  test("agrees with a list about everything that is being handled", () => {
    const steps = fc.array(fc.record({ user: fc.nat(2), key: fc.nat(3), from: fc.nat(40), settles: fc.boolean() }), {
      maxLength: 200,
      size: "max",
    });
    fc.assert(
      fc.property(steps, (program) => {
        const answers = idempotency({ maxBytes: 1_500, within: 1 });
        const members = Array.from({ length: 3 }, (_, user) => Array.from({ length: 41 }, () => member(`${user}`)));
        const running = new Map<string, { readonly packet: EventPacket; readonly askers: Set<Member> }>();
        for (const { user, key, from, settles } of program) {
          const asker = members[user]?.[from] as Member;
          const identity = `${user} ${key}`;
          const known = running.get(identity);
          const packet = { ...REQUEST, key: `k${key}` };
          const isLast = settles && known !== undefined;
          const receipt = isLast ? undefined : answers.receive(asker, packet);
          const told = isLast ? new Set(answers.settle(asker, known.packet, new Frame("done"))) : undefined;
          expect(told).toEqual(isLast ? known.askers : undefined);
          const isFull = known !== undefined && !known.askers.has(asker) && known.askers.size === 16;
          expect(receipt ?? {}).toMatchObject(
            isLast || known === undefined ? {} : isFull ? { isExcessive: true } : PENDING,
          );
          if (isLast) running.delete(identity);
          else if (receipt?.isNew === true) running.set(identity, { packet, askers: new Set([asker]) });
          else if (!isFull) known?.askers.add(asker);
        }
      }),
      { seed: 20_261_130 },
    );
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

describe("Idempotency that another node asks", () => {
  const ONE = "node one";
  const TWO = "node two";
  const owner = "address:192.0.2.1";
  let answers: Idempotency<Member>;
  let identity: string;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
    answers = idempotency();
    ({ identity } = repeatableOf(member(), REQUEST));
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function ask(node: string): Receipt[] {
    const receipts: Receipt[] = [];
    answers.ask({ identity, owner }, node, (receipt) => receipts.push(receipt));
    return receipts;
  }

  test("answers with the reply that was given, or when there is one", () => {
    const first = member();
    answers.receive(first, REQUEST);
    const waiting = ask(ONE);
    expect(waiting).toEqual([]);
    answers.settle(first, REQUEST, new Frame("reply"));
    const replied = [{ isNew: false, reply: "reply" }];
    expect([waiting, ask(TWO)]).toEqual([replied, replied]);
  });

  test("lets one node handle a request that is new, and the others and its own clients wait for that", async () => {
    expect(ask(ONE)).toEqual([NEW]);
    const waiting = ask(TWO);
    const { later } = answers.receive(member(), REQUEST);
    answers.handled({ identity, owner }, TWO, "of the wrong node");
    expect(waiting).toEqual([]);
    answers.handled({ identity, owner }, ONE, "reply");
    expect(waiting).toEqual([{ isNew: false, reply: "reply" }]);
    expect(await later).toEqual({ isNew: false, reply: "reply" });
    expect(answers.receive(member(), REQUEST)).toEqual({ isNew: false, reply: "reply" });
  });

  test("when the node that handles it is gone, hands it on to the next that waits, which may be a client", async () => {
    ask(ONE);
    const waiting = ask(TWO);
    const asker = member();
    const { later } = answers.receive(asker, REQUEST);
    answers.gone(ONE);
    expect(waiting).toEqual([NEW]);
    answers.gone(TWO);
    expect(await later).toEqual(NEW);
    expect([...answers.settle(asker, REQUEST, new Frame("reply"))]).toEqual([asker]);
    answers.gone(ONE);
    expect(ask(ONE)).toEqual([{ isNew: false, reply: "reply" }]);
  });

  test("takes a request for handled when its node is heard for a lease and does not say that it handles it", async () => {
    ask(ONE);
    const waiting = ask(TWO);
    const { later } = answers.receive(member(), REQUEST);
    const looks: ReadonlySet<string>[] = Array.from({ length: 3 }, () => new Set([ONE, TWO]));
    for (const look of looks) answers.heard(look);
    // It still handles the request.
    ask(ONE);
    for (const look of looks) answers.heard(look);
    // Nothing is heard of it, as in an outage of this node.
    for (let count = 0; count < 10; count++) answers.heard(new Set([TWO]));
    for (const look of looks) answers.heard(look);
    expect(waiting).toEqual([]);
    answers.heard(new Set([ONE]));
    const gone = { isNew: false, isGone: true };
    expect([ask(ONE), waiting, await later]).toEqual([[gone], [gone], gone]);
  });

  test("does not wait for a node that asks itself", () => {
    answers.receive(member(), REQUEST, true);
    expect(ask(ONE)).toEqual([{ isNew: false, isExcessive: true }]);
  });

  test("tells other nodes of a long reply only that it was given, and its own clients all of it", async () => {
    ask(ONE);
    const first = member();
    const { later } = answers.receive(first, REQUEST);
    const second = answers.receive(member(), REQUEST);
    const waiting = ask(TWO);
    answers.gone(ONE);
    expect(await later).toEqual(NEW);
    const reply = "x".repeat(626);
    expect([...answers.settle(first, REQUEST, new Frame(reply))]).toEqual([first]);
    const gone = [{ isNew: false, isGone: true }];
    expect([await second.later, waiting, ask(ONE)]).toEqual([{ isNew: false, reply }, gone, gone]);
  });

  test("tells other nodes a reply that is short enough to be kept", () => {
    const first = member();
    answers.receive(first, REQUEST);
    const waiting = [ask(ONE), ask(TWO)];
    const reply = "x".repeat(625);
    answers.settle(first, REQUEST, new Frame(reply));
    expect([...waiting, ask(ONE)]).toEqual(Array.from({ length: 3 }, () => [{ isNew: false, reply }]));
  });

  test("tells the node that it has asked of a long reply only that it was given", () => {
    const told: unknown[] = [];
    for (const [id, length] of [
      [1, 625],
      [2, 626],
    ] as const) {
      const [asker, packet] = [member(), { ...REQUEST, id }];
      answers.receive(asker, packet, true);
      answers.confirm(asker, packet, ONE, (reply) => told.push(reply));
      answers.settle(asker, packet, new Frame("x".repeat(length)));
    }
    expect(told).toEqual(["x".repeat(625), undefined]);
  });

  test("lets a node handle a request that asks again, because it has not heard that it may", () => {
    ask(ONE);
    const waiting = ask(TWO);
    expect([waiting, ask(ONE)]).toEqual([[], [NEW]]);
  });

  test("lets 16 wait for one request, and no more", () => {
    const first = member();
    answers.receive(first, REQUEST);
    for (let count = 1; count < 16; count++) expect(ask(`node ${count}`)).toEqual([]);
    expect(ask(ONE)).toEqual([{ isNew: false, isExcessive: true }]);
  });
});
