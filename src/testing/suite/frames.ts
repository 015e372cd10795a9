import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Inbox } from "../inbox.ts";
import { Opcode, rawFrame } from "../raw-frame.ts";
import type { Stage } from "./stage.ts";
import type { Suite } from "./suite.ts";

const EVENT = Buffer.from(JSON.stringify({ event: "text", data: "é€𝄞" }));

/** Messages as the protocol allows them to be cut, and control frames among them. */
export function frameCases(suite: Suite): void {
  for (const size of [1, 2, 5]) {
    suite.raw(`text in fragments of ${size} bytes, which split characters`, async (stage) => {
      const handled = texts(stage);
      const { client } = await stage.connectRaw();
      client.write(...fragments(Opcode.text, EVENT, size));
      assert.equal(await handled.next(), "é€𝄞");
    });
  }

  suite.raw("fragments that are empty", async (stage) => {
    const handled = texts(stage);
    const guest = await stage.connectRaw();
    guest.frame(Opcode.text, "", { fin: false });
    guest.frame(Opcode.continuation, EVENT, { fin: false });
    guest.frame(Opcode.continuation, "");
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("binary in fragments", async (stage) => {
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
    guest.frame(Opcode.text, EVENT.subarray(0, 10), { fin: false });
    guest.frame(Opcode.ping, "in between");
    guest.frame(Opcode.pong, "not asked for");
    await guest.expectFrame(Opcode.pong, "in between");
    guest.frame(Opcode.continuation, EVENT.subarray(10));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("frames that arrive byte by byte", async (stage) => {
    const handled = texts(stage);
    const { client } = await stage.connectRaw();
    for (const byte of rawFrame(Opcode.text, EVENT)) client.write(Buffer.from([byte]));
    assert.equal(await handled.next(), "é€𝄞");
  });

  suite.raw("many frames that arrive at once", async (stage) => {
    const handled = texts(stage);
    const { client } = await stage.connectRaw();
    client.write(rawFrame(Opcode.text, EVENT), rawFrame(Opcode.ping), rawFrame(Opcode.text, EVENT));
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
    await guest.expectFrame(Opcode.text, '{"event":"b","data":3}');
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
