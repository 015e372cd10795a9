import assert from "node:assert/strict";
import { ReplyError } from "../../errors.ts";
import type { ClientFixture } from "./client-fixture.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** A rate of violations so low that none is forgiven during a test. */
const NO_MISTAKES = { limits: { violations: { perSecond: 0.001, burst: 1 } } };

const FAILED = { code: "handler-failed", message: "The server failed to handle this." };

/** The handler of whatever event has none of its own. */
export function handleAnyCases(suite: Suite): void {
  suite.test("events and requests without a handler reach the handler of any", async (fixture) => {
    const peer = await fixture.connect();
    const handled: unknown[] = [];
    fixture.hub.handleAny(({ event, data }, socket, { signal }) => {
      handled.push([event, data, socket === peer.socket, signal.aborted]);
      return { event, data };
    });
    peer.say({ event: "first", data: [1] });
    assert.deepEqual(await peer.ask("second", 2), { reply: 1, data: { event: "second", data: 2 } });
    assert.deepEqual(handled, [
      ["first", [1], true, false],
      ["second", 2, true, false],
    ]);
  });

  suite.test("handlers of the event and of the socket take precedence over the handler of any", async (fixture) => {
    const [a, b] = await fixture.pair();
    fixture.hub.handleAny(({ event }) => `any: ${event}`);
    const remove = fixture.hub.handle("who", () => "hub");
    a.socket.on("who", () => "socket");
    assert.deepEqual(await a.ask("who"), { reply: 1, data: "socket" });
    assert.deepEqual(await b.ask("who"), { reply: 1, data: "hub" });
    remove();
    a.socket.off("who");
    assert.deepEqual(await a.ask("who"), { reply: 1, data: "any: who" });
  });

  suite.test("without the handler of any, such an event is unknown", async (fixture) => {
    const peer = await fixture.connect();
    const unknown = { code: "unknown-event", message: 'The server handles no event "who".' };
    assert.deepEqual(await peer.ask("who"), { reply: 1, error: unknown });
    const remove = fixture.hub.handleAny(() => "any");
    assert.deepEqual(await peer.ask("who"), { reply: 1, data: "any" });
    remove();
    assert.deepEqual(await peer.ask("who"), { reply: 1, error: unknown });
    peer.say({ event: "who" });
    assert.deepEqual(await peer.packet(), { event: "hub:error", data: unknown });
    assert.equal(fixture.hub.stats().violations, 3);
  });

  suite.test("there is one handler of any, and its remover removes no other", async ({ hub }) => {
    const remove = hub.handleAny(() => "first");
    assert.throws(() => hub.handleAny(() => "second"), { code: "ERR_HUB_HANDLED" });
    remove();
    hub.handleAny(() => "second");
    remove();
    assert.throws(() => hub.handleAny(() => "third"), { code: "ERR_HUB_HANDLED" });
    assert.throws(() => hub.handleAny("none" as never), { code: "ERR_HUB_ARGUMENT" });
  });

  suite.test("the packets of the protocol never reach the handler of any", async (fixture) => {
    const peer = await fixture.connect();
    const handled = handledBy(fixture);
    assert.equal(codeOf(await peer.ask("hub:join", { room: "x" })), "not-joinable");
    assert.equal(codeOf(await peer.ask("hub:leave", { room: "x" })), "not-joinable");
    assert.equal(codeOf(await peer.ask("hub:hello")), "reserved-event");
    assert.equal(codeOf(await peer.ask("hub:")), "reserved-event");
    assert.deepEqual(await peer.ask("hub:sync"), { reply: 1 });
    assert.deepEqual(handled, []);
  });

  suite.test("what the handler of any takes is no violation", NO_MISTAKES, async (fixture) => {
    const peer = await fixture.connect();
    const handled = handledBy(fixture);
    for (let n = 0; n < 20; n++) peer.say({ event: `unknown ${n}` });
    await peer.ask("fence");
    assert.equal(handled.length, 21);
    assert.equal(fixture.hub.stats().violations, 0);
  });

  suite.test("what the handler of any throws is answered and reported as by any handler", async (fixture) => {
    const peer = await fixture.connect();
    const error = new Error("secret");
    fixture.hub.handleAny(async ({ event }) => {
      throw event === "refused" ? new ReplyError("no", "Not here.") : error;
    });
    assert.deepEqual(await peer.ask("refused"), { reply: 1, error: { code: "no", message: "Not here." } });
    assert.deepEqual(await peer.ask("broken"), { reply: 1, error: FAILED });
    assert.deepEqual(fixture.failures.take(), [
      { error, context: { source: "handler", event: "broken", socket: peer.socket } },
    ]);
  });

  suite.test("middleware runs around the handler of any", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.use(async (call, next) => {
      call.data = [call.data];
      return [call.event, await next()];
    });
    fixture.hub.handleAny(({ event, data }, _socket, { signal }) => ({ event, data, aborted: signal.aborted }));
    const data = ["e", { event: "e", data: [7], aborted: false }];
    assert.deepEqual(await peer.ask("e", 7), { reply: 1, data });
  });

  suite.test("the handler of any handles a repeated request once", async (fixture) => {
    const [a, b] = await fixture.pair();
    const handled = handledBy(fixture);
    const paid = { reply: 3, data: "any: pay" };
    assert.deepEqual([await pay(a), await pay(b), await pay(a)], [paid, paid, paid]);
    assert.deepEqual(handled, ["pay"]);
  });

  suite.test("the handler of any hears of the end of the socket", async (fixture) => {
    const peer = await fixture.connect();
    const ended = new Promise((resolve) => {
      fixture.hub.handleAny((_named, _socket, { signal }) => {
        signal.addEventListener("abort", resolve);
        peer.client.vanish();
      });
    });
    peer.say({ event: "wait" });
    await ended;
  });
}

/** Asks for a payment, always with the same key. */
function pay(peer: ClientFixture): Promise<unknown> {
  peer.say({ event: "pay", id: 3, key: "key", data: 1 });
  return peer.packet();
}

/** Returns the code of the error in a reply. */
function codeOf(reply: unknown): string {
  return (reply as { readonly error: { readonly code: string } }).error.code;
}

/** Adds a handler of any event. Returns the names of the events that it handles. */
function handledBy({ hub }: HubFixture): string[] {
  const handled: string[] = [];
  hub.handleAny(({ event }) => {
    handled.push(event);
    return `any: ${event}`;
  });
  return handled;
}
