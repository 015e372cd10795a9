import assert from "node:assert/strict";
import { ControlEvent } from "../../protocol/packet.ts";
import type { ClientFixture } from "./client-fixture.ts";
import { caughtUp, CHUNK, exchange } from "./slow-reader.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

const LIMIT = 1024 * 1024;

/** Messages that are dropped or replaced for a client that reads too slowly, instead of closing it. */
export function overloadPolicyCases(suite: Suite): void {
  for (const [whose, options, target] of [
    ["of the hub", { overload: "drop" }, (fixture: HubFixture) => fixture.hub.to("all")],
    ["of the target", {}, (fixture: HubFixture) => fixture.hub.overload("drop")],
  ] as const) {
    suite.test(
      `messages dropped by the policy ${whose} are counted, and hub:dropped takes their place`,
      { maxBufferedBytes: LIMIT, ...options },
      async (fixture) => {
        const [slow, brisk] = await fixture.pair();
        for (const { socket } of [slow, brisk]) socket.join("all");
        slow.client.pause();
        const dropped = (): number => fixture.hub.stats().drops.overload;
        const sent = await exchange(
          brisk,
          (message) => target(fixture).send(message),
          () => dropped() === 3,
        );
        assert.ok(slow.socket.isOpen && slow.socket.bufferedAmount <= LIMIT);
        slow.client.resume();
        await caughtUp(slow);
        fixture.hub.send("behind");
        const heard = await slow.heard();
        assert.deepEqual(
          heard.slice(0, -2).map((message) => Number.parseInt(message as string, 10)),
          Array.from({ length: sent - 3 }, (_, n) => n),
        );
        assert.deepEqual(heard.slice(-2), [
          fixture.wire.heard({ event: ControlEvent.dropped, data: { count: 3 } }),
          "behind",
        ]);
        assert.deepEqual(await brisk.heard(), ["behind"]);
        assert.equal(fixture.hub.stats().slowConsumers, 0);
      },
    );
  }

  suite.test(
    "a reply is never dropped: a client that does not read it is closed",
    { maxBufferedBytes: LIMIT, overload: "drop" },
    async (fixture) => {
      const [slow, brisk] = await fixture.pair();
      fixture.hub.handle("big", () => CHUNK);
      slow.client.pause();
      const dropped = (): boolean => fixture.hub.stats().drops.overload > 0;
      await exchange(brisk, (message) => fixture.hub.send(message), dropped);
      slow.say({ event: "big", id: 1 });
      const departure = await fixture.departures.next();
      assert.deepEqual([departure?.socket, departure?.code], [slow.socket, 4101]);
      assert.equal(brisk.socket.isOpen, true);
    },
  );

  suite.test("a client that is behind gets the newest message of each key, and others get all", async (fixture) => {
    const [slow, brisk] = await fixture.pair();
    const sent = await fallBehind(fixture, slow, brisk);
    for (let n = 0; n < 5; n++) {
      fixture.hub.latest("a").send(`a${n}`);
      slow.socket.latest("b").send(`b${n}`);
      fixture.hub.send(`${n}`);
    }
    assert.deepEqual(await brisk.heard(), Array.from({ length: 5 }, (_, n) => [`a${n}`, `${n}`]).flat());
    slow.client.resume();
    assert.deepEqual((await slow.heard()).slice(sent), ["0", "1", "2", "3", "a4", "b4", "4"]);
    assert.deepEqual(fixture.hub.stats().drops, { volatile: 0, overload: 0, superseded: 8 });
    await caughtUp(slow);
    for (let n = 0; n < 3; n++) fixture.hub.latest("a").send(`a${n}`);
    assert.deepEqual(await slow.heard(), ["a0", "a1", "a2"]);
  });

  suite.test("keys belong to the socket, so that a key is the same in all rooms", async (fixture) => {
    const [slow, brisk, other] = await fixture.trio();
    const sent = await fallBehind(fixture, slow, brisk);
    assert.equal((await other.heard()).length, sent);
    for (const { socket } of [slow, other]) socket.join("one", "two");
    fixture.hub.to("one").latest("key").send("one");
    fixture.hub.to("two").latest("key").send("two");
    assert.deepEqual(await other.heard(), ["one", "two"]);
    slow.client.resume();
    assert.deepEqual((await slow.heard()).slice(sent), ["two"]);
  });

  suite.test("close sends buffered messages, and of each key the newest", async (fixture) => {
    const [slow, brisk] = await fixture.pair();
    const sent = await fallBehind(fixture, slow, brisk);
    for (let n = 0; n < 3; n++) fixture.hub.latest("a").send(`a${n}`);
    slow.socket.close(4000, "done");
    slow.client.resume();
    assert.deepEqual((await slow.rest()).slice(sent), ["a2"]);
    assert.deepEqual(await slow.client.closed, { code: 4000, reason: "done" });
  });
}

/**
 * Sends to everybody until the slow client is behind.
 *
 * @returns the number of messages.
 */
async function fallBehind(fixture: HubFixture, slow: ClientFixture, brisk: ClientFixture): Promise<number> {
  slow.client.pause();
  const isBehind = (): boolean => slow.socket.bufferedAmount > 65_536;
  return exchange(brisk, (message) => fixture.hub.send(message), isBehind);
}
