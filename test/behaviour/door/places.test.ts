import { setImmediate as turn } from "node:timers/promises";
import type { HubOptions, User } from "roomcast";
import { RawClient } from "roomcast/testing";
import { describe, expect, it } from "vitest";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { ALL_TRANSPORTS, HandshakeFixture, Question } from "./handshake-fixture.ts";
import type { Request } from "./handshake-client.ts";

const ANN = { id: "ann" };

/** A request in which a proxy names the address of its client. */
function from(address: string): Request {
  return { headers: { "x-forwarded-for": address } };
}

describe.each(ALL_TRANSPORTS)("places, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<HandshakeFixture> => HandshakeFixture.open(transport, options);

  it("a client that connects when all are taken is told when to try again", async () => {
    const fixture = await open({ maxConnections: 2 });
    expect(await fixture.status()).toBe(101);
    expect(await fixture.status()).toBe(101);
    const answer = await fixture.ask();
    expect(answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    expect(await fixture.refusals.next()).toMatchObject({ status: 503, reason: "capacity" });
    expect(fixture.hub.sockets.size).toBe(2);
  });

  it("each address has a limited number", async () => {
    const fixture = await open({ maxConnectionsPerAddress: 1, trustProxy: 1 });
    expect(await fixture.status(from("198.51.100.7"))).toBe(101);
    expect(await fixture.status(from("198.51.100.8"))).toBe(101);
    const answer = await fixture.ask(from("198.51.100.7"));
    expect(answer).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    expect(await fixture.refusals.next()).toMatchObject({ status: 429, reason: "address-capacity" });
  });

  it("the addresses of one IPv6 subscriber count as one", async () => {
    const fixture = await open({ maxConnectionsPerAddress: 1, trustProxy: 1 });
    expect(await fixture.status(from("2001:db8:1:2::1"))).toBe(101);
    expect(await fixture.status(from("2001:db8:1:2:3::4"))).toBe(429);
    expect(await fixture.status(from("2001:db8:1:3::1"))).toBe(101);
  });

  it("a client gets no second place by what it claims", async () => {
    const fixture = await open({ maxConnectionsPerAddress: 1, trustProxy: 1 });
    expect(await fixture.status(from("198.51.100.7"))).toBe(101);
    expect(await fixture.status(from("203.0.113.1, 198.51.100.7"))).toBe(429);
    expect(await fixture.status(from("unknown, 198.51.100.7"))).toBe(429);
  });

  it("library clients take theirs before their hello", async () => {
    const fixture = await open({ maxConnections: 1 });
    expect(await fixture.status({ protocols: ["roomcast.v1.json"] })).toBe(101);
    expect(await fixture.status()).toBe(503);
  });

  // What takes seconds on uws is in `test/system/network/descriptors.test.ts`.
  const ends = transport === "uws" ? ["cut"] : ["close", "vanish", "kick", "cut"];

  it("are given back at any end of a connection, when its descriptor is free", async () => {
    const fixture = await open({ maxConnections: 1, maxConnectionsPerAddress: 1 });
    for (const leave of ends) {
      const { client, socket } = await fixture.accepted();
      expect(await fixture.status()).toBe(503);
      if (leave === "close" || leave === "vanish") client[leave]();
      else if (leave === "kick") socket.close(4444);
      else socket.terminate();
      await fixture.departures.next();
      while (fixture.hub.stats().closing > 0) await turn();
    }
    expect(await fixture.status()).toBe(101);
  });

  it.skipIf(transport === "uws")("are given back by library clients without a correct hello", async () => {
    const fixture = await open({ maxConnections: 1, handshakeTimeout: 5_000 });
    const newcomer = { protocols: ["roomcast.v1.json"] };
    const silent = fixture.connect(newcomer);
    await silent.answer;
    await fixture.clock.advance(5_000);
    expect(await silent.closed).toBe(4102);
    const wrong = await fixture.connectUntil(101, newcomer);
    wrong.send("rubbish");
    expect(await wrong.closed).toBe(4000);
    const gone = await fixture.connectUntil(101, newcomer);
    gone.vanish();
    await gone.closed;
    await fixture.connectUntil(101);
  });

  it("are taken while the application decides, and kept by clients that are let in", async () => {
    const question = new Question<User>();
    const fixture = await open({ maxConnections: 1, authenticate: question.ask });
    const first = fixture.connect();
    const decide = await question.asked();
    expect(await fixture.status()).toBe(503);
    decide(ANN);
    expect((await first.answer)?.status).toBe(101);
    expect(await fixture.status()).toBe(503);
    expect(fixture.hub.sockets.size).toBe(1);
  });

  it.each<[string, (decide: (answer: User | false | Promise<never>) => void) => void, number]>([
    ["no", (decide) => decide(false), 401],
    ["nothing but an error", (decide) => decide(Promise.reject(new Error("broken"))), 401],
  ])("are given back when `authenticate` answers with %s", async (_name, answer, status) => {
    const question = new Question<User | false>();
    const fixture = await open({ maxConnections: 1, maxConnectionsPerAddress: 1, authenticate: question.ask });
    const first = fixture.connect();
    answer(await question.asked());
    expect((await first.answer)?.status).toBe(status);
    const second = fixture.connect();
    (await question.asked())(ANN);
    expect((await second.answer)?.status).toBe(101);
  });

  it("are given back after the decision by clients that vanish while the application decides", async () => {
    for (const answer of [ANN, false as const]) {
      const question = new Question<User | false>();
      const fixture = await open({ maxConnections: 1, authenticate: question.ask });
      const first = fixture.connect();
      const decide = await question.asked();
      first.vanish();
      await first.closed;
      expect(await fixture.status()).toBe(503);
      decide(answer);
      const second = fixture.connect();
      (await question.asked())(ANN);
      expect((await second.answer)?.status).toBe(101);
      expect(fixture.connected.take()).toHaveLength(1);
    }
  });

  it("are given back by clients that vanish while the application never decides", async () => {
    const question = new Question<User>();
    const fixture = await open({ maxConnections: 1, authenticate: question.ask, handshakeTimeout: 5_000 });
    const first = fixture.connect();
    await question.asked();
    first.vanish();
    await first.closed;
    await fixture.clock.advance(5_000);
    const second = fixture.connect();
    (await question.asked())(ANN);
    expect((await second.answer)?.status).toBe(101);
  });

  it("go to no more clients than there are places when many are decided on together", async () => {
    const question = new Question<User>();
    const fixture = await open({ maxConnections: 3, authenticate: question.ask });
    const answers = Array.from({ length: 8 }, () => fixture.status());
    const decisions = [await question.asked(), await question.asked(), await question.asked()];
    for (const decide of decisions) decide(ANN);
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 101)).toHaveLength(3);
    expect(statuses.filter((status) => status === 503)).toHaveLength(5);
  });
});

describe.each(TRANSPORTS)("places, on %s", (transport) => {
  it("are given back by clients that half-close while the application decides", async () => {
    const question = new Question<User>();
    const fixture = await HandshakeFixture.open(transport, { maxConnections: 1, authenticate: question.ask });
    const raw = await RawClient.connect(fixture.port);
    raw.write(rawRequest("/", UPGRADE_HEADERS));
    const decide = await question.asked();
    raw.end();
    expect(await raw.response()).toBeUndefined();
    decide(ANN);
    const second = fixture.connect();
    (await question.asked())(ANN);
    expect((await second.answer)?.status).toBe(101);
  });
});
