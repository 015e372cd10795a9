import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Connection, UpgradeInfo } from "../../transports/transport.ts";
import { rawFrame, Opcode } from "../raw-frame.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { sequence, type TransportEvent, type TransportFixture } from "./transport-fixture.ts";
import type { Suite } from "./suite.ts";

/** The seam: what a hub relies on in a transport. */
export function seamCases(suite: Suite): void {
  suite.seam("hands over a copy of the request", async (fixture) => {
    const asked: UpgradeInfo[] = [];
    fixture.upgrade = (info) => {
      asked.push(info);
      return { accept: true, protocol: "one", context: undefined };
    };
    await fixture.connect({ url: "/a/b?c=d&e=%20", headers: { "X-Colour": "green" }, protocols: ["one", "two"] });
    const [info] = asked;
    assert.equal(info?.url, "/a/b?c=d&e=%20");
    assert.equal(info.headers["x-colour"], "green");
    assert.deepEqual(info.protocols, ["one", "two"]);
    assert.equal(info.remoteAddress, "127.0.0.1");
    assert.equal(info.secure, false);
    assert.equal(info.signal.aborted, false);
  });

  suite.seam("opens a connection with the subprotocol and the context of the decision", async (fixture) => {
    const context = { mine: true };
    fixture.upgrade = () => ({ accept: true, protocol: "two", context });
    const client = fixture.dial({ protocols: ["one", "two"] });
    const event = await fixture.events.next();
    assert.ok(event?.type === "open");
    assert.equal(event.context, context);
    assert.equal(event.connection.protocol, "two");
    assert.equal(event.connection.owner, undefined);
    await client.opened;
    assert.equal(client.protocol, "two");
  });

  suite.seam("refuses with the status and the text of the decision", async (fixture) => {
    fixture.upgrade = () => ({ accept: false, status: 403, message: "Not today" });
    await assert.rejects(fixture.dial().opened, { name: "SuiteRefusal", status: 403, body: "Not today" });
    assert.deepEqual(fixture.events.take(), []);
  });

  suite.seam("hands over text as a string, and binary as bytes that do not change later", async (fixture) => {
    const { client, connection } = await fixture.connect();
    const messages = [Buffer.from([0, 255, 1]), Buffer.alloc(0), Buffer.alloc(50_000, 7), Buffer.from([9])];
    for (const message of messages) client.send(message);
    client.send("é");
    const received = await messagesUpTo(fixture, "é");
    assert.deepEqual(received, messages);
    assert.ok(received.every((message) => Buffer.isBuffer(message)));
    assert.equal(connection.bufferedAmount, 0);
  });

  suite.seam("writes frames in order", async (fixture) => {
    const { client, connection } = await fixture.connect();
    connection.write(sequence("a", Buffer.from([1]), ""));
    connection.write(sequence("b"));
    assert.equal(await client.next(), "a");
    assert.deepEqual(await client.next(), new Uint8Array([1]));
    assert.equal(await client.next(), "");
    assert.equal(await client.next(), "b");
  });

  suite.seam("calls drain when buffered frames have been written", async (fixture) => {
    const { client, connection } = await fixture.connect();
    client.pause();
    const chunk = sequence(randomBytes(65_536));
    const written = await writeUntilBuffered(connection, chunk);
    assert.ok(connection.bufferedAmount > 0);
    client.resume();
    await drainedCompletely(fixture, connection);
    connection.write(sequence("last"));
    const count = await countMessages(() => client.next(), "last");
    assert.equal(count, written);
  });

  suite.rawSeam("reports pings and pongs of the client, and answers the pings", async (fixture) => {
    const client = await fixture.dialRaw();
    client.write(rawRequest("/", UPGRADE_HEADERS));
    assert.equal((await client.response())?.status, 101);
    const opened = await fixture.events.next();
    assert.ok(opened?.type === "open");
    const { connection } = opened;
    client.write(rawFrame(Opcode.ping, "a"), rawFrame(Opcode.pong, "b"));
    assert.deepEqual(await fixture.events.next(), { type: "ping", connection });
    assert.deepEqual(await fixture.events.next(), { type: "pong", connection });
    const answer = await client.frame();
    assert.deepEqual([answer?.opcode, answer?.payload.toString()], [Opcode.pong, "a"]);
  });

  suite.seam("reports the pong that answers a ping", async (fixture) => {
    const { connection } = await fixture.connect();
    connection.ping();
    assert.deepEqual(await fixture.events.next(), { type: "pong", connection });
  });

  for (const [name, end, outcome] of [
    ["close", (connection: Connection) => connection.close(4321, "bye"), { code: 4321, reason: "bye" }],
    ["expel", expel, { code: 4321, reason: "bye" }],
    ["terminate", (connection: Connection) => connection.terminate(), { code: 1006, reason: "" }],
  ] as const) {
    suite.seam(`${name} is reported once, and not from inside the call`, async (fixture) => {
      const { client, connection } = await fixture.connect();
      end(connection);
      assert.deepEqual(fixture.events.take(), []);
      end(connection);
      assert.deepEqual(await fixture.events.next(), { type: "close", connection, ...outcome });
      assert.deepEqual(await client.closed, outcome);
      await fixture.connect();
      assert.deepEqual(fixture.events.take(), []);
    });

    suite.seam(`after ${name} every method does nothing`, async (fixture) => {
      const { client, connection } = await fixture.connect();
      end(connection);
      useUp(connection);
      await fixture.events.next();
      await client.closed;
      useUp(connection);
      assert.equal(connection.bufferedAmount, 0);
      assert.equal(await client.next(), undefined);
    });
  }

  suite.seam("after the client has disconnected every method does nothing", async (fixture) => {
    const { client, connection } = await fixture.connect();
    client.vanish();
    assert.deepEqual(await fixture.events.next(), { type: "close", connection, code: 1006, reason: "" });
    useUp(connection);
    assert.equal(connection.bufferedAmount, 0);
  });

  for (const [name, end] of [
    ["close", (connection: Connection) => connection.close(4321, "bye")],
    ["expel", expel],
  ] as const) {
    suite.seam(`hands over no message after ${name}`, async (fixture) => {
      const { client, connection } = await fixture.connect();
      end(connection);
      client.send("too late");
      assert.deepEqual(await fixture.events.next(), { type: "close", connection, code: 4321, reason: "bye" });
      await client.closed;
      await fixture.connect();
      assert.deepEqual(fixture.events.take(), []);
    });

    suite.seam(`hands over no message after ${name} of a client that does not read`, async (fixture) => {
      const { client, connection } = await fixture.connect();
      client.pause();
      await writeUntilBuffered(connection, sequence(randomBytes(65_536)));
      end(connection);
      assert.equal(connection.bufferedAmount, 0);
      assert.deepEqual(await fixture.events.next(), { type: "close", connection, code: 4321, reason: "bye" });
      client.send("too late");
      await fixture.connect();
      useUp(connection);
      await fixture.connect();
      assert.deepEqual(fixture.events.take(), []);
    });
  }

  suite.seam("everything that was written before a close arrives before it", async (fixture) => {
    const { client, connection } = await fixture.connect();
    client.pause();
    const written = await writeUntilBuffered(connection, sequence(randomBytes(65_536)));
    connection.write(sequence("last"));
    connection.close(4321, "bye");
    client.resume();
    assert.equal(await countMessages(() => client.next(), "last"), written);
    assert.deepEqual(await client.closed, { code: 4321, reason: "bye" });
  });

  suite.seam("tells at once that a connection is gone which was terminated", async (fixture) => {
    const { connection } = await fixture.connect();
    connection.terminate();
    assert.deepEqual(await fixture.gone.next(), { connection, isClosed: true });
    await fixture.connect();
    assert.deepEqual(fixture.gone.take(), []);
  });

  suite.seam("tells of every connection once that it is gone, after its close, and of no open one", async (fixture) => {
    const closed = await fixture.connect();
    const expelled = await fixture.connect();
    const closing = await fixture.connect();
    const vanished = await fixture.connect();
    closed.connection.close(4321, "bye");
    expel(expelled.connection);
    closing.client.close(4000);
    vanished.client.vanish();
    await Promise.all([1, 2, 3, 4].map(() => fixture.events.next()));
    const open = await fixture.connect();
    const gone = fixture.gone.take();
    assert.ok(gone.every(({ connection }) => connection !== open.connection));
    await fixture.transport.destroy();
    const others = Array.from({ length: 5 - gone.length }, () => fixture.gone.next());
    const all = [...gone, ...(await Promise.all(others))];
    assert.ok(all.every((item) => item?.isClosed === true));
    assert.equal(new Set(all.map((item) => item?.connection)).size, 5);
    assert.deepEqual(fixture.gone.take(), []);
  });

  suite.seam("accepts only the path of its settings, with any query", { path: "/here" }, async (fixture) => {
    await assert.rejects(fixture.dial({ url: "/" }).opened, { status: 404 });
    await assert.rejects(fixture.dial({ url: "/here/below" }).opened, { status: 404 });
    await fixture.connect({ url: "/here" });
    await fixture.connect({ url: "/here?a=b" });
  });

  suite.seam("stopListening keeps open connections and refuses new ones", async (fixture) => {
    const { client, connection } = await fixture.connect();
    fixture.transport.stopListening();
    fixture.transport.stopListening();
    await assert.rejects(fixture.dial().opened);
    client.send("still here");
    assert.deepEqual(await fixture.events.next(), { type: "message", connection, data: "still here" });
  });

  suite.rawSeam("listening on a port that is in use rejects with EADDRINUSE", async (fixture) => {
    const second = fixture.another();
    await assert.rejects(second.listen({ port: fixture.port, host: "127.0.0.1" }), { code: "EADDRINUSE" });
    await second.destroy();
    await fixture.connect();
  });

  suite.seam("destroy ends open connections, and reports their end", async (fixture) => {
    const { client, connection } = await fixture.connect();
    await Promise.all([fixture.transport.destroy(), fixture.transport.destroy()]);
    assert.equal((await client.closed).code, 1006);
    assert.deepEqual(await fixture.events.next(), { type: "close", connection, code: 1006, reason: "" });
    await assert.rejects(fixture.dial().opened);
  });

  suite.seam("destroy, called again, only brings forward when closing connections are cut", async (fixture) => {
    const { client, connection } = await fixture.connect();
    client.pause();
    connection.write(sequence(UNREAD));
    connection.close(4321, "bye", UNREAD.length);
    const { transport } = fixture;
    await Promise.all([transport.destroy(3_600_000), transport.destroy(0), transport.destroy(3_600_000)]);
    assert.deepEqual(await fixture.gone.next(), { connection, isClosed: true });
    await transport.destroy(3_600_000);
  });
}

/** What keeps a close waiting for longer than any test, if the client does not read it. */
const UNREAD = Buffer.alloc(1024 * 1024);

/** Expels a client, as a hub does. */
function expel(connection: Connection): void {
  if (connection.expel === undefined) connection.close(4321, "bye");
  else connection.expel(4321, "bye");
}

/** Calls every method of a connection. */
function useUp(connection: Connection): void {
  connection.write(sequence("never"));
  connection.ping();
  connection.close(4999, "never");
  connection.terminate();
}

/** Waits for messages up to `last`, and returns those before it. */
async function messagesUpTo(fixture: TransportFixture, last: string): Promise<(string | Buffer)[]> {
  const event = (await fixture.events.next()) as TransportEvent & { type: "message" };
  return event.data === last ? [] : [event.data, ...(await messagesUpTo(fixture, last))];
}

/**
 * Writes a chunk until the transport has to buffer it. The buffers of the network have to be filled first.
 *
 * @returns how many times the chunk was written.
 */
async function writeUntilBuffered(connection: Connection, chunk: ReturnType<typeof sequence>): Promise<number> {
  const taken = connection.write(chunk);
  await nextTurn();
  return !taken && connection.bufferedAmount > 0 ? 1 : 1 + (await writeUntilBuffered(connection, chunk));
}

/** Waits for calls of `drain` until nothing is buffered. */
async function drainedCompletely(fixture: TransportFixture, connection: Connection): Promise<void> {
  assert.equal(await fixture.drains.next(), connection);
  if (connection.bufferedAmount > 0) await drainedCompletely(fixture, connection);
}

/** Waits for messages up to `last`, and returns the number of those before it. */
async function countMessages(next: () => Promise<unknown>, last: string): Promise<number> {
  return (await next()) === last ? 0 : 1 + (await countMessages(next, last));
}
