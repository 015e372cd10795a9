import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Inbox } from "../inbox.ts";
import { Opcode, rawFrame } from "../raw-frame.ts";
import type { Stage } from "./stage.ts";
import type { Suite } from "./suite.ts";
import { NO_CODEC } from "./wire.ts";

const EVENT = { event: "text", data: "é€𝄞" };

/** Messages as the protocol allows them to be cut, and control frames among them. */
export function frameCases(suite: Suite): void {
  for (const size of [1, 2, 5]) {
    suite.raw(`a packet in fragments of ${size} bytes, which split characters`, async (stage) => {
      const handled = texts(stage);
      const { client } = await stage.connectRaw();
      client.write(...fragments(stage.wire.opcode, stage.wire.payload(EVENT), size));
      assert.equal(await handled.next(), "é€𝄞");
    });
  }

  suite.raw("fragments that are empty", async (stage) => {
    const handled = texts(stage);
    const guest = await stage.connectRaw();
    guest.frame(stage.wire.opcode, "", { fin: false });
    guest.frame(Opcode.continuation, stage.wire.payload(EVENT), { fin: false });
    guest.frame(Opcode.continuation, "");
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("binary in fragments", { codec: NO_CODEC }, async (stage) => {
    const received = new Inbox<string | Uint8Array>();
    stage.hub.on("message", (_socket, message) => received.push(message));
    const { client } = await stage.connectRaw();
    const bytes = Buffer.alloc(70_000, Buffer.from([1, 2, 3]));
    client.write(...fragments(Opcode.binary, bytes, 9_999));
    assert.deepEqual(await received.next(), bytes);
  });

  suite.raw("control frames between the fragments of a message", async (stage) => {
    const handled = texts(stage);
    const guest = await stage.connectRaw();
    const { opcode } = stage.wire;
    const payload = stage.wire.payload(EVENT);
    guest.frame(opcode, payload.subarray(0, 10), { fin: false });
    guest.frame(Opcode.ping, "in between");
    guest.frame(Opcode.pong, "not asked for");
    await guest.expectFrame(Opcode.pong, "in between");
    guest.frame(Opcode.continuation, payload.subarray(10));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("frames that arrive byte by byte", async (stage) => {
    const handled = texts(stage);
    const { client } = await stage.connectRaw();
    for (const byte of stage.wire.frame(EVENT)) client.write(Buffer.from([byte]));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("many frames that arrive at once", async (stage) => {
    const handled = texts(stage);
    const { client } = await stage.connectRaw();
    client.write(stage.wire.frame(EVENT), rawFrame(Opcode.ping), stage.wire.frame(EVENT));
    assert.equal(await handled.next(), "é€𝄞");
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("a ping is answered with its payload", async (stage) => {
    const guest = await stage.connectRaw();
    for (const payload of ["", "x", "y".repeat(125)]) guest.frame(Opcode.ping, payload);
    await guest.expectFrame(Opcode.pong, "");
    await guest.expectFrame(Opcode.pong, "x");
    await guest.expectFrame(Opcode.pong, "y".repeat(125));
  });

  suite.raw("a pong that was not asked for is ignored", async (stage) => {
    const guest = await stage.connectRaw();
    guest.frame(Opcode.pong, "what?");
    guest.frame(Opcode.ping, "fence");
    await guest.expectFrame(Opcode.pong, "fence");
    assert.equal(guest.socket.isOpen, true);
  });

  suite.raw("the server sends whole, unmasked frames", async (stage) => {
    const guest = await stage.connectRaw();
    guest.socket.send("a");
    guest.socket.send(Buffer.from([1, 2]));
    guest.socket.emit("b", 3);
    guest.socket.send("z".repeat(70_000));
    await guest.expectFrame(Opcode.text, "a");
    await guest.expectFrame(Opcode.binary, Buffer.from([1, 2]));
    await guest.expectFrame(stage.wire.opcode, stage.wire.payload({ event: "b", data: 3 }));
    await guest.expectFrame(Opcode.text, "z".repeat(70_000));
  });
}

function texts(stage: Stage): Inbox<string> {
  const handled = new Inbox<string>();
  stage.hub.handle("text", (text: string) => handled.push(text));
  return handled;
}

function fragments(opcode: number, bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) =>
    rawFrame(index === 0 ? opcode : Opcode.continuation, bytes.subarray(index * size, (index + 1) * size), {
      fin: index === count - 1,
    }),
  );
}
