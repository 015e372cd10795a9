import assert from "node:assert/strict";
import { caughtUp, CHUNK, exchange } from "./slow-reader.ts";
import type { Suite } from "./suite.ts";

const LIMIT = 1024 * 1024;

/**
 * Guarantee 9: clients that read too slowly, or not at all. The tests have to fill the buffers of the network first.
 */
export function overloadCases(suite: Suite): void {
  suite.test(
    "a client that does not read is closed with 4101, and the others get everything",
    { maxBufferedBytes: LIMIT },
    async (fixture) => {
      const [slow, brisk] = await fixture.pair();
      slow.client.pause();
      const sent = await exchange(
        brisk,
        (message) => fixture.hub.send(message),
        () => !slow.socket.isOpen,
      );
      const departure = await fixture.departures.next();
      assert.equal(departure?.socket, slow.socket);
      assert.equal(departure.code, 4101);
      assert.equal(brisk.socket.isOpen, true);

      slow.client.resume();
      const heard = await slow.rest();
      assert.ok(heard.length < sent);
      assert.deepEqual(
        heard.map((message) => Number.parseInt(message as string, 10)),
        Array.from(heard.keys()),
      );
      assert.equal((await slow.client.closed).code, 4101);
    },
  );

  suite.test("a client that reads again in time gets everything in order", async (fixture) => {
    const [slow, brisk] = await fixture.pair();
    slow.client.pause();
    const behind = (): boolean => slow.socket.bufferedAmount > 65_536;
    const sent = await exchange(brisk, (message) => fixture.hub.send(message), behind);
    for (let n = 0; n < 10; n++) slow.socket.send(`${sent + n}:${CHUNK}`);
    slow.client.resume();
    const heard = await slow.heard();
    assert.deepEqual(
      heard.map((message) => Number.parseInt(message as string, 10)),
      Array.from({ length: sent + 10 }, (_, n) => n),
    );
    assert.ok(heard.every((message) => (message as string).endsWith(CHUNK)));
    assert.equal(slow.socket.isOpen, true);
  });

  suite.test("close delivers buffered messages to a client that reads again", async (fixture) => {
    const [slow, brisk] = await fixture.pair();
    slow.client.pause();
    const behind = (): boolean => slow.socket.bufferedAmount > 65_536;
    const sent = await exchange(brisk, (message) => fixture.hub.send(message), behind);
    slow.socket.send(`${sent}:${CHUNK}`);
    slow.socket.close(4000, "done");
    slow.client.resume();
    const heard = await slow.rest();
    assert.equal(heard.length, sent + 1);
    assert.deepEqual(await slow.client.closed, { code: 4000, reason: "done" });
  });

  suite.test("a volatile message skips clients that are behind, and no others", async (fixture) => {
    const [slow, brisk] = await fixture.pair();
    slow.client.pause();
    const behind = (): boolean => slow.socket.bufferedAmount > 65_536;
    const sent = await exchange(brisk, (message) => fixture.hub.send(message), behind);
    fixture.hub.volatile.send("volatile");
    slow.socket.volatile.send("volatile too");
    fixture.hub.send("not volatile");
    assert.deepEqual(await brisk.heard(), ["volatile", "not volatile"]);
    slow.client.resume();
    assert.deepEqual((await slow.heard()).slice(sent), ["not volatile"]);
    await caughtUp(slow);
    fixture.hub.volatile.send("volatile again");
    assert.deepEqual(await slow.heard(), ["volatile again"]);
  });

  suite.test("a message larger than maxBufferedBytes cannot be sent", { maxBufferedBytes: 65_536 }, async (fixture) => {
    const peer = await fixture.connect();
    assert.throws(() => peer.socket.send(CHUNK), { code: "ERR_HUB_MESSAGE_TOO_LARGE" });
    assert.throws(() => fixture.hub.emit("big", CHUNK), { code: "ERR_HUB_MESSAGE_TOO_LARGE" });
    assert.deepEqual(await peer.heard(), []);
  });
}
