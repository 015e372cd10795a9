import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { envelope } from "../../../bench/envelope.ts";
import { PEERS } from "../../../bench/peers/index.ts";
import type { Dialect, PeerName } from "../../../bench/peers/peer.ts";
import type { Sending } from "../../../bench/receivers/messages.ts";
import { sequenceAt, STAMP_LENGTH, streamAt, timeAt } from "../../../bench/stamp.ts";
import { clients, ToldReceivers, violations } from "../../unit/bench/told.ts";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

async function start(name: PeerName): Promise<{ receivers: ToldReceivers; port: number; dialect: Dialect }> {
  const peer = PEERS[name];
  const server = await peer.start({ compression: false, posted: () => {} });
  const receivers = new ToldReceivers();
  cleanup.push(() => {
    receivers.close();
    return server.close();
  });
  return { receivers, port: server.port, dialect: peer.dialect };
}

/** A server on `ws` that reads and never answers. */
async function silentServer(): Promise<{ receivers: ToldReceivers; port: number; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const receivers = new ToldReceivers();
  cleanup.push(() => {
    receivers.close();
    return new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return { receivers, port: (server.address() as { port: number }).port, server };
}

function sending(count: number, members: number, rest: Partial<Sending> = {}): Sending {
  return {
    senders: Array.from({ length: count }, (_, client) => ({ client, stream: client, members })),
    size: 64,
    seconds: 0.2,
    pace: { kind: "saturating", inFlight: 200 },
    ...rest,
  };
}

describe.each<PeerName>(["ws loop", "hub on ws", "socket.io ws"])("through %s", (name) => {
  test.each([64, 1_024, 16_384])("messages of %i bytes reach all the others, as fast as it goes", async (size) => {
    const { receivers, port, dialect } = await start(name);
    // They are told to hear themselves as well: what a client sends it must not hear, whatever it was told.
    await receivers.connect(port, clients(10, [0, 1, 2]), { dialect });
    receivers.begin({ senders: sending(3, 9, { size }) });
    const { sent, deliveries } = await receivers.next("sent");
    const tally = await receivers.end(sent, deliveries);
    const messages = Object.values(sent).reduce((sum, count) => sum + count, 0);
    expect(messages).toBeGreaterThan(3);
    expect(deliveries).toBe(9 * messages);
    expect(tally).toMatchObject({ deliveries, violations: violations() });
    expect(tally.bytes).toBe(deliveries * (size + (size < 126 ? 2 : 4)));
  });

  test("messages at a fixed rate are as many as were asked for", async () => {
    const { receivers, port, dialect } = await start(name);
    await receivers.connect(port, clients(10, [0, 1, 2]), { dialect });
    receivers.begin({ senders: sending(3, 9, { pace: { kind: "open-loop", rate: 500 } }) });
    const { sent, deliveries } = await receivers.next("sent");
    expect({ sent, deliveries }).toEqual({ sent: { 0: 34, 1: 33, 2: 33 }, deliveries: 900 });
    const tally = await receivers.end(sent, deliveries);
    expect(tally).toMatchObject({ deliveries: 900, violations: violations() });
    expect(tally.latencies.reduce((sum, [, count]) => sum + count, 0)).toBe(900);
  });
});

describe("senders", () => {
  test("have no more in flight than they may, and end when their time is over even if nothing arrives", async () => {
    const { receivers, port, server } = await silentServer();
    await receivers.connect(port, clients(2));
    receivers.begin({ senders: sending(2, 10, { seconds: 0.1, pace: { kind: "saturating", inFlight: 95 } }) });
    const { sent, deliveries } = await receivers.next("sent");
    expect({ sent, deliveries }).toEqual({ sent: { 0: 5, 1: 5 }, deliveries: 100 });
    expect(server.clients.size).toBe(2);
  });

  test("stamp their messages with the times at which they were meant to leave", async () => {
    const { receivers, port, server } = await silentServer();
    const times: number[] = [];
    const last = new Promise<void>((resolve) => {
      server.on("connection", (socket) => {
        socket.on("message", (data: Buffer) => {
          times.push(timeAt(data, data.length - 2 - STAMP_LENGTH));
          if (times.length === 40) resolve();
        });
      });
    });
    await receivers.connect(port, clients(4));
    receivers.begin({ senders: sending(4, 3, { pace: { kind: "open-loop", rate: 200 } }) });
    await last;
    const sorted = times.toSorted((a, b) => a - b);
    expect(sorted.map((time) => time - (sorted[0] as number))).toEqual(sorted.map((_, index) => index * 5_000));
  });

  test("send what the others can be sent in the size that was asked for", async () => {
    const { receivers, port, server } = await silentServer();
    const message = new Promise<string>((resolve) => {
      server.on("connection", (socket) => {
        socket.once("message", (data: Buffer) => resolve(data.toString()));
      });
    });
    await receivers.connect(port, [{ id: 0, rooms: ["lobby", "r1"], streams: [] }]);
    receivers.begin({ senders: sending(1, 1, { size: 100 }) });
    const said = JSON.parse(await message) as { event: string; data: string };
    expect(said.event).toBe("say");
    expect(envelope("websocket", "lobby", said.data)).toHaveLength(100);
    expect(envelope("websocket", "lobby", said.data)).toBe(
      JSON.stringify({ event: "m", room: "lobby", data: said.data }),
    );
  });

  test("cannot send less than a stamp", async () => {
    const { receivers, port } = await silentServer();
    await receivers.connect(port, clients(1));
    receivers.begin({ senders: sending(1, 1, { size: 40 }) });
    await expect(receivers.next("sent")).rejects.toThrow("has at least 49 bytes, 40 were asked for");
  });

  test("change nothing that the socket still has to write", async () => {
    const { receivers, port, server } = await silentServer();
    const sockets: WebSocket[] = [];
    server.on("connection", (socket) => {
      socket.pause();
      sockets.push(socket);
    });
    await receivers.connect(port, clients(1));
    const pace = { kind: "saturating", inFlight: 2_000 } as const;
    receivers.begin({ senders: sending(1, 1, { size: 16_384, seconds: 0.3, pace }) });
    const { sent } = await receivers.next("sent");
    // 32 MB: more than the system takes.
    expect(sent).toEqual({ 0: 2_000 });
    const stamps: [stream: number, sequence: number][] = [];
    const [socket] = sockets as [WebSocket];
    const all = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        const offset = data.length - 2 - STAMP_LENGTH;
        stamps.push([streamAt(data, offset), sequenceAt(data, offset)]);
        if (stamps.length === 2_000) resolve();
      });
    });
    socket.resume();
    await all;
    expect(stamps).toEqual(stamps.map((_, index) => [0, index]));
  });
});
