import assert from "node:assert/strict";
import { useUp } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** The end of a hub by `hub.close`. */
export function shutdownCases(suite: Suite): void {
  suite.test(
    "hub.close closes all sockets with 1001, after all that was sent, and settles all requests",
    async (fixture) => {
      const [a, b, c] = await fixture.trio();
      const gone: number[] = [];
      fixture.hub.on("disconnection", (_socket, { code }) => gone.push(code));
      const asked = a.socket.request("never answered", null);
      const askedOfMany = fixture.hub.request("never answered", null);
      const rejected = assert.rejects(asked, { code: "ERR_HUB_CLOSED" });
      fixture.hub.send("last words");
      await Promise.all([fixture.hub.close(), fixture.hub.close()]);
      assert.deepEqual(gone, [1001, 1001, 1001]);
      await rejected;
      const { failures } = await askedOfMany;
      assert.deepEqual(
        [...failures.values()].map(({ code }) => code),
        Array.from({ length: 3 }, () => "ERR_HUB_CLOSED"),
      );
      for (const messages of [await a.rest(), await b.rest(), await c.rest()]) {
        assert.equal(messages.at(-1), "last words");
      }
      const codes = [await a.client.closed, await b.client.closed, await c.client.closed].map(({ code }) => code);
      assert.deepEqual(codes, [1001, 1001, 1001]);
    },
  );

  suite.test("a closed hub refuses everything", async (fixture) => {
    const peer = await fixture.connect();
    const { hub } = fixture;
    await hub.close();
    assert.throws(() => hub.emit("a"), { code: "ERR_HUB_CLOSED" });
    assert.throws(() => hub.to("x").send("a"), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.request("a", null), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.listen(), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(fixture.dial().opened);
    useUp(peer.socket);
    assert.equal(fixture.connected.length, 1);
    assert.equal(hub.sockets.size, 0);
  });

  suite.test("hub.close inside a handler closes the client of the handler as well", async (fixture) => {
    const [peer, other] = await fixture.pair();
    const handled: unknown[] = [];
    fixture.hub.handle("stop", async (n) => {
      handled.push(n);
      await fixture.hub.close();
    });
    for (const n of [1, 2, 3]) peer.say({ event: "stop", data: n });
    assert.equal((await peer.client.closed).code, 1001);
    assert.equal((await other.client.closed).code, 1001);
    await fixture.hub.close();
    assert.deepEqual(handled, [1]);
  });

  suite.test("hub.close inside a listener of connection closes the new client as well", async (fixture) => {
    fixture.hub.once("connection", () => fixture.hub.close());
    const client = fixture.dial();
    assert.equal((await fixture.departures.next())?.code, 1001);
    assert.equal((await client.closed).code, 1001);
    await fixture.hub.close();
    assert.equal(fixture.hub.sockets.size, 0);
  });

  suite.test("hub.close waits no longer than it may for a client that does not read", async (fixture) => {
    const stalled = await fixture.connect();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(900_000));
    await fixture.hub.close({ within: 0 });
    assert.equal((await fixture.departures.next())?.code, 1001);
  });

  suite.test("a second hub.close brings the end of the first one forward", async (fixture) => {
    const stalled = await fixture.connect();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(900_000));
    const closed = fixture.hub.close();
    await fixture.hub.close({ within: 0 });
    await closed;
    assert.equal((await fixture.departures.next())?.code, 1001);
  });

  suite.test("hub.close takes nothing but a time", async (fixture) => {
    const peer = await fixture.connect();
    for (const options of [{ within: -1 }, { within: "1" }, { whithin: 1 }, null]) {
      // oxlint-disable-next-line no-await-in-loop -- one wrong call after the other
      await assert.rejects(fixture.hub.close(options as object), { code: "ERR_HUB_ARGUMENT" });
    }
    assert.equal(peer.socket.isOpen, true);
  });

  suite.raw("hub.close does not wait for clients that never answer", async (fixture) => {
    const peer = await fixture.connectRaw();
    await fixture.hub.close();
    assert.deepEqual(await fixture.departures.next(), {
      socket: peer.socket,
      code: 1001,
      reason: "The server is going away",
    });
    assert.deepEqual((await peer.rest()).length, 1);
  });
}
