import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Target } from "../../hub/target.ts";
import { rawRequest, UPGRADE_HEADERS, type RawClient } from "../raw-client.ts";
import type { RawFrame } from "../raw-frame.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

const COMPRESSED = { compression: true };

/** The reserved bit that marks a message as compressed (RFC 7692 section 6). */
const RSV1 = 4;

/** Connects a raw client that agrees on permessage-deflate. */
async function dialCompressing(fixture: HubFixture): Promise<RawClient> {
  const raw = await fixture.dialRaw();
  raw.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": "permessage-deflate" }));
  assert.equal((await raw.response())?.status, 101);
  return raw;
}

/**
 * The extension permessage-deflate. Where a transport and a client do not agree on it, the tests must pass without it.
 */
export function compressionCases(suite: Suite): void {
  for (const compression of [true, false]) {
    suite.raw(
      `permessage-deflate is ${compression ? "agreed on when it is enabled" : "refused when it is not"}`,
      { compression },
      async (fixture) => {
        const raw = await fixture.dialRaw();
        raw.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": "permessage-deflate" }));
        const extensions = (await raw.response())?.headers.get("sec-websocket-extensions") ?? "";
        assert.equal(extensions.startsWith("permessage-deflate"), compression);
      },
    );
  }

  suite.raw("messages to a client that agreed on permessage-deflate are compressed", COMPRESSED, async (fixture) => {
    const raw = await dialCompressing(fixture);
    fixture.hub.send("x".repeat(10_000));
    assert.ok(((await raw.frame())?.payload.length ?? Infinity) < 1_000);
  });

  suite.raw("messages that are sent uncompressed are, and no others", COMPRESSED, async (fixture) => {
    const raw = await dialCompressing(fixture);
    const [socket] = fixture.connected;
    assert.ok(socket !== undefined);
    socket.join("x", "y");
    const { hub } = fixture;
    const text = "the same text ".repeat(1_000);
    const uncompressed: readonly Target[] = [
      hub.uncompressed,
      socket.uncompressed,
      hub.to("x").uncompressed,
      hub.uncompressed.to("x", "y").except("z"),
      hub.uncompressed.volatile.latest("key").toSocket(socket.id),
    ];
    hub.send(text);
    for (const target of uncompressed) {
      target.send(text);
      hub.to("x").send(text);
      target.emit("event", text);
    }
    const asked = hub.uncompressed.request("question", text);
    socket.emit("event", text);
    const frames: RawFrame[] = [];
    const next = async (left: number): Promise<void> => {
      const frame = await raw.frame();
      assert.ok(frame !== undefined);
      frames.push(frame);
      if (left > 1) await next(left - 1);
    };
    await next(3 * uncompressed.length + 3);
    assert.deepEqual(
      frames.map(({ reserved }) => reserved),
      [RSV1, ...uncompressed.flatMap(() => [0, RSV1, 0]), 0, RSV1],
    );
    for (const { payload, reserved } of frames) {
      if (reserved === RSV1) assert.ok(payload.length < 1_000);
      else assert.ok(payload.includes(text));
    }
    socket.terminate();
    await asked;
  });

  suite.test("small and large compressed messages arrive in order, before the close", COMPRESSED, async (fixture) => {
    const peer = await fixture.connect(COMPRESSED);
    const sent = Array.from({ length: 60 }, (_, n) => {
      if (n % 10 === 0) return `${n}:${randomBytes(60_000).toString("base64")}`;
      return n % 3 === 0 ? [n, ...Array.from({ length: 500 }, () => 1)] : `${n}`;
    });
    for (const message of sent) fixture.hub.send(typeof message === "string" ? message : new Uint8Array(message));
    peer.socket.close(4000, "done");
    assert.deepEqual(await peer.rest(), sent);
    assert.deepEqual(await peer.client.closed, { code: 4000, reason: "done" });
  });

  suite.test("clients with and without permessage-deflate share a room", COMPRESSED, async (fixture) => {
    const [with_, without] = await Promise.all([fixture.connect(COMPRESSED), fixture.connect()]);
    with_.socket.join("room");
    without.socket.join("room");
    const text = "the same text ".repeat(5_000);
    fixture.hub.to("room").send(text);
    fixture.hub.to("room").uncompressed.send(text);
    fixture.hub.to("room").emit("next", { n: 1 });
    const expected = [text, text, fixture.wire.heard({ event: "next", room: "room", data: { n: 1 } })];
    assert.deepEqual(await with_.heard(), expected);
    assert.deepEqual(await without.heard(), expected);
  });

  suite.test("messages that the client compresses are understood", COMPRESSED, async (fixture) => {
    const peer = await fixture.connect(COMPRESSED);
    fixture.hub.handle("length", (text: string) => text.length);
    assert.deepEqual(await peer.ask("length", "x".repeat(200_000)), { reply: 1, data: 200_000 });
  });

  suite.test(
    "maxMessageBytes limits the message, not its compressed size",
    { ...COMPRESSED, maxMessageBytes: 1000 },
    async (fixture) => {
      const peer = await fixture.connect(COMPRESSED);
      peer.client.send("x".repeat(1001));
      assert.equal((await fixture.departures.next())?.code, 1009);
    },
  );

  suite.test(
    "a client that does not read is closed with 4101",
    { ...COMPRESSED, maxBufferedBytes: 262_144 },
    async (fixture) => {
      const [slow, brisk] = await Promise.all([fixture.connect(COMPRESSED), fixture.connect(COMPRESSED)]);
      const noise = randomBytes(49_152).toString("base64");
      slow.client.pause();
      const exchange = async (): Promise<void> => {
        if (!slow.socket.isOpen) return;
        fixture.hub.send(noise);
        assert.equal(await brisk.client.next(), noise);
        await exchange();
      };
      await exchange();
      const departure = await fixture.departures.next();
      assert.equal(departure?.socket, slow.socket);
      assert.equal(departure.code, 4101);
      assert.equal(brisk.socket.isOpen, true);
    },
  );
}
