import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Hub, type HubOptions, type Socket, type TransportName } from "roomcast";
import { describe, test, vi, type TestContext } from "vitest";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { SlowReader } from "../../support/slow-reader.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { addressOn, WIRES, type Wire } from "../../support/wires.ts";

vi.setConfig({ maxConcurrency: 200, testTimeout: 120_000 });

const KIB = 1024;

/** Wires that hold so little that what is sent has to wait in the process. */
const SMALL_WIRES: readonly Wire[] = ["a Unix socket", "TLS over a Unix socket"];

/** The most that is counted although it has been taken: a portion under way. */
const PORTION = 256 * KIB;

/** The most that is not counted although it has not been read: the buffers of the kernel and of the reader. */
const UNSEEN = 768 * KIB;

interface Fixture {
  readonly hub: Hub;
  readonly socket: Socket;
  readonly reader: SlowReader;
  readonly code: Promise<number>;
}

/** Starts a hub with one client that reads `rate` KiB a second. */
async function connect(
  transport: TransportName,
  wire: Wire,
  rate: number,
  { onTestFinished }: TestContext,
  options: HubOptions = {},
): Promise<Fixture> {
  const hub = new Hub({ transport, welcome: false, ...options });
  const where = addressOn(wire);
  const { port } = await hub.listen(where);
  const connected = new Promise<Socket>((resolve) => void hub.once("connection", resolve));
  const code = new Promise<number>((resolve) => {
    hub.once("disconnection", (_socket, close) => resolve(close.code));
  });
  const reader = await SlowReader.connect(where, port, { rate: rate * KIB });
  onTestFinished(() => {
    reader.vanish();
    return hub.close({ within: 0 });
  });
  return { hub, reader, code, socket: await connected };
}

function chunks(count: number, size: number): readonly Buffer[] {
  return Array.from({ length: count }, () => randomBytes(size));
}

function areEqual(received: readonly Buffer[], sent: readonly Buffer[]): boolean {
  return received.length === sent.length && received.every((message, index) => message.equals(sent[index] as Buffer));
}

describe.concurrent.each(TRANSPORTS)("progress of a slow reader on %s", (transport) => {
  test.for(WIRES)("keeps its connection with a short heartbeat, over %s", async (wire, context) => {
    const { expect } = context;
    const heartbeat = { interval: 2_000, timeout: 2_000 };
    const { socket, reader } = await connect(transport, wire, 400, context, { heartbeat });
    const sent = [...chunks(90, 10 * KIB), randomBytes(1_700 * KIB), ...chunks(90, 10 * KIB)];
    for (const message of sent) socket.send(message);
    await reader.has(sent.length);
    expect(socket.isOpen).toBe(true);
    expect(areEqual(reader.messages, sent)).toBe(true);
  });

  test.for(WIRES)("ends the connection when it ends itself, over %s", async (wire, context) => {
    const { expect } = context;
    const heartbeat = { interval: 1_000, timeout: 500 };
    const { hub, socket, reader, code } = await connect(transport, wire, 400, context, { heartbeat });
    for (const message of chunks(350, 10 * KIB)) socket.send(message);
    await reader.has(50);
    reader.rate = 0;
    // Twelve timeouts after the question at the latest.
    expect(await code).toBe(4201);
    expect(hub.stats().heartbeatLosses).toBe(1);
  });

  test.for(SMALL_WIRES)("shows in bufferedAmount and pendingBytes, over %s", async (wire, context) => {
    const { expect } = context;
    const { hub, socket, reader } = await connect(transport, wire, 400, context);
    const sent = [...chunks(90, 10 * KIB), randomBytes(1_700 * KIB), ...chunks(90, 10 * KIB)];
    const total = sent.reduce((sum, { length }) => sum + length, 0);
    for (const message of sent) socket.send(message);
    const faults: unknown[] = [];
    while (reader.messages.length < sent.length && socket.isOpen) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await delay(500);
      const left = total - reader.bytesRead;
      const { pendingBytes } = hub.stats();
      const { bufferedAmount } = socket;
      if (pendingBytes > left + PORTION || pendingBytes < left - UNSEEN || bufferedAmount > pendingBytes) {
        faults.push({ left, pendingBytes, bufferedAmount });
      }
    }
    expect(faults).toEqual([]);
    expect(areEqual(reader.messages, sent)).toBe(true);
    await expect.poll(() => hub.stats().pendingBytes).toBe(0);
  });

  test.for(SMALL_WIRES)("makes room for a sender that is slower than the reader, over %s", async (wire, context) => {
    const { expect } = context;
    const { hub, socket, reader } = await connect(transport, wire, 400, context);
    const sent: Buffer[] = [];
    const send = (message: Buffer): void => {
      sent.push(message);
      socket.send(message);
    };
    for (const message of chunks(360, 10 * KIB)) send(message);
    for (const message of chunks(80, 10 * KIB)) {
      // oxlint-disable-next-line no-await-in-loop -- 100 KiB a second
      await delay(100);
      // What would be dropped is counted.
      hub.toSocket(socket.id).overload("drop").send(message);
      sent.push(message);
    }
    await reader.has(sent.length);
    expect(hub.stats()).toMatchObject({ slowConsumers: 0, drops: { overload: 0 } });
    expect(areEqual(reader.messages, sent)).toBe(true);
  });

  test.for(SMALL_WIRES)("decides what is skipped and what is replaced, over %s", async (wire, context) => {
    const { expect } = context;
    const { hub, socket, reader } = await connect(transport, wire, 400, context);
    const target = hub.toSocket(socket.id);
    for (const message of chunks(100, 10 * KIB)) socket.send(message);
    await delay(100);
    target.volatile.send("skipped");
    target.latest("value").send("old");
    target.latest("value").send("new");
    expect(hub.stats().drops).toMatchObject({ volatile: 1, superseded: 1 });
    await reader.has(101);
    await expect.poll(() => hub.stats().pendingBytes).toBe(0);
    target.volatile.send("not skipped");
    target.latest("value").send("newest");
    await reader.has(103);
    expect(reader.messages.slice(100).map(String)).toEqual(["new", "not skipped", "newest"]);
    expect(hub.stats().drops).toMatchObject({ volatile: 1, superseded: 1 });
  });

  test.for(WIRES)("goes on after a pause, whatever was sent meanwhile, over %s", async (wire, context) => {
    const { expect } = context;
    const { socket, reader } = await connect(transport, wire, 0, context);
    const sent = chunks(2, 1_000_000);
    for (const message of sent) {
      socket.send(message);
      // oxlint-disable-next-line no-await-in-loop -- one message after the other
      await delay(300);
    }
    reader.rate = 100_000 * KIB;
    await reader.has(2);
    expect(areEqual(reader.messages, sent)).toBe(true);
    await expect.poll(() => socket.bufferedAmount).toBe(0);
  });

  test.for(WIRES)("of one member disturbs no message to its room, over %s", async (wire, context) => {
    const { expect, onTestFinished } = context;
    const hub = new Hub({ transport, welcome: false });
    const where = addressOn(wire);
    const { port } = await hub.listen(where);
    hub.on("connection", (socket) => socket.join("room"));
    const slow = await SlowReader.connect(where, port, { rate: 400 * KIB });
    const [first] = hub.sockets.values();
    const others = await Promise.all(
      Array.from({ length: 9 }, () => SlowReader.connect(where, port, { rate: 100_000 * KIB })),
    );
    const readers = [slow, ...others];
    onTestFinished(() => {
      for (const reader of readers) reader.vanish();
      return hub.close({ within: 0 });
    });
    await expect.poll(() => hub.rooms.get("room")?.size).toBe(10);
    const large = randomBytes(1_500 * KIB);
    const expected: Buffer[] = [];
    const alone: Buffer[] = [];
    for (let round = 0; round < 40; round++) {
      if (round === 10) {
        first?.send(large);
        alone.push(large);
      }
      const message = randomBytes(1_000);
      hub.to("room").send(message);
      expected.push(message);
      alone.push(message);
      // oxlint-disable-next-line no-await-in-loop -- each message in a turn of its own
      await delay(20);
    }
    await Promise.all([slow.has(41), ...others.map((reader) => reader.has(40))]);
    expect(readers.flatMap(({ faults }) => faults)).toEqual([]);
    expect(areEqual(slow.messages, alone)).toBe(true);
    expect(others.map(({ messages }) => areEqual(messages, expected))).toEqual(others.map(() => true));
  });
});

describe.concurrent.each(TRANSPORTS)("the end of a slow reader on %s", (transport) => {
  /** A client that sends something all the time is reset if its connection ends before it has read everything. */
  const CHATTER: Readonly<Record<string, (reader: SlowReader) => void>> = {
    pings: (reader) => reader.send(Opcode.ping, "ping"),
    messages: (reader) => reader.send(Opcode.text, '{"event":"chat"}'),
  };

  const CHATTERING = WIRES.flatMap((wire) => Object.keys(CHATTER).map((kind) => [wire, kind] as const));
  test.for(CHATTERING)("over %s comes when it has read, although it sends %s", async ([wire, kind], context) => {
    const { expect, onTestFinished } = context;
    const { hub, socket, reader, code } = await connect(transport, wire, 80, context);
    hub.handle("chat", () => {});
    const timer = setInterval(() => CHATTER[kind]?.(reader), 500);
    onTestFinished(() => clearInterval(timer));
    const sent = chunks(100, 10 * KIB);
    for (const message of sent) socket.send(message);
    await delay(1_500);
    socket.close(4003);
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
    expect([await code, reader.faults]).toEqual([4003, []]);
    expect(areEqual(reader.messages, sent)).toBe(true);
  });

  const STALLS = WIRES.flatMap((wire) => [0.5, 1.5, 3, 10].map((seconds) => [wire, seconds] as const));
  test.for(STALLS)("over %s may stand still for %d seconds", async ([wire, seconds], context) => {
    const { expect } = context;
    const { socket, reader, code } = await connect(transport, wire, 0, context);
    const sent = chunks(150, 10 * KIB);
    for (const message of sent) socket.send(message);
    socket.close(4003);
    await delay(seconds * 1_000);
    reader.rate = 100_000 * KIB;
    expect(await reader.ended).toEqual({ code: 4003, error: undefined });
    expect([await code, reader.faults]).toEqual([4003, []]);
    expect(areEqual(reader.messages, sent)).toBe(true);
  });

  test.for(SMALL_WIRES)("over %s is waited for by a drain until its time is over", async (wire, context) => {
    const { expect } = context;
    const { hub, socket, reader, code } = await connect(transport, wire, 80, context);
    for (const message of chunks(300, 10 * KIB)) socket.send(message);
    const begun = performance.now();
    await hub.drain({ within: 3_000 });
    const took = performance.now() - begun;
    expect(took).toBeGreaterThanOrEqual(2_990);
    expect(await code).toBe(4200);
    await reader.ended;
    expect(reader.messages.length).toBeLessThan(300);
  });

  test.for(SMALL_WIRES)("over %s is not waited for by a close that has no time", async (wire, context) => {
    const { expect } = context;
    const { hub, socket, reader, code } = await connect(transport, wire, 80, context);
    for (const message of chunks(300, 10 * KIB)) socket.send(message);
    const drained = hub.drain({ within: 60_000 });
    await delay(500);
    await hub.close({ within: 0 });
    await drained;
    expect(await code).toBe(4200);
    reader.rate = 100_000 * KIB;
    await reader.ended;
    expect(reader.messages.length).toBeLessThan(300);
  });
});
