import assert from "node:assert/strict";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import type { Suite } from "./suite.ts";

/** The window of clients, in bytes, by the default of `limits.waitingBytes`. */
const WINDOW = 270_336;

/** Handshakes: what the application learns of them, and how it decides on them. */
export function handshakeCases(suite: Suite): void {
  suite.test("the socket has the data of the request", async (fixture) => {
    const { socket } = await fixture.connect({ url: "/chat/a%20b?x=1&y=%C3%A9&x=2", headers: { "X-Colour": "green" } });
    const { handshake } = socket;
    assert.equal(handshake.url, "/chat/a%20b?x=1&y=%C3%A9&x=2");
    assert.equal(handshake.path, "/chat/a%20b");
    assert.deepEqual(handshake.query.getAll("x"), ["1", "2"]);
    assert.equal(handshake.query.get("y"), "é");
    assert.equal(handshake.headers["x-colour"], "green");
    assert.equal(handshake.remoteAddress, "127.0.0.1");
    assert.equal(handshake.secure, false);
  });

  suite.raw(
    "repeated headers are joined, but of a header that may not be repeated the first counts",
    async (fixture) => {
      const raw = await fixture.dialRaw();
      raw.write(
        rawRequest("/", {
          ...UPGRADE_HEADERS,
          "X-List": ["a", "b, c"],
          Cookie: ["d=1", "e=2"],
          Authorization: ["first", "second"],
          "User-Agent": ["third", "fourth"],
        }),
      );
      assert.equal((await raw.response())?.status, 101);
      const { headers } = fixture.connected[0]?.handshake ?? {};
      assert.equal(headers?.["x-list"], "a, b, c");
      assert.equal(headers?.["cookie"], "d=1; e=2");
      assert.equal(headers?.["authorization"], "first");
      assert.equal(headers?.["user-agent"], "third");
    },
  );

  suite.test("every socket has a unique id, by which the hub finds it", async (fixture) => {
    const peers = await fixture.trio();
    const ids = new Set(peers.map(({ socket }) => socket.id));
    assert.equal(ids.size, 3);
    for (const { socket } of peers) {
      assert.equal(socket.isOpen, true);
      assert.equal(fixture.hub.sockets.get(socket.id), socket);
    }
    assert.equal(fixture.hub.sockets.size, 3);
  });

  suite.test("hub:welcome is the first message", { welcome: true }, async (fixture) => {
    fixture.hub.on("connection", (socket) => socket.emit("hello"));
    const peer = await fixture.connect();
    const welcome = { id: peer.socket.id, protocol: 1, heartbeat: 0, timeout: 0, window: WINDOW };
    assert.deepEqual(await peer.packet(), { event: "hub:welcome", data: welcome });
    assert.deepEqual(await peer.packet(), { event: "hello" });
  });

  suite.test(
    "hub:welcome tells the interval and the timeout of the heartbeat",
    { welcome: true, heartbeat: { interval: 30_000, timeout: 5_000 } },
    async (fixture) => {
      const peer = await fixture.connect();
      const welcome = { id: peer.socket.id, protocol: 1, heartbeat: 30_000, timeout: 5_000, window: WINDOW };
      assert.deepEqual(await peer.packet(), { event: "hub:welcome", data: welcome });
    },
  );

  suite.test("without hub:welcome the first message is the application's", { welcome: false }, async (fixture) => {
    fixture.hub.on("connection", (socket) => socket.emit("hello"));
    assert.deepEqual(await (await fixture.connect()).packet(), { event: "hello" });
  });

  suite.test("without the option path every path is accepted", async (fixture) => {
    await fixture.connect({ url: "/" });
    await fixture.connect({ url: "/deep/down?x" });
    assert.equal(fixture.connected.length, 2);
  });

  suite.test("with the option path no other path is accepted", { path: "/chat" }, async (fixture) => {
    await assert.rejects(fixture.dial({ url: "/" }).opened, { status: 404 });
    await assert.rejects(fixture.dial({ url: "/chat/" }).opened, { status: 404 });
    await assert.rejects(fixture.dial({ url: "/chatter" }).opened, { status: 404 });
    const { socket } = await fixture.connect({ url: "/chat?room=a" });
    assert.equal(socket.handshake.url, "/chat?room=a");
    assert.equal(fixture.connected.length, 1);
  });

  suite.test(
    "the server's order of preference decides between the offered subprotocols",
    { protocols: ["b", "a"] },
    async (fixture) => {
      const { client, socket } = await fixture.connect({ protocols: ["x", "a", "b"] });
      assert.equal(client.protocol, "b");
      assert.equal(socket.protocol, "b");
    },
  );

  suite.test("no subprotocol is agreed on when none is offered", { protocols: ["a"] }, async (fixture) => {
    const { client, socket } = await fixture.connect();
    assert.equal(client.protocol, "");
    assert.equal(socket.protocol, "");
  });

  for (const protocols of [["a"], []]) {
    const known = protocols.length === 0 ? "the server knows none" : "the server knows another only";
    suite.raw(`no subprotocol is agreed on when ${known}`, { protocols }, async (fixture) => {
      const raw = await fixture.dialRaw();
      raw.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": "x, y" }));
      const response = await raw.response();
      assert.equal(response?.status, 101);
      assert.equal(response.headers.get("sec-websocket-protocol"), undefined);
      assert.equal(fixture.connected[0]?.protocol, "");
    });
  }

  for (const [answer, authenticate] of [
    ["undefined", () => undefined],
    ["null", () => null],
    ["false", () => false as const],
    ["a promise of undefined", async () => undefined],
  ] as const) {
    suite.test(`authenticate that returns ${answer} refuses with 401`, { authenticate }, async (fixture) => {
      await assert.rejects(fixture.dial().opened, { status: 401 });
      assert.deepEqual(fixture.connected, []);
      assert.deepEqual(fixture.failures.take(), []);
    });
  }

  const broken = new Error("broken");
  for (const [does, authenticate, code] of [
    ["rejects", () => Promise.reject(broken), undefined],
    [
      "throws",
      () => {
        throw broken;
      },
      undefined,
    ],
    ["returns a user without an id", () => ({ id: "" }), "ERR_HUB_AUTHENTICATE"],
  ] as const) {
    suite.test(`authenticate that ${does} refuses with 401 and is reported`, { authenticate }, async (fixture) => {
      await assert.rejects(fixture.dial().opened, { status: 401 });
      assert.deepEqual(fixture.connected, []);
      const failure = await fixture.failures.next();
      assert.deepEqual(failure?.context, { source: "authenticate" });
      if (code === undefined) assert.equal(failure.error, broken);
      else assert.equal((failure.error as { code?: unknown }).code, code);
    });
  }

  suite.test("the user is known in the connection event", { authenticate: () => ({ id: "ann" }) }, async (fixture) => {
    const users: unknown[] = [];
    fixture.hub.on("connection", ({ user }) => users.push(user?.id));
    await fixture.connect();
    assert.deepEqual(users, ["ann"]);
  });

  const upgrade = UPGRADE_HEADERS;
  for (const [name, headers] of [
    ["without an upgrade", {}],
    ["without a key", { ...upgrade, "Sec-WebSocket-Key": [] }],
    ["with a key of the wrong length", { ...upgrade, "Sec-WebSocket-Key": "c2hvcnQ=" }],
    ["of an unknown version", { ...upgrade, "Sec-WebSocket-Version": "7" }],
    ["without a version", { ...upgrade, "Sec-WebSocket-Version": [] }],
  ] as const) {
    suite.raw(`a request ${name} is answered with an HTTP error`, async (fixture) => {
      const raw = await fixture.dialRaw();
      raw.write(rawRequest("/", headers));
      const status = (await raw.response())?.status ?? 0;
      assert.ok(status >= 400 && status < 500, `status ${status}`);
      await fixture.connect();
      assert.equal(fixture.connected.length, 1);
    });
  }
}
