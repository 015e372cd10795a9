import assert from "node:assert/strict";
import process from "node:process";
import { HubError } from "../../errors.ts";
import type { ErrorContext } from "../../hub/events.ts";
import type { Packet, WireError } from "../../protocol/packet.ts";
import { Inbox } from "../inbox.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

const object = 'A packet is an object such as {"event":"name","data":…}.';

/** Packets that a client may send by mistake, and the error with which the hub answers. The connection stays open. */
const MISTAKES: readonly (readonly [packet: Packet, error: WireError])[] = [
  [{ event: "" }, { code: "bad-packet", message: '"event" must be a non-empty string.' }],
  [{ event: 7 as never }, { code: "bad-packet", message: '"event" must be a non-empty string.' }],
  [
    { event: "a", id: -1 },
    { code: "bad-packet", message: '"id" must be a non-negative integer.' },
  ],
  [{ reply: 0.5 }, { code: "bad-packet", message: '"reply" must be a non-negative integer.' }],
  [{ event: "a" }, { code: "unknown-event", message: 'The server handles no event "a".' }],
  [{ event: "__proto__" }, { code: "unknown-event", message: 'The server handles no event "__proto__".' }],
  [{ event: "hub:a" }, { code: "reserved-event", message: '"hub:a" is not an event that a client may send.' }],
];

/** Mistakes in the text of JSON, which the codec itself would not write. */
const MISTAKES_IN_JSON: readonly (readonly [message: string, error: WireError])[] = [
  ["not JSON", { code: "bad-packet", message: "The message is not valid JSON." }],
  ["", { code: "bad-packet", message: "The message is not valid JSON." }],
  ["null", { code: "bad-packet", message: object }],
  ["[]", { code: "bad-packet", message: object }],
  ["7", { code: "bad-packet", message: object }],
  ["{}", { code: "bad-packet", message: 'A packet has a string "event" or a number "reply".' }],
  ['{"event":"a","id":"1"}', { code: "bad-packet", message: '"id" must be a non-negative integer.' }],
  ['{"reply":"1"}', { code: "bad-packet", message: '"reply" must be a non-negative integer.' }],
];

const UNEXPECTED = { code: "unexpected-message", message: "This server takes no messages other than packets." };

/** Guarantee 7: mistakes of one client, and failures of the application's functions, affect nobody else. */
export function isolationCases(suite: Suite): void {
  for (const [packet, error] of MISTAKES) {
    suite.test(`${JSON.stringify(packet)} is answered with ${error.code}`, async (fixture) => {
      await refused(fixture, fixture.wire.codec.encode(packet), error);
    });
  }

  for (const [message, error] of MISTAKES_IN_JSON) {
    suite.json(`${message || "an empty message"} is answered with ${error.code}`, async (fixture) => {
      await refused(fixture, message, error);
    });
  }

  suite.test("a request for an unknown event gets an error reply", async (fixture) => {
    const peer = await fixture.connect();
    const error = { code: "unknown-event", message: 'The server handles no event "toString".' };
    assert.deepEqual(await peer.ask("toString"), { reply: 1, error });
  });

  suite.json("unknown fields are ignored", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("echo", (data: unknown) => data);
    peer.client.send('{"event":"echo","id":3,"data":1,"colour":"green","room":"x"}');
    assert.deepEqual(await peer.packet(), { reply: 3, data: 1 });
  });

  suite.test("a message that is no packet and has no listener is answered with hub:error", async (fixture) => {
    const peer = await fixture.connect();
    peer.client.send(fixture.wire.foreign(1));
    assert.deepEqual(await peer.packet(), { event: "hub:error", data: UNEXPECTED });
    const received = new Inbox<string | Uint8Array>();
    fixture.hub.on("message", (_socket, message) => received.push(message));
    peer.client.send(fixture.wire.foreign(2));
    assert.deepEqual(await received.next(), fixture.wire.foreign(2));
  });

  const broken = new Error("broken");
  const fail = (): never => {
    throw broken;
  };
  const reject = (): Promise<never> => Promise.reject(broken);

  for (const event of ["connection", "disconnection", "message"] as const) {
    for (const [does, listener] of [
      ["throws", fail],
      ["rejects", reject],
    ] as const) {
      suite.test(
        `a listener of ${event} that ${does} is reported, and the other listeners are called`,
        async (fixture) => {
          const called: string[] = [];
          fixture.hub.on(event, listener);
          fixture.hub.on(event, () => called.push("second"));
          const peer = await fixture.connect();
          peer.client.send(fixture.wire.foreign(1));
          if (event === "disconnection") peer.client.close();
          const failure = await fixture.failures.next();
          assert.equal(failure?.error, broken);
          assert.deepEqual(failure.context, { source: "listener", event, socket: peer.socket });
          assert.deepEqual(called, ["second"]);
          const other = await fixture.connect();
          assert.deepEqual(await other.heard(), []);
        },
      );
    }
  }

  suite.test("a failing listener of error does no further harm, and is a warning", async (fixture) => {
    const peer = await fixture.connect();
    const emitWarning = process.emitWarning.bind(process);
    let warnings = 0;
    process.emitWarning = () => void warnings++;
    fixture.hub.on("error", fail);
    fixture.hub.on("error", reject);
    fixture.hub.handle("fail", fail);
    await peer.ask("fail");
    assert.equal((await fixture.failures.next())?.error, broken);
    assert.equal(peer.socket.isOpen, true);
    assert.deepEqual(await peer.heard(), []);
    process.emitWarning = emitWarning;
    assert.equal(warnings, 1);
  });

  for (const [what, error] of THROWN) {
    for (const [does, failing] of [
      ["throws", () => raise(error)],
      ["rejects with", () => Promise.reject(error)],
    ] as const) {
      suite.test(`a handler that ${does} ${what} is reported once, and the client gets an error`, async (fixture) => {
        const [peer, other] = await fixture.pair();
        fixture.hub.handle("fail", failing);
        assert.deepEqual(await peer.ask("fail"), { reply: 1, error: FAILED });
        expectFailure(fixture, error, { source: "handler", event: "fail", socket: peer.socket });
        assert.deepEqual(await other.heard(), []);
      });

      suite.test(`middleware that ${does} ${what} is reported once, and the client gets an error`, async (fixture) => {
        const [peer, other] = await fixture.pair();
        fixture.hub.handle("work", () => "done");
        const remove = fixture.hub.use(failing);
        assert.deepEqual(await peer.ask("work"), { reply: 1, error: FAILED });
        expectFailure(fixture, error, { source: "middleware", event: "work", socket: peer.socket });
        remove();
        assert.deepEqual(await peer.ask("work"), { reply: 1, data: "done" });
        assert.deepEqual(await other.heard(), []);
      });

      const joinable = failing as () => boolean;
      suite.test(
        `joinable that ${does} ${what} is reported once, and the client gets an error`,
        { joinable },
        async (fixture) => {
          const peer = await fixture.connect();
          assert.deepEqual(await peer.ask("hub:join", { room: "room" }), { reply: 1, error: FAILED });
          expectFailure(fixture, error, { source: "joinable", event: "hub:join", socket: peer.socket });
          assert.equal(fixture.hub.rooms.size, 0);
        },
      );
    }
  }

  suite.test("a reply that cannot be encoded is reported as a failure of its handler", async (fixture) => {
    const [peer, other] = await fixture.pair();
    const unreadable = Object.defineProperty({}, "x", { enumerable: true, get: fail });
    fixture.hub.handle("sync", () => unreadable);
    fixture.hub.handle("async", async () => unreadable);
    for (const event of ["sync", "async"]) {
      // oxlint-disable-next-line no-await-in-loop -- the second request is sent after the first reply
      assert.deepEqual(await peer.ask(event), { reply: 1, error: FAILED });
      const [failure, ...more] = fixture.failures.take();
      assert.ok(failure?.error instanceof HubError);
      assert.equal(failure.error.code, "ERR_HUB_UNSERIALISABLE");
      assert.deepEqual(failure.context, { source: "handler", event, socket: peer.socket });
      assert.equal(more.length, 0);
    }
    assert.deepEqual(await other.heard(), []);
  });

  suite.test("a thenable that settles more than once is answered, or reported, once", async (fixture) => {
    const peer = await fixture.connect();
    // oxlint-disable-next-line unicorn/no-thenable -- the test needs an invalid thenable
    const twice = { then: (_done: unknown, failed: (error: unknown) => void) => (failed(broken), failed(broken)) };
    fixture.hub.handle("fail", () => twice);
    assert.deepEqual(await peer.ask("fail"), { reply: 1, error: FAILED });
    expectFailure(fixture, broken, { source: "handler", event: "fail", socket: peer.socket });
    fixture.hub.on("message", () => twice);
    peer.client.send(fixture.wire.foreign(1));
    const failure = await fixture.failures.next();
    assert.deepEqual(failure?.context, { source: "listener", event: "message", socket: peer.socket });
    fixture.hub.handle("fence", () => "fine");
    assert.deepEqual(await peer.ask("fence"), { reply: 1, data: "fine" });
    assert.deepEqual(fixture.failures.take(), []);
  });

  suite.test("a handler that fails for one client disturbs no other client", async (fixture) => {
    const [a, b] = await fixture.pair();
    fixture.hub.handle("fail", reject);
    fixture.hub.handle("work", () => "done");
    a.say({ event: "fail" });
    assert.deepEqual(await b.ask("work"), { reply: 1, data: "done" });
    await a.packet();
    assert.deepEqual(await a.ask("work"), { reply: 1, data: "done" });
  });
}

const FAILED: WireError = { code: "handler-failed", message: "The server failed to handle this." };

/** Values other than errors that code may throw. */
const THROWN: readonly (readonly [what: string, error: unknown])[] = [
  ["undefined", undefined],
  ["a string", "broken"],
  [
    "a proxy that fails at every access",
    new Proxy({}, new Proxy({}, { get: () => () => raise(new Error("Touched")) })),
  ],
];

function raise(error: unknown): never {
  throw error;
}

/** Checks that exactly this failure has been reported. */
function expectFailure(fixture: HubFixture, error: unknown, context: ErrorContext): void {
  const [failure, ...more] = fixture.failures.take();
  // `assert.equal` would access properties of the error, which may fail.
  assert.ok(Object.is(failure?.error, error), "another error was reported, or none");
  assert.deepEqual(failure?.context, context);
  assert.equal(more.length, 0);
}

/** Checks that a message is answered with an error, and that the connection works afterwards. */
async function refused(fixture: HubFixture, message: string | Uint8Array, error: WireError): Promise<void> {
  const peer = await fixture.connect();
  peer.client.send(message);
  assert.deepEqual(await peer.packet(), { event: "hub:error", data: error });
  fixture.hub.handle("fine", () => true);
  assert.deepEqual(await peer.ask("fine"), { reply: 1, data: true });
  assert.deepEqual(fixture.failures.take(), []);
}
