import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Inbox } from "../inbox.ts";
import { Opcode, rawFragments, rawFrame } from "../raw-frame.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";
import { NO_CODEC } from "./wire.ts";

const EVENT = { event: "text", data: "é€𝄞" };

/** Messages in fragments, as RFC 6455 allows, with control frames between them. */
export function frameCases(suite: Suite): void {
  for (const size of [1, 2, 5]) {
    suite.raw(`a packet in fragments of ${size} bytes, which split characters, is received`, async (fixture) => {
      const handled = texts(fixture);
      const { client } = await fixture.connectRaw();
      client.write(...rawFragments(fixture.wire.opcode, fixture.wire.payload(EVENT), size));
      assert.equal(await handled.next(), "é€𝄞");
    });
  }

  suite.raw("empty fragments are received", async (fixture) => {
    const handled = texts(fixture);
    const peer = await fixture.connectRaw();
    peer.frame(fixture.wire.opcode, "", { fin: false });
    peer.frame(Opcode.continuation, fixture.wire.payload(EVENT), { fin: false });
    peer.frame(Opcode.continuation, "");
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("a binary message in fragments is received", { codec: NO_CODEC }, async (fixture) => {
    const received = new Inbox<string | Uint8Array>();
    fixture.hub.on("message", (_socket, message) => received.push(message));
    const { client } = await fixture.connectRaw();
    const bytes = Buffer.alloc(70_000, Buffer.from([1, 2, 3]));
    client.write(...rawFragments(Opcode.binary, bytes, 9_999));
    assert.deepEqual(await received.next(), bytes);
  });

  suite.raw("control frames between the fragments of a message are handled", async (fixture) => {
    const handled = texts(fixture);
    const peer = await fixture.connectRaw();
    const { opcode } = fixture.wire;
    const payload = fixture.wire.payload(EVENT);
    peer.frame(opcode, payload.subarray(0, 10), { fin: false });
    peer.frame(Opcode.ping, "in between");
    peer.frame(Opcode.pong, "not asked for");
    await peer.expectFrame(Opcode.pong, "in between");
    peer.frame(Opcode.continuation, payload.subarray(10));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("a frame that arrives byte by byte is received", async (fixture) => {
    const handled = texts(fixture);
    const { client } = await fixture.connectRaw();
    for (const byte of fixture.wire.frame(EVENT)) client.write(Buffer.from([byte]));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("several frames that arrive at once are received", async (fixture) => {
    const handled = texts(fixture);
    const { client } = await fixture.connectRaw();
    client.write(fixture.wire.frame(EVENT), rawFrame(Opcode.ping), fixture.wire.frame(EVENT));
    assert.equal(await handled.next(), "é€𝄞");
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("a ping is answered with its payload", async (fixture) => {
    const peer = await fixture.connectRaw();
    for (const payload of ["", "x", "y".repeat(125)]) peer.frame(Opcode.ping, payload);
    await peer.expectFrame(Opcode.pong, "");
    await peer.expectFrame(Opcode.pong, "x");
    await peer.expectFrame(Opcode.pong, "y".repeat(125));
  });

  suite.raw("an unsolicited pong is ignored", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.frame(Opcode.pong, "what?");
    peer.frame(Opcode.ping, "fence");
    await peer.expectFrame(Opcode.pong, "fence");
    assert.equal(peer.socket.isOpen, true);
  });

  suite.raw("the server sends whole, unmasked frames", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.socket.send("a");
    peer.socket.send(Buffer.from([1, 2]));
    peer.socket.emit("b", 3);
    peer.socket.send("z".repeat(70_000));
    await peer.expectFrame(Opcode.text, "a");
    await peer.expectFrame(Opcode.binary, Buffer.from([1, 2]));
    await peer.expectFrame(fixture.wire.opcode, fixture.wire.payload({ event: "b", data: 3 }));
    await peer.expectFrame(Opcode.text, "z".repeat(70_000));
  });
}

function texts(fixture: HubFixture): Inbox<string> {
  const handled = new Inbox<string>();
  fixture.hub.handle("text", (text: string) => handled.push(text));
  return handled;
}
