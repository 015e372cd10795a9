import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection } from "node:net";
import { jsonCodec } from "roomcast";
import { RawClient } from "roomcast/testing";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../../src/testing/raw-frame.ts";
import type { Random } from "../../support/random.ts";

/** How far a client gets. */
export type Stay = "no request" | "half a request" | "no answer" | "no hello" | "packets";

/** How a client goes. */
export type Leave = "close frame" | "half-close" | "reset" | "half a frame" | "kicked" | "terminated";

const ROOMS = Array.from({ length: 40 }, (_, index) => `room ${index}`);

/** One client: comes, does something, and goes in one way or another. Resolves when it is gone, for itself. */
export async function visit(random: Random, port: number): Promise<readonly [Stay, Leave]> {
  // From many addresses: one has fewer ports than there are visits while the system keeps them.
  const localAddress = `127.0.${random.between(0, 9)}.${random.between(1, 99)}`;
  const tcp = createConnection({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true, noDelay: true });
  await once(tcp, "connect");
  const client = new RawClient(tcp);
  const isLibrary = random.chance(0.5);
  const stay = random.weighted<Stay>([
    [1, "no request"],
    [1, "half a request"],
    [1, "no answer"],
    [isLibrary ? 1 : 0, "no hello"],
    [12, "packets"],
  ]);
  const leave = random.weighted<Leave>([
    [3, "close frame"],
    [2, "half-close"],
    [4, "reset"],
    [1, "half a frame"],
    [stay === "packets" ? 1 : 0, "kicked"],
    [stay === "packets" ? 1 : 0, "terminated"],
  ]);
  const request = requestOf(isLibrary);
  if (stay === "half a request") client.write(request.subarray(0, random.between(1, request.length - 1)));
  else if (stay !== "no request") client.write(request);
  if (stay === "no hello" || stay === "packets") await client.response();
  if (stay === "packets") {
    if (isLibrary) {
      client.write(text({ event: "hub:hello", data: { protocol: 1 } }));
      await client.frame();
    }
    client.write(...packets(random));
    // Some wait until all of it was dealt with, others are gone while it is.
    if (random.chance(0.5)) await answered(client);
  }
  await go(client, leave);
  return [stay, leave];
}

function requestOf(isLibrary: boolean): Buffer {
  return rawRequest(
    "/",
    isLibrary ? { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": jsonCodec.protocol } : UPGRADE_HEADERS,
  );
}

function packets(random: Random): readonly Buffer[] {
  const said = Array.from({ length: random.between(0, 8) }, (_, id) => {
    const room = random.pick(ROOMS);
    return random.weighted<object>([
      [4, { event: "hub:join", id, data: { room } }],
      [2, { event: "hub:leave", id, data: { room } }],
      [2, { event: "put", data: room }],
      [2, { event: "say", data: room }],
      [1, { event: "work", id }],
      [1, { event: "work", id, key: `key ${random.between(0, 1_000_000)}` }],
      [1, { event: "ask" }],
      [1, { event: "own", data: id }],
      [1, { event: "unheard of", id }],
    ]);
  });
  return [...said, { event: "echo", id: LAST }].map(text);
}

/** The request behind all others. */
const LAST = 1_000;

async function answered(client: RawClient): Promise<void> {
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    if (frame.payload.toString().startsWith(`{"reply":${LAST}`)) return;
  }
}

async function go(client: RawClient, leave: Leave): Promise<void> {
  if (leave === "close frame") client.write(rawFrame(Opcode.close, closePayload(1000)));
  else if (leave === "half a frame") client.write(rawFrame(Opcode.text, "x".repeat(100)).subarray(0, 50));
  else if (leave === "kicked" || leave === "terminated") client.write(text({ event: leave }));
  if (leave === "reset" || leave === "half a frame") {
    client.vanish();
    return;
  }
  // Who is kicked or terminated waits for it, and answers a close frame with the end; the others have said all.
  if (leave === "close frame" || leave === "half-close") client.end();
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    if (frame.opcode === Opcode.close) client.end();
  }
  client.vanish();
}

function text(packet: object): Buffer {
  return rawFrame(Opcode.text, JSON.stringify(packet));
}
