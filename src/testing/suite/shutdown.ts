import assert from "node:assert/strict";
import { useUp } from "./stage.ts";
import type { Suite } from "./suite.ts";

/** The end of the hub. */
export function shutdownCases(suite: Suite): void {
  suite.test("hub.close closes everybody with 1001 after what was sent, and settles all requests", async (stage) => {
    const [a, b, c] = await stage.trio();
    const gone: number[] = [];
    stage.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    const asked = a.socket.request("never answered", null);
    const askedOfMany = stage.hub.request("never answered", null);
    const rejected = assert.rejects(asked, { code: "ERR_HUB_CLOSED" });
    stage.hub.send("last words");
    await Promise.all([stage.hub.close(), stage.hub.close()]);
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
  });

  suite.test("a closed hub refuses everything", async (stage) => {
    const guest = await stage.connect();
    const { hub } = stage;
    await hub.close();
    assert.throws(() => hub.emit("a"), { code: "ERR_HUB_CLOSED" });
    assert.throws(() => hub.to("x").send("a"), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.request("a", null), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.listen(), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(stage.dial().opened);
    useUp(guest.socket);
    assert.equal(stage.connected.length, 1);
    assert.equal(hub.sockets.size, 0);
  });

  suite.test("hub.close inside a handler closes whom it handles", async (stage) => {
    const [guest, other] = await stage.pair();
    const handled: unknown[] = [];
    stage.hub.handle("stop", async (n) => {
      handled.push(n);
      await stage.hub.close();
    });
    for (const n of [1, 2, 3]) guest.say({ event: "stop", data: n });
    assert.equal((await guest.client.closed).code, 1001);
    assert.equal((await other.client.closed).code, 1001);
    await stage.hub.close();
    assert.deepEqual(handled, [1]);
  });

  suite.test("hub.close inside connection closes who has just come", async (stage) => {
    stage.hub.once("connection", () => stage.hub.close());
    const client = stage.dial();
    assert.equal((await stage.departures.next())?.code, 1001);
    assert.equal((await client.closed).code, 1001);
    await stage.hub.close();
    assert.equal(stage.hub.sockets.size, 0);
  });

  suite.raw("hub.close does not need clients that answer", async (stage) => {
    const guest = await stage.connectRaw();
    await stage.hub.close();
    assert.deepEqual(await stage.departures.next(), {
      socket: guest.socket,
      code: 1001,
      reason: "The server is going away",
    });
    assert.deepEqual((await guest.rest()).length, 1);
  });
}
