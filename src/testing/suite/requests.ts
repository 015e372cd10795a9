import assert from "node:assert/strict";
import { RemoteError, ReplyError } from "../../errors.ts";
import type { ClientFixture } from "./client-fixture.ts";
import type { Suite } from "./suite.ts";

const FAILED = { code: "handler-failed", message: "The server failed to handle this." };

/** Guarantee 8: requests in both directions, each of which settles. */
export function requestCases(suite: Suite): void {
  suite.test("a handler's result is the reply", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("sum", ({ a, b }: { a: number; b: number }) => a + b);
    fixture.hub.handle("later", async (data: unknown) => data);
    fixture.hub.handle("nothing", () => {});
    assert.deepEqual(await peer.ask("sum", { a: 1, b: 2 }), { reply: 1, data: 3 });
    assert.deepEqual(await peer.ask("later", null), { reply: 1, data: null });
    assert.deepEqual(await peer.ask("nothing"), { reply: 1 });
  });

  suite.test("an event without an id gets no reply", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("sum", () => 3);
    peer.say({ event: "sum" });
    assert.deepEqual(await peer.ask("sum"), { reply: 1, data: 3 });
  });

  suite.test("replies are sent as soon as they are ready, in any order", async (fixture) => {
    const peer = await fixture.connect();
    const ready: ((data: string) => void)[] = [];
    fixture.hub.handle("wait", () => new Promise((resolve) => ready.push(resolve)));
    fixture.hub.handle("release", () => {
      ready[1]?.("second");
      ready[0]?.("first");
    });
    peer.say({ event: "wait", id: 1 });
    peer.say({ event: "wait", id: 2 });
    peer.say({ event: "release" });
    assert.deepEqual(await peer.packet(), { reply: 2, data: "second" });
    assert.deepEqual(await peer.packet(), { reply: 1, data: "first" });
  });

  suite.test("a handler of the socket takes precedence over one of the hub", async (fixture) => {
    const [a, b] = await fixture.pair();
    fixture.hub.handle("who", () => "hub");
    a.socket.on("who", () => "socket");
    assert.deepEqual(await a.ask("who"), { reply: 1, data: "socket" });
    assert.deepEqual(await b.ask("who"), { reply: 1, data: "hub" });
    a.socket.off("who");
    assert.deepEqual(await a.ask("who"), { reply: 1, data: "hub" });
  });

  for (const [name, handler] of [
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
    ["returns a value that cannot be encoded", () => 2n ** 64n],
  ] as const) {
    suite.test(`a handler that ${name} answers handler-failed and is reported`, async (fixture) => {
      const peer = await fixture.connect();
      fixture.hub.handle("fail", handler);
      assert.deepEqual(await peer.ask("fail"), { reply: 1, error: FAILED });
      const failure = await fixture.failures.next();
      assert.ok(failure?.error instanceof Error);
      assert.deepEqual(failure.context, { source: "handler", event: "fail", socket: peer.socket });
    });
  }

  suite.test("a failing handler of an event without an id answers with hub:error", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("fail", () => Promise.reject(new Error("secret")));
    peer.say({ event: "fail" });
    assert.deepEqual(await peer.packet(), { event: "hub:error", data: FAILED });
    assert.equal((await fixture.failures.next())?.context.event, "fail");
  });

  suite.test("a ReplyError is sent to the client, and is not reported", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("no", () => {
      throw new ReplyError("empty-name", "Choose a name.");
    });
    const error = { code: "empty-name", message: "Choose a name." };
    assert.deepEqual(await peer.ask("no"), { reply: 1, error });
    peer.say({ event: "no" });
    assert.deepEqual(await peer.packet(), { event: "hub:error", data: error });
    assert.deepEqual(fixture.failures.take(), []);
  });

  suite.test("the client's reply resolves a request", async (fixture) => {
    const peer = await fixture.connect();
    const asked = peer.socket.request("sum", [1, 2]);
    assert.deepEqual(await peer.packet(), { event: "sum", id: 1, data: [1, 2] });
    peer.say({ reply: 1, data: 3 });
    assert.equal(await asked, 3);
  });

  suite.test("the client's error rejects a request", async (fixture) => {
    const peer = await fixture.connect();
    const rejected = assert.rejects(peer.socket.request("sum", null), (error) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual([error.code, error.reason, error.message], ["ERR_HUB_REMOTE", "busy", "Not now."]);
      return true;
    });
    peer.say({ reply: 1, error: { code: "busy", message: "Not now." } });
    await rejected;
  });

  suite.test("late, duplicate and unrequested replies are ignored", async (fixture) => {
    const [peer, other] = await fixture.pair();
    await assert.rejects(peer.socket.request("late", null, { timeout: 1 }), { code: "ERR_HUB_TIMEOUT" });
    peer.say({ reply: 1, data: "late" });
    peer.say({ reply: 99, data: "invented" });
    const asked = peer.socket.request("again", null);
    other.say({ reply: 2, data: "somebody else's" });
    await other.ask("fence");
    peer.say({ reply: 2, data: "first" });
    peer.say({ reply: 2, data: "second" });
    assert.equal(await asked, "first");
    assert.deepEqual((await peer.heard()).length, 2);
  });

  for (const [name, end] of [
    ["closes", ({ client }: ClientFixture) => client.close(4000)],
    ["vanishes", ({ client }: ClientFixture) => client.vanish()],
    ["is closed", ({ socket }: ClientFixture) => socket.close()],
    ["is terminated", ({ socket }: ClientFixture) => socket.terminate()],
  ] as const) {
    suite.test(`a request to a client that ${name} is rejected`, async (fixture) => {
      const peer = await fixture.connect();
      const rejected = assert.rejects(peer.socket.request("sum", null), { code: "ERR_HUB_DISCONNECTED" });
      end(peer);
      await rejected;
      await assert.rejects(peer.socket.request("sum", null), { code: "ERR_HUB_DISCONNECTED" });
    });
  }

  suite.test(
    "a request to many sockets settles with the last reply, and names the sockets that failed",
    async (fixture) => {
      const [a, b, c] = await fixture.trio();
      const asked = fixture.hub.request("who", null);
      a.say({ reply: 1, data: "a" });
      b.say({ reply: 1, error: { code: "shy", message: "I will not say." } });
      c.client.vanish();
      const { replies, failures } = await asked;
      assert.deepEqual([...replies], [[a.socket.id, "a"]]);
      assert.deepEqual([...failures.keys()].toSorted(), [b.socket.id, c.socket.id].toSorted());
      assert.equal(failures.get(b.socket.id)?.code, "ERR_HUB_REMOTE");
      assert.equal(failures.get(c.socket.id)?.code, "ERR_HUB_DISCONNECTED");
    },
  );

  suite.test("a request to many sockets names those that did not reply in time", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    a.socket.join("x");
    b.socket.join("x");
    fixture.hub.handle("fence", () => true);
    const asked = fixture.hub.to("x").request("who", null, { timeout: 250 });
    assert.deepEqual(await a.packet(), { event: "who", id: 1, room: "x", data: null });
    a.say({ reply: 1, data: "a" });
    assert.deepEqual(await c.heard(), []);
    const { replies, failures } = await asked;
    assert.deepEqual([...replies.keys()], [a.socket.id]);
    assert.deepEqual([...failures.keys()], [b.socket.id]);
    assert.equal(failures.get(b.socket.id)?.code, "ERR_HUB_TIMEOUT");
  });

  suite.test("a request to nobody settles at once", async (fixture) => {
    const { replies, failures } = await fixture.hub.to("nobody").request("who", null);
    assert.deepEqual([replies.size, failures.size], [0, 0]);
  });
}
