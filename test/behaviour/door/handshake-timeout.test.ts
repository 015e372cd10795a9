import type { HubOptions, User } from "roomcast";
import { describe, expect, it } from "vitest";
import { hubError } from "../../support/hub-error.ts";
import { ALL_TRANSPORTS, House, Question } from "./house.ts";

const ANN = { id: "ann" };
const NEWCOMER = { protocols: ["roomcast.v1.json"] };
const HELLO = JSON.stringify({ event: "hub:hello", data: { protocol: 1 } });

describe.each(ALL_TRANSPORTS)("the time of a handshake, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<House> => House.open(transport, { handshakeTimeout: 5_000, ...options });

  it.each(["admit", "authenticate"] as const)("a plain client does not wait forever for `%s`", async (option) => {
    const question = new Question<never>();
    const house = await open({ [option]: question.ask });
    const visitor = house.visit();
    await question.asked();
    await house.clock.advance(4_999);
    expect(house.refusals.take()).toEqual([]);
    await house.clock.advance(1);
    expect(await visitor.answer).toMatchObject({ status: 503, retryAfter: "5" });
    expect(await house.refusals.next()).toMatchObject({ status: 503, reason: "timeout" });
    const timeout = { error: hubError("ERR_HUB_TIMEOUT", "handshakeTimeout"), source: "authenticate" };
    expect(await house.failures.next()).toEqual(timeout);
  });

  it("is for both together", async () => {
    const admit = new Question<boolean>();
    const authenticate = new Question<User>();
    const house = await open({ admit: admit.ask, authenticate: authenticate.ask });
    const visitor = house.visit();
    const decide = await admit.asked();
    await house.clock.advance(4_000);
    decide(true);
    await authenticate.asked();
    await house.clock.advance(1_000);
    expect((await visitor.answer)?.status).toBe(503);
  });

  const late = new Error("late");
  it.each<[string, (decide: (answer: User | false | Promise<never>) => void) => void, readonly unknown[]]>([
    ["yes", (decide) => decide(ANN), []],
    ["no", (decide) => decide(false), []],
    ["an error, which is reported,", (decide) => decide(Promise.reject(late)), [late]],
  ])("%s changes nothing when it comes too late", async (_name, answer, reported) => {
    const question = new Question<User | false>();
    const house = await open({ authenticate: question.ask, maxConnections: 1 });
    const visitor = house.visit();
    const decide = await question.asked();
    await house.clock.advance(5_000);
    expect((await visitor.answer)?.status).toBe(503);
    expect(house.refusals.take()).toHaveLength(1);
    expect(house.failures.take()).toHaveLength(1);
    answer(decide);
    const next = house.visit();
    (await question.asked())(ANN);
    expect((await next.answer)?.status).toBe(101);
    expect(await house.connected.next()).toMatchObject({ user: ANN });
    expect(await house.status()).toBe(503);
    expect(house.refusals.take().map(({ reason }) => reason)).toEqual(["capacity"]);
    expect(house.failures.take().map(({ error }) => error)).toEqual(reported);
    expect(house.connected.take()).toEqual([]);
  });

  it("`authenticate` is not asked when `admit` says yes too late", async () => {
    const admit = new Question<boolean>();
    let authenticated = 0;
    const house = await open({
      admit: admit.ask,
      authenticate: () => {
        authenticated += 1;
        return ANN;
      },
    });
    const visitor = house.visit();
    const decide = await admit.asked();
    await house.clock.advance(5_000);
    expect((await visitor.answer)?.status).toBe(503);
    decide(true);
    const next = house.visit();
    (await admit.asked())(true);
    expect((await next.answer)?.status).toBe(101);
    expect(authenticated).toBe(1);
  });

  it.each<[string, (house: House) => Promise<void>]>([
    ["drained", ({ hub }) => hub.drain()],
    ["closed", ({ hub }) => hub.close()],
  ])("is over at once when the hub is %s: nothing is left behind", async (_name, end) => {
    const question = new Question<User>();
    const house = await open({ authenticate: question.ask });
    const visitor = house.visit();
    const decide = await question.asked();
    await Promise.all([end(house), visitor.closed]);
    expect(house.clock.timers).toBe(0);
    decide(ANN);
    await house.clock.advance(60_000);
    expect(house.failures.take()).toEqual([]);
    expect(house.refusals.take().map(({ reason }) => reason)).toEqual(["draining"]);
  });

  it("who is being decided on when the hub is drained is told to come back", async () => {
    const question = new Question<User>();
    const house = await open({ authenticate: ({ headers }) => (headers["x-late"] === "" ? question.ask() : ANN) });
    const { visitor: inside } = await house.enter();
    const outside = house.visit({ headers: { "x-late": "" } });
    await question.asked();
    const drained = house.hub.drain();
    expect(await outside.answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    await Promise.all([drained, inside.closed]);
  });

  it("leaves no timer behind when it was kept", async () => {
    const house = await open({ admit: () => true, authenticate: async () => ANN });
    expect(await house.status()).toBe(101);
    expect(house.clock.timers).toBe(0);
    await house.clock.advance(60_000);
    expect(house.failures.take()).toEqual([]);
    expect(house.hub.sockets.size).toBe(1);
  });

  it("a library client has to say hello in time", async () => {
    const house = await open();
    const visitor = house.visit(NEWCOMER);
    await visitor.answer;
    await house.clock.advance(5_000);
    expect(await visitor.closed).toBe(4102);
    expect(await house.refusals.next()).toMatchObject({ status: 4102, reason: "timeout" });
    expect(house.connected.take()).toEqual([]);
  });

  it("a library client does not wait forever for `authenticate`", async () => {
    const question = new Question<User>();
    const house = await open({ authenticate: question.ask });
    const visitor = house.visit(NEWCOMER);
    await visitor.answer;
    await house.clock.advance(3_000);
    visitor.send(HELLO);
    const decide = await question.asked();
    await house.clock.advance(2_000);
    expect(await visitor.closed).toBe(4102);
    decide(ANN);
    const next = house.visit(NEWCOMER);
    await next.answer;
    next.send(HELLO);
    (await question.asked())({ id: "ben" });
    expect((await house.connected.next())?.user).toEqual({ id: "ben" });
    expect(house.hub.sockets.size).toBe(1);
  });

  it("a library client that is in has all the time in the world", async () => {
    const house = await open();
    const visitor = house.visit(NEWCOMER);
    await visitor.answer;
    visitor.send(HELLO);
    const socket = await house.connected.next();
    expect(house.clock.timers).toBe(0);
    await house.clock.advance(60_000);
    expect(socket?.isOpen).toBe(true);
  });

  it.each<[string, () => unknown, number, string]>([
    ["refuses", () => false, 4001, "unauthorized"],
    ["fails", () => Promise.reject(new Error("broken")), 1011, "failed"],
  ])(
    "a refusal after the hello is told with its close code, when `authenticate` %s",
    async (_name, authenticate, code, reason) => {
      const house = await open({ authenticate: authenticate as () => false });
      const visitor = house.visit(NEWCOMER);
      await visitor.answer;
      visitor.send(HELLO);
      expect(await visitor.closed).toBe(code);
      expect(await house.refusals.next()).toMatchObject({ status: code, reason });
      expect(house.failures.take()).toHaveLength(reason === "failed" ? 1 : 0);
      expect(house.hub.stats().refusals).toBe(1);
    },
  );
});
