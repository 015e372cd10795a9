import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import type { ConnectPlan } from "../../../bench/receivers/messages.ts";
import { freePort } from "../../support/free-port.ts";
import { accepted, RawPeer, unmasked } from "./raw-peer.ts";
import { cut, messageText, serverFrame } from "./server-frames.ts";
import { clients, ToldReceivers, violations } from "./told.ts";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

function newReceivers(): ToldReceivers {
  const receivers = new ToldReceivers();
  cleanup.push(() => receivers.close());
  return receivers;
}

async function peerThatAnswers(answer: (accept: string) => string): Promise<RawPeer> {
  const peer = await RawPeer.listen(answer);
  cleanup.push(() => peer.close());
  return peer;
}

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";

describe("a server that refuses is quoted", () => {
  test.each<[what: string, answer: (accept: string) => string, reason: string, plan?: Partial<ConnectPlan>]>([
    [
      "with another status",
      () => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
      'The server answered "HTTP/1.1 403 Forbidden" to the upgrade.',
    ],
    ["for another key", () => accepted("bm90IHRoaXM="), "The server answered Sec-WebSocket-Accept: bm90IHRoaXM=, not "],
    [
      "with an extension that it was not offered",
      (accept) => accepted(accept, DEFLATE),
      "The server answered Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, which",
    ],
    [
      "with context takeover",
      (accept) => accepted(accept, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
      "The server answered Sec-WebSocket-Extensions: permessage-deflate, which",
      { compression: true },
    ],
    [
      "in the handshake of Socket.IO",
      (accept) => accepted(accept) + serverFrame(0x81, '44{"message":"not here"}').toString("latin1"),
      'The server answered "44{"message":"not here"}" to the handshake of Socket.IO.',
      { dialect: "engine.io" },
    ],
  ])("%s", async (_, answer, reason, plan) => {
    const peer = await peerThatAnswers(answer);
    await expect(newReceivers().connect(peer.port, clients(3), plan)).rejects.toThrow(reason);
  });

  test("by not being there", async () => {
    await expect(newReceivers().connect(await freePort(), clients(3))).rejects.toThrow("ECONNREFUSED");
  });

  test("by hanging up", async () => {
    const peer = await peerThatAnswers(() => "HTTP/1.1 101 Switching Protocols\r\n");
    void peer.asked().then(() => peer.socket(0).destroy());
    await expect(newReceivers().connect(peer.port, clients(1))).rejects.toThrow(
      "The server ended the connection before it was open.",
    );
  });
});

describe("a handshake", () => {
  test("may come in pieces, and with the first frames behind it", async () => {
    const peer = await peerThatAnswers(() => "");
    const receivers = newReceivers();
    const connected = receivers.connect(peer.port, clients(1));
    await peer.asked();
    const accept = await acceptToken();
    const message = serverFrame(0x81, messageText(0, 0));
    const answer = Buffer.concat([Buffer.from(accepted(accept)), message, message.subarray(0, 20)]);
    await peer.send(
      0,
      [...answer].map((byte) => Buffer.from([byte])),
    );
    await connected;
    // What came before the measurement does not count; the rest of a frame that had begun does.
    receivers.begin();
    await peer.send(0, [message.subarray(20)]);
    expect(await receivers.end({ 0: 1 }, 1)).toMatchObject({ deliveries: 1, violations: violations() });
  });

  test("asks for what it is to ask for", async () => {
    const peer = await peerThatAnswers((accept) => accepted(accept, DEFLATE));
    await newReceivers().connect(peer.port, clients(1), { compression: true });
    expect(peer.requests[0]).toMatch(/^GET \/\?client=0&rooms=r0 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    expect(peer.requests[0]).toContain(
      "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n",
    );
  });

  test("of Socket.IO opens a session, whose pings are answered", async () => {
    const peer = await peerThatAnswers(
      (accept) => accepted(accept) + serverFrame(0x81, `0{"sid":"${"s".repeat(200)}"}`).toString("latin1"),
    );
    const receivers = newReceivers();
    const connected = receivers.connect(peer.port, clients(1), { dialect: "engine.io" });
    await peer.asked();
    expect(peer.requests[0]).toMatch(/^GET \/socket\.io\/\?EIO=4&transport=websocket&client=0&rooms=r0 HTTP/);
    const socket = peer.socket(0);
    expect(unmasked(((await once(socket, "data")) as [Buffer])[0])).toBe("40");
    await peer.send(0, cut(serverFrame(0x81, `40{"sid":"${"s".repeat(100)}"}`), [1, 5, 60]));
    await connected;

    receivers.begin();
    const pong = once(socket, "data");
    const message = serverFrame(0x81, messageText(0, 0, { dialect: "engine.io" }));
    await peer.send(0, [serverFrame(0x81, "2"), message, serverFrame(0x81, "41")]);
    expect(unmasked(((await pong) as [Buffer])[0])).toBe("3");
    const tally = await receivers.end({ 0: 1 }, 1);
    expect(tally).toMatchObject({ deliveries: 1, violations: violations({ malformed: 1 }) });
  });
});

/** The token that the receivers accept, which is the same for all their requests. */
async function acceptToken(): Promise<string> {
  let token = "";
  const peer = await peerThatAnswers((accept) => {
    token = accept;
    return accepted(accept);
  });
  await newReceivers().connect(peer.port, clients(1));
  return token;
}
