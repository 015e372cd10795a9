import type { HubOptions, User } from "roomcast";
import { describe, expect, it } from "vitest";
import { hubError } from "../../support/hub-error.ts";
import { ALL_TRANSPORTS, HandshakeFixture, Question } from "./handshake-fixture.ts";

const ANN = { id: "ann" };
const NEWCOMER = { protocols: ["roomcast.v1.json"] };
const HELLO = JSON.stringify({ event: "hub:hello", data: { protocol: 1 } });

describe.each(ALL_TRANSPORTS)("the time of a handshake, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<HandshakeFixture> =>
    HandshakeFixture.open(transport, { handshakeTimeout: 5_000, ...options });

  it.each(["admit", "authenticate"] as const)("bounds the wait of a plain client for `%s`", async (option) => {
    const question = new Question<never>();
    const fixture = await open({ [option]: question.ask });
    const client = fixture.connect();
    await question.asked();
    await fixture.clock.advance(4_999);
    expect(fixture.refusals.take()).toEqual([]);
    await fixture.clock.advance(1);
    expect(await client.answer).toMatchObject({ status: 503, retryAfter: "5" });
    expect(await fixture.refusals.next()).toMatchObject({ status: 503, reason: "timeout" });
    const timeout = { error: hubError("ERR_HUB_TIMEOUT", "handshakeTimeout"), source: "authenticate" };
    expect(await fixture.failures.next()).toEqual(timeout);
  });

  it("is shared by both", async () => {
    const admit = new Question<boolean>();
    const authenticate = new Question<User>();
    const fixture = await open({ admit: admit.ask, authenticate: authenticate.ask });
    const client = fixture.connect();
    const decide = await admit.asked();
    await fixture.clock.advance(4_000);
    decide(true);
    await authenticate.asked();
    await fixture.clock.advance(1_000);
    expect((await client.answer)?.status).toBe(503);
  });

  const late = new Error("late");
  it.each<[string, (decide: (answer: User | false | Promise<never>) => void) => void, readonly unknown[]]>([
    ["yes", (decide) => decide(ANN), []],
    ["no", (decide) => decide(false), []],
    ["an error, which is reported,", (decide) => decide(Promise.reject(late)), [late]],
  ])("ignores %s when the answer comes too late", async (_name, answer, reported) => {
    const question = new Question<User | false>();
    const fixture = await open({ authenticate: question.ask, maxConnections: 1 });
    const client = fixture.connect();
    const decide = await question.asked();
    await fixture.clock.advance(5_000);
    expect((await client.answer)?.status).toBe(503);
    expect(fixture.refusals.take()).toHaveLength(1);
    expect(fixture.failures.take()).toHaveLength(1);
    answer(decide);
    const next = fixture.connect();
    (await question.asked())(ANN);
    expect((await next.answer)?.status).toBe(101);
    expect(await fixture.connected.next()).toMatchObject({ user: ANN });
    expect(await fixture.status()).toBe(503);
    expect(fixture.refusals.take().map(({ reason }) => reason)).toEqual(["capacity"]);
    expect(fixture.failures.take().map(({ error }) => error)).toEqual(reported);
    expect(fixture.connected.take()).toEqual([]);
  });

  it("is over before `authenticate` when `admit` answers too late", async () => {
    const admit = new Question<boolean>();
    let authenticated = 0;
    const fixture = await open({
      admit: admit.ask,
      authenticate: () => {
        authenticated += 1;
        return ANN;
      },
    });
    const client = fixture.connect();
    const decide = await admit.asked();
    await fixture.clock.advance(5_000);
    expect((await client.answer)?.status).toBe(503);
    decide(true);
    const next = fixture.connect();
    (await admit.asked())(true);
    expect((await next.answer)?.status).toBe(101);
    expect(authenticated).toBe(1);
  });

  it.each<[string, (fixture: HandshakeFixture) => Promise<void>]>([
    ["drained", ({ hub }) => hub.drain()],
    ["closed", ({ hub }) => hub.close()],
  ])("is over at once when the hub is %s: nothing is left behind", async (_name, end) => {
    const question = new Question<User>();
    const fixture = await open({ authenticate: question.ask });
    const client = fixture.connect();
    const decide = await question.asked();
    await Promise.all([end(fixture), client.closed]);
    expect(fixture.clock.timers).toBe(0);
    decide(ANN);
    await fixture.clock.advance(60_000);
    expect(fixture.failures.take()).toEqual([]);
    expect(fixture.refusals.take().map(({ reason }) => reason)).toEqual(["draining"]);
  });

  it("ends with 503 and `Retry-After` when the hub is drained", async () => {
    const question = new Question<User>();
    const fixture = await open({ authenticate: ({ headers }) => (headers["x-late"] === "" ? question.ask() : ANN) });
    const { client: inside } = await fixture.accepted();
    const outside = fixture.connect({ headers: { "x-late": "" } });
    await question.asked();
    const drained = fixture.hub.drain();
    expect(await outside.answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    await Promise.all([drained, inside.closed]);
  });

  it("leaves no timer behind when it was sufficient", async () => {
    const fixture = await open({ admit: () => true, authenticate: async () => ANN });
    expect(await fixture.status()).toBe(101);
    expect(fixture.clock.timers).toBe(0);
    await fixture.clock.advance(60_000);
    expect(fixture.failures.take()).toEqual([]);
    expect(fixture.hub.sockets.size).toBe(1);
  });

  it("bounds the wait for the hello of a library client", async () => {
    const fixture = await open();
    const client = fixture.connect(NEWCOMER);
    await client.answer;
    await fixture.clock.advance(5_000);
    expect(await client.closed).toBe(4102);
    expect(await fixture.refusals.next()).toMatchObject({ status: 4102, reason: "timeout" });
    expect(fixture.connected.take()).toEqual([]);
  });

  it("bounds the wait of a library client for `authenticate`", async () => {
    const question = new Question<User>();
    const fixture = await open({ authenticate: question.ask });
    const client = fixture.connect(NEWCOMER);
    await client.answer;
    await fixture.clock.advance(3_000);
    client.send(HELLO);
    const decide = await question.asked();
    await fixture.clock.advance(2_000);
    expect(await client.closed).toBe(4102);
    decide(ANN);
    const next = fixture.connect(NEWCOMER);
    await next.answer;
    next.send(HELLO);
    (await question.asked())({ id: "ben" });
    expect((await fixture.connected.next())?.user).toEqual({ id: "ben" });
    expect(fixture.hub.sockets.size).toBe(1);
  });

  it("does not apply to a library client that was let in", async () => {
    const fixture = await open();
    const client = fixture.connect(NEWCOMER);
    await client.answer;
    client.send(HELLO);
    const socket = await fixture.connected.next();
    expect(fixture.clock.timers).toBe(0);
    await fixture.clock.advance(60_000);
    expect(socket?.isOpen).toBe(true);
  });

  it.each<[string, () => unknown, number, string]>([
    ["refuses", () => false, 4001, "unauthorized"],
    ["fails", () => Promise.reject(new Error("broken")), 1011, "failed"],
  ])(
    "a refusal after the hello is told with its close code, when `authenticate` %s",
    async (_name, authenticate, code, reason) => {
      const fixture = await open({ authenticate: authenticate as () => false });
      const client = fixture.connect(NEWCOMER);
      await client.answer;
      client.send(HELLO);
      expect(await client.closed).toBe(code);
      expect(await fixture.refusals.next()).toMatchObject({ status: code, reason });
      expect(fixture.failures.take()).toHaveLength(reason === "failed" ? 1 : 0);
      expect(fixture.hub.stats().refusals).toBe(1);
    },
  );
});
