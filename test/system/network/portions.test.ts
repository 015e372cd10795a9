import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test, vi, type TestContext } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { sequence } from "../../../src/testing/suite/transport-fixture.ts";
import type { Connection, TransportHandlers } from "../../../src/transports/transport.ts";
import { ws } from "../../../src/transports/ws/index.ts";
import { SlowReader } from "../../support/slow-reader.ts";
import { addressOn, WIRES, type Wire } from "../../support/wires.ts";

vi.setConfig({ maxConcurrency: 200, testTimeout: 90_000 });

const KIB = 1024;
const MIB = 1024 * KIB;

/** A connection of the transport `ws` on a wire, and its client. */
interface Scene {
  readonly reader: SlowReader;
  readonly connection: Connection;
  /** The codes with which the hub was told of the end, and `gone`. */
  readonly told: Inbox<number | "gone">;
}

async function open(wire: Wire, rate: number, { onTestFinished }: TestContext): Promise<Scene> {
  const transport = ws();
  const told = new Inbox<number | "gone">();
  const opened = new Inbox<Connection>();
  const handlers: TransportHandlers = {
    upgrade: () => ({ accept: true, protocol: "", context: undefined }),
    open: (connection) => opened.push(connection),
    message: () => {},
    ping: () => {},
    pong: () => {},
    drain: () => {},
    overflow: () => {},
    ending: () => {},
    close: (_, code) => told.push(code),
    gone: () => told.push("gone"),
    error: (error) => {
      throw error;
    },
  };
  transport.start(handlers, {
    path: undefined,
    maxMessageBytes: MIB,
    maxBufferedBytes: 8 * MIB,
    compression: false,
    handshakeTimeout: 10_000,
    maxConnections: undefined,
  });
  const where = addressOn(wire);
  const { port } = await transport.listen(where);
  const reader = await SlowReader.connect(where, port, { rate });
  onTestFinished(() => {
    reader.vanish();
    return transport.destroy();
  });
  return { reader, told, connection: (await opened.next()) as Connection };
}

/** Small messages around a large one, 800 KiB in all. */
const MESSAGES = [
  ...Array.from({ length: 20 }, () => randomBytes(10 * KIB)),
  randomBytes(400 * KIB),
  ...Array.from({ length: 20 }, () => randomBytes(10 * KIB)),
];

function writeAll(connection: Connection): number {
  let bytes = 0;
  for (const message of MESSAGES) {
    const frames = sequence(message);
    connection.write(frames);
    bytes += frames.byteLength;
  }
  return bytes;
}

/** The number of messages that are right, and how the connection ended. */
async function outcome({ reader, told }: Scene): Promise<object> {
  const end = await reader.ended;
  const right = reader.messages.filter((message, index) => MESSAGES[index]?.equals(message) === true);
  return { right: right.length, faults: reader.faults, ...end, told: [await told.next(), await told.next()] };
}

const ALL = { right: MESSAGES.length, faults: [], code: 4003, error: undefined, told: [4003, "gone"] };

describe.concurrent.each(WIRES)("on ws over %s", (wire) => {
  test.for([
    ["pings", (reader: SlowReader) => reader.send(Opcode.ping, "still there?")],
    ["sends messages", (reader: SlowReader) => reader.send(Opcode.text, "more")],
  ] as const)("a slow reader that %s all the time is closed without a reset", async ([what, act], context) => {
    const { expect } = context;
    const scene = await open(wire, 80 * KIB, context);
    const { connection, reader } = scene;
    const timer = setInterval(() => act(reader), 500);
    const bytes = writeAll(connection);
    await sleep(200);
    connection.close(4003, "", bytes);
    const result = await outcome(scene);
    clearInterval(timer);
    expect(result).toEqual(ALL);
    const pongs = reader.controls.slice(0, -1);
    expect(new Set(pongs)).toEqual(new Set(what === "pings" && pongs.length > 0 ? [Opcode.pong] : []));
    expect(reader.controls.at(-1)).toBe(Opcode.close);
  });

  test.for([500, 1_500, 3_000, 10_000])(
    "a reader that stands still for %i ms after a close gets everything",
    async (pause, context) => {
      const { expect } = context;
      const scene = await open(wire, 0, context);
      const bytes = writeAll(scene.connection);
      scene.connection.close(4003, "", bytes);
      await sleep(pause);
      scene.reader.rate = 4 * MIB;
      expect(await outcome(scene)).toEqual(ALL);
    },
  );

  test("a client that closes in the middle of a frame gets the answer at its end", async (context) => {
    const { expect } = context;
    const scene = await open(wire, 8 * MIB, context);
    const { connection, reader } = scene;
    const large = randomBytes(6 * MIB);
    reader.isAnswering = false;
    connection.write(sequence(large));
    connection.write(sequence("never"));
    reader.close(4001);
    expect(await reader.ended).toEqual({ code: 4001, error: undefined });
    expect(reader.messages).toHaveLength(1);
    expect(reader.messages[0]?.equals(large)).toBe(true);
    expect([await scene.told.next(), await scene.told.next()]).toEqual([4001, "gone"]);
  });

  test("a client that vanishes in the middle of a frame leaves nothing", async (context) => {
    const { expect } = context;
    const { connection, reader, told } = await open(wire, 100 * KIB, context);
    connection.write(sequence(randomBytes(6 * MIB)));
    await sleep(200);
    reader.vanish();
    expect([await told.next(), await told.next()]).toEqual([1006, "gone"]);
    expect(connection.bufferedAmount).toBe(0);
  });
});
