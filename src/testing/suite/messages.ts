import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Inbox } from "../inbox.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";
import { NO_CODEC } from "./wire.ts";

/** Sizes in bytes around which the header of a frame changes, and one that is read in several pieces. */
const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000];

const LIMIT = 1000;

/** Whole messages in both directions. */
export function messageCases(suite: Suite): void {
  for (const size of SIZES) {
    suite.test(`text of ${size} bytes, both ways`, async (fixture) => {
      const peer = await fixture.connect();
      const handled = new Inbox<string>();
      fixture.hub.handle("text", (text: string) => handled.push(text));
      const text = "x".repeat(size);
      peer.say({ event: "text", data: text });
      assert.equal(await handled.next(), text);
      peer.socket.send(text);
      assert.equal(await peer.client.next(), text);
    });

    suite.test(`binary of ${size} bytes, both ways`, { codec: NO_CODEC }, async (fixture) => {
      const { client, socket } = await fixture.connect();
      const received = binaryMessages(fixture);
      const bytes = Buffer.alloc(size, Buffer.from([0, 255, 128, 1]));
      client.send(bytes);
      assert.deepEqual(await received.next(), bytes);
      socket.send(bytes);
      assert.deepEqual(await client.next(), new Uint8Array(bytes));
    });
  }

  suite.test("text keeps every character", async (fixture) => {
    const peer = await fixture.connect();
    const text = '\u0000 é € 𝄞 \uFEFF \u2028 "\\/';
    fixture.hub.handle("echo", (data: string) => data);
    assert.deepEqual(await peer.ask("echo", text), { reply: 1, data: text });
    peer.socket.send(text);
    assert.equal(await peer.client.next(), text);
  });

  suite.test("text stays text, and binary stays binary", async (fixture) => {
    const { client, socket } = await fixture.connect();
    socket.send(Buffer.from("abc"));
    socket.send("abc");
    assert.deepEqual(await client.next(), new Uint8Array([97, 98, 99]));
    assert.equal(await client.next(), "abc");
  });

  suite.test("messages of one client are handled in the order in which it sent them", async (fixture) => {
    const peer = await fixture.connect();
    const handled: unknown[] = [];
    const done = new Inbox<undefined>();
    fixture.hub.on("message", (_socket, message) => handled.push(message));
    fixture.hub.handle("n", (n: number) => handled.push(n));
    fixture.hub.handle("end", () => done.push(undefined));
    const expected = Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? fixture.wire.foreign(n) : n));
    for (const item of expected) {
      if (typeof item === "number") peer.say({ event: "n", data: item });
      else peer.client.send(item);
    }
    peer.say({ event: "end" });
    await done.next();
    assert.deepEqual(handled, expected);
  });

  suite.test("the bytes of a binary message belong to its receiver", { codec: NO_CODEC }, async (fixture) => {
    const { client } = await fixture.connect();
    const received = binaryMessages(fixture);
    const bytes = [Buffer.from([1, 2, 3]), Buffer.alloc(20_000, 4), Buffer.from([5])];
    for (const item of bytes) client.send(item);
    const kept = [await received.next(), await received.next(), await received.next()];
    assert.deepEqual(kept, bytes);
  });

  for (const kind of ["text", "binary"] as const) {
    const message = (size: number): string | Buffer => (kind === "text" ? "x".repeat(size) : Buffer.alloc(size));

    suite.test(`${kind} at the limit is received`, { maxMessageBytes: LIMIT, codec: NO_CODEC }, async (fixture) => {
      const { client, socket } = await fixture.connect();
      const received = new Inbox<string | Uint8Array>();
      fixture.hub.on("message", (_socket, data) => received.push(data));
      client.send(message(LIMIT));
      assert.equal((await received.next())?.length, LIMIT);
      assert.equal(socket.isOpen, true);
    });

    suite.test(
      `${kind} over the limit ends the connection with 1009`,
      { maxMessageBytes: LIMIT, codec: NO_CODEC },
      async (fixture) => {
        const [peer, other] = await fixture.pair();
        const received: unknown[] = [];
        fixture.hub.on("message", (_socket, data) => received.push(data));
        peer.client.send("first");
        peer.client.send(message(LIMIT + 1));
        const departure = await fixture.departures.next();
        assert.equal(departure?.socket, peer.socket);
        assert.equal(departure.code, 1009);
        assert.deepEqual(received, ["first"]);
        fixture.hub.send("the others live on");
        assert.equal(await other.client.next(), "the others live on");
      },
    );
  }

  suite.test("maxMessageBytes limits received messages, not sent ones", { maxMessageBytes: 10 }, async (fixture) => {
    const { client, socket } = await fixture.connect();
    socket.send("x".repeat(100_000));
    assert.equal(((await client.next()) as string).length, 100_000);
  });
}

function binaryMessages(fixture: HubFixture): Inbox<string | Uint8Array> {
  const received = new Inbox<string | Uint8Array>();
  fixture.hub.on("message", (_socket, message) => received.push(message));
  return received;
}
