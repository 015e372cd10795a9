import { once } from "node:events";
import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { now } from "../../../bench/stamp.ts";
import { RawPeer, unmasked } from "./raw-peer.ts";
import { cut, messageText, serverFrame } from "./server-frames.ts";
import { clients, ToldReceivers, violations } from "./told.ts";

const SIZE = 64;
const FRAME = SIZE + 2;

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

function newReceivers(): ToldReceivers {
  const receivers = new ToldReceivers();
  cleanup.push(() => receivers.close());
  return receivers;
}

async function rawPeer(): Promise<RawPeer> {
  const peer = await RawPeer.listen();
  cleanup.push(() => peer.close());
  return peer;
}

/** A server on `ws`. */
async function wsServer(options: object = {}): Promise<{ port: number; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", ...options });
  await once(server, "listening");
  cleanup.push(() => {
    for (const socket of server.clients) socket.terminate();
    return new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return { port: (server.address() as { port: number }).port, server };
}

function frames(stream: number, numbers: readonly number[], size = SIZE): readonly Buffer[] {
  return numbers.map((sequence) => serverFrame(0x81, messageText(stream, sequence, { size, time: now() })));
}

describe("for a server on ws", () => {
  test("all is counted: deliveries, bytes, latencies", async () => {
    const { port, server } = await wsServer();
    const receivers = newReceivers();
    expect(await receivers.connect(port, clients(20))).toBeGreaterThan(0);
    receivers.begin({ reportEvery: 300 });
    const began = now();
    for (let sequence = 0; sequence < 100; sequence++) {
      const message = messageText(0, sequence, { size: SIZE, time: now() });
      for (const socket of server.clients) socket.send(message);
    }
    const tally = await receivers.end({ 0: 100 }, 2_000);
    const ended = now();
    expect(tally).toMatchObject({ deliveries: 2_000, bytes: 2_000 * FRAME, violations: violations() });
    expect(tally.reads).toBeGreaterThanOrEqual(20);
    expect(began <= tally.first && tally.first <= tally.last && tally.last <= ended).toBe(true);
    expect(tally.latencies.reduce((sum, [, count]) => sum + count, 0)).toBe(2_000);
    expect(tally.latencies.at(-1)?.[0]).toBeLessThanOrEqual((ended - began) * 1.01);
    expect(tally.load).toBeGreaterThan(0);
    // What is left over is told too.
    const told = receivers.reports.map((report) => (report.told === "received" ? report.deliveries : 0));
    expect(told.length).toBeGreaterThan(1);
    expect(told.reduce((sum, deliveries) => sum + deliveries, 0)).toBe(2_000);
  });

  test("each measurement counts from 0, and nobody is told what nobody wants to know", async () => {
    const { port, server } = await wsServer();
    const receivers = newReceivers();
    await receivers.connect(port, clients(2));
    for (const count of [5, 3]) {
      receivers.begin();
      for (const socket of server.clients) {
        for (let sequence = 0; sequence < count; sequence++) socket.send(messageText(0, sequence));
      }
      const tally = await receivers.end({ 0: count }, 2 * count);
      expect(tally).toMatchObject({ deliveries: 2 * count, bytes: 2 * count * FRAME, violations: violations() });
    }
    expect(receivers.reports).toEqual([]);
  });

  test("who the clients are is said in their requests, also of those who come later", async () => {
    const { port, server } = await wsServer();
    const urls: (string | undefined)[] = [];
    server.on("connection", (_, request) => urls.push(request.url));
    const receivers = newReceivers();
    await receivers.connect(port, [{ id: 17, rooms: ["r0", "r5"], streams: [] }], { from: ["127.0.0.2"] });
    await receivers.connect(port, [{ id: 18, rooms: [], streams: [] }]);
    expect(urls).toEqual(["/?client=17&rooms=r0,r5", "/?client=18&rooms="]);
  });

  test("compressed messages are inflated, one by one, and counted as they came", async () => {
    const { port, server } = await wsServer({
      perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 },
    });
    const receivers = newReceivers();
    await receivers.connect(port, clients(3), { compression: true });
    receivers.begin();
    for (const socket of server.clients) {
      for (let sequence = 0; sequence < 50; sequence++) {
        socket.send(messageText(0, sequence, { size: 16_384 }), { compress: sequence % 5 !== 0 });
      }
    }
    const tally = await receivers.end({ 0: 50 }, 150);
    expect(tally).toMatchObject({ deliveries: 150, violations: violations() });
    expect(tally.bytes).toBeGreaterThan(30 * 16_384);
    expect(tally.bytes).toBeLessThan(60 * 16_384);
  });

  test("connections that end are counted, and what they miss", async () => {
    const { port, server } = await wsServer();
    const receivers = newReceivers();
    const sockets: WebSocket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    await receivers.connect(port, clients(3), { concurrency: 1 });
    receivers.begin();
    const closed = once(sockets[0] as WebSocket, "close");
    sockets[0]?.close(1001, "enough");
    sockets[1]?.terminate();
    for (const sequence of [0, 1]) sockets[2]?.send(messageText(0, sequence));
    const tally = await receivers.end({ 0: 2 }, 2);
    expect(tally.violations).toEqual(violations({ closed: 2, missing: 4 }));
    // The close frame was answered with the same code.
    expect((await closed)[0]).toBe(1001);
  });

  test("many clients come at once, from several addresses", async () => {
    const { port, server } = await wsServer();
    const receivers = newReceivers();
    const addresses = new Set<string | undefined>();
    server.on("connection", (_, request) => addresses.add(request.socket.remoteAddress));
    await receivers.connect(port, clients(1_000), { concurrency: 100, from: ["127.0.0.1", "127.0.0.2", "127.0.0.3"] });
    expect(server.clients.size).toBe(1_000);
    expect(addresses).toEqual(new Set(["127.0.0.1", "127.0.0.2", "127.0.0.3"]));
  });
});

describe("for pieces of any size", () => {
  test("a few frames are the same, cut at each offset", async () => {
    const peer = await rawPeer();
    const receivers = newReceivers();
    const ping = serverFrame(0x89, "still there?");
    const stream = Buffer.concat([
      ...frames(0, [0, 1]),
      ping,
      ...frames(0, [2], 200),
      serverFrame(0x8a),
      ...frames(0, [3, 4]),
    ]);
    await receivers.connect(peer.port, clients(stream.length), { concurrency: 50 });
    receivers.begin();
    const pongs = Array.from({ length: stream.length }, async (_, client) => {
      const [pong] = (await once(peer.socket(client), "data")) as [Buffer];
      return pong;
    });
    await Promise.all(Array.from({ length: stream.length }, (_, offset) => peer.send(offset, cut(stream, [offset]))));
    const tally = await receivers.end({ 0: 5 }, 5 * stream.length);
    expect(tally).toMatchObject({
      deliveries: 5 * stream.length,
      bytes: stream.length * stream.length,
      violations: violations(),
    });
    for (const pong of await Promise.all(pongs)) {
      expect([...pong.subarray(0, 2)]).toEqual([0x8a, 0x80 | 12]);
      expect(unmasked(pong)).toBe("still there?");
    }
  });

  test("messages of 16 KiB are the same, cut anywhere", async () => {
    const peer = await rawPeer();
    const receivers = newReceivers();
    const count = 8;
    const numbers = Array.from({ length: count }, (_, sequence) => sequence);
    const stream = Buffer.concat(
      frames(0, numbers, 16_384).flatMap((frame, index) => [frame, serverFrame(0x89, `ping ${index}`)]),
    );
    const offsets = fc.sample(fc.array(fc.nat(stream.length), { minLength: 1, maxLength: 30 }), {
      seed: 20_261_123,
      numRuns: 40,
    });
    await receivers.connect(peer.port, clients(offsets.length));
    receivers.begin();
    await Promise.all(offsets.map((list, client) => peer.send(client, cut(stream, list))));
    const tally = await receivers.end({ 0: count }, count * offsets.length);
    expect(tally).toMatchObject({
      deliveries: count * offsets.length,
      bytes: stream.length * offsets.length,
      violations: violations(),
    });
  });
});

describe("the receivers count", () => {
  test("messages that are lost, doubled, swapped, sent to others, or none of the benchmark's", async () => {
    const peer = await rawPeer();
    const receivers = newReceivers();
    await receivers.connect(peer.port, [
      ...clients(1, [0, 1]),
      { id: 1, rooms: ["r1"], streams: [2], passing: [0] },
      { id: 2, rooms: [], streams: [] },
    ]);
    receivers.begin();
    const wrong = [
      serverFrame(0x82, messageText(0, 8)),
      serverFrame(0xc1, messageText(0, 8)),
      serverFrame(0x81, '{"event":"hub:welcome","data":{"id":"V1StGXR8_Z5jdHi6B-myT"}}'),
      serverFrame(0x81, '{"event":"m","room":"r0","data":"what people say"}'),
      serverFrame(0x81, "2"),
    ];
    // 3 and 9 are lost, 5 comes late, 6 twice.
    await peer.send(0, [...frames(0, [0, 1, 2, 4, 6, 5, 6, 7, 8]), ...frames(1, [0]), ...wrong]);
    // It comes and goes: what it does not hear is not lost to it.
    await peer.send(1, [...frames(0, [3, 4, 8]), ...frames(2, [0, 1]), ...frames(1, [0, 1])]);
    await peer.send(2, frames(0, [0]));
    const tally = await receivers.end({ 0: 10, 1: 1, 2: 2 }, 15);
    expect(tally.violations).toEqual(
      violations({ missing: 2, duplicated: 1, reordered: 1, misrouted: 3, malformed: 5 }),
    );
    expect(tally.deliveries).toBe(8 + 1 + 3 + 2);
  });

  test("what comes twice at the very end", async () => {
    const peer = await rawPeer();
    const receivers = newReceivers();
    await receivers.connect(peer.port, clients(1));
    receivers.begin();
    const end = receivers.end({ 0: 2 }, 2);
    await peer.send(0, frames(0, [0, 1]));
    // Something comes in each turn for longer than a tick takes: that is not the end yet.
    for (const start = now(); now() - start < 60_000;) await peer.send(0, [serverFrame(0x89)]);
    await peer.send(0, frames(0, [1]));
    expect((await end).violations).toEqual(violations({ duplicated: 1 }));
  });
});

test("messages of another size are none of the benchmark's, whole or in pieces", async () => {
  const peer = await rawPeer();
  const receivers = newReceivers();
  await receivers.connect(peer.port, clients(2), { size: SIZE });
  receivers.begin();
  const all = Buffer.concat([
    ...frames(0, [0]),
    ...frames(0, [1], SIZE + 1),
    ...frames(0, [2], 200),
    ...frames(0, [3]),
  ]);
  await Promise.all([peer.send(0, [all]), peer.send(1, cut(all, [30, FRAME + 40, 2 * FRAME + 60]))]);
  const tally = await receivers.end({ 0: 4 }, 8);
  expect(tally).toMatchObject({ deliveries: 4, violations: violations({ malformed: 4, missing: 4 }) });
});

test("connections that end between two measurements count in the next, and only there", async () => {
  const { port, server } = await wsServer();
  const receivers = newReceivers();
  await receivers.connect(port, clients(2, []));
  const closed: number[] = [];
  for (let measurement = 0; measurement < 3; measurement++) {
    receivers.begin();
    closed.push((await receivers.end({}, 0)).violations.closed);
    const [socket] = server.clients;
    if (measurement === 0 && socket !== undefined) {
      socket.close();
      // Its client has answered the close frame by then.
      await once(socket, "close");
    }
  }
  expect(closed).toEqual([0, 1, 0]);
});

describe("a stalled client", () => {
  test("is not waited for, misses nothing, and hears it all when it reads again", async () => {
    const { port, server } = await wsServer();
    const receivers = newReceivers();
    const sockets: WebSocket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    const [stalled, other] = [
      { id: 0, rooms: [], streams: [0, 1] },
      { id: 1, rooms: [], streams: [1] },
    ];
    await receivers.connect(port, [stalled, other], { concurrency: 1 });
    receivers.begin();
    receivers.execute({ do: "stall", clients: [0], stalled: true });
    for (const sequence of [0, 1, 2]) {
      sockets[0]?.send(messageText(0, sequence));
      for (const socket of sockets) socket.send(messageText(1, sequence));
    }
    const without = await receivers.end({ 0: 3, 1: 3 }, 9);
    expect(without).toMatchObject({ deliveries: 3, violations: violations() });

    receivers.begin();
    receivers.execute({ do: "stall", clients: [0], stalled: false });
    for (const sequence of [0, 1, 2]) sockets[1]?.send(messageText(1, sequence));
    const again = await receivers.end({ 0: 3, 1: 3 }, 9);
    expect(again).toMatchObject({ deliveries: 9, violations: violations() });
  });

  test("has to be one that there is", async () => {
    const receivers = newReceivers();
    receivers.execute({ do: "stall", clients: [3], stalled: true });
    await expect(receivers.next("tally")).rejects.toThrow("There is no client 3.");
  });
});
