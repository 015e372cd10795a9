import { randomBytes } from "node:crypto";
import { Hub, type Socket, type TransportName } from "roomcast";
import { describe, test, vi, type TestContext } from "vitest";
import { SlowReader } from "../../support/slow-reader.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { addressOn, WIRES, type Wire } from "../../support/wires.ts";

vi.setConfig({ maxConcurrency: 200, testTimeout: 300_000 });

const KIB = 1024;

/** The size of the small messages. */
const SMALL = 10 * KIB;

/** `SLOW_READERS=full` gives the slowest readers as much that they need minutes. */
const isFull = process.env["SLOW_READERS"] === "full";

/** For each rate, in KiB/s, the number of KiB that are sent. */
const RATES: ReadonlyMap<number, number> = new Map([
  [20, isFull ? 3_000 : 300],
  [80, isFull ? 3_500 : 1_600],
  [400, 3_500],
  [1_024, 3_500],
]);

/** How a connection ends, and the code that both ends see. */
interface Way {
  readonly code: number;
  /** Ends the connection. Resolves when the hub says that this is done. */
  end(hub: Hub, socket: Socket, reader: SlowReader, messages: number): Promise<unknown> | void;
  /** The number of messages that the way itself sends. */
  readonly more?: number;
  /** Whether what was sent is lost. */
  readonly loses?: boolean;
}

const WAYS: Readonly<Record<string, Way>> = {
  "the client closes when it has read all": {
    code: 1000,
    end: async (_hub, _socket, reader, messages) => {
      await reader.has(messages);
      reader.close(1000);
    },
  },
  "the socket is closed at once": { code: 4003, end: (_hub, socket) => socket.close(4003) },
  "a target closes it at once": { code: 4003, end: (hub, socket) => hub.toSocket(socket.id).close(4003) },
  "the hub is drained at once": { code: 4200, end: (hub) => hub.drain({ within: 280_000 }), more: 1 },
  "the hub is closed at once": { code: 1001, end: (hub) => hub.close() },
  "the socket is terminated": { code: 1006, end: (_hub, socket) => socket.terminate(), loses: true },
};

const CASES: readonly (readonly [Wire, number, string])[] = WIRES.flatMap((wire) =>
  [...RATES.keys()].flatMap((rate) => Object.keys(WAYS).map((way) => [wire, rate, way] as const)),
);

/** Small messages around one of half of the bytes. */
function mixed(bytes: number): readonly Buffer[] {
  const small = Array.from({ length: Math.round(bytes / 4 / SMALL) }, () => randomBytes(SMALL));
  return [...small, randomBytes(bytes / 2), ...small.map(() => randomBytes(SMALL))];
}

const MIXED = new Map([...RATES].map(([rate, size]) => [rate, mixed(size * KIB)]));

/** Other shapes of what is sent. */
const SHAPES: Readonly<Record<string, (bytes: number) => readonly Buffer[]>> = {
  "one message": (bytes) => [randomBytes(bytes)],
  "small messages": (bytes) => Array.from({ length: bytes / SMALL }, () => randomBytes(SMALL)),
  "compressed messages": mixed,
};

const DEFLATE = { "Sec-WebSocket-Extensions": "permessage-deflate" };

/** Starts a hub with one client, all defaults but the welcome. */
async function connect(
  transport: TransportName,
  wire: Wire,
  rate: number,
  { onTestFinished }: TestContext,
  compression = false,
): Promise<{ hub: Hub; socket: Socket; reader: SlowReader; code: Promise<number> }> {
  const hub = new Hub({ transport, welcome: false, compression });
  const where = addressOn(wire);
  const { port } = await hub.listen(where);
  const connected = new Promise<Socket>((resolve) => void hub.once("connection", resolve));
  const code = new Promise<number>((resolve) => {
    hub.once("disconnection", (_socket, close) => resolve(close.code));
  });
  const reader = await SlowReader.connect(where, port, { rate: rate * KIB, headers: compression ? DEFLATE : {} });
  onTestFinished(() => {
    reader.vanish();
    return hub.close();
  });
  return { hub, reader, code, socket: await connected };
}

/** What the end of a connection should be like for the reader and for the hub. */
function ended(count: number, code: number): object {
  return { count, wrong: -1, faults: [], code, error: undefined, told: code };
}

/** What the end was like, in a form in which a difference names the first message that is wrong. */
async function endOf(reader: SlowReader, told: Promise<number>, sent: readonly Buffer[]): Promise<object> {
  const { messages, faults } = reader;
  const end = await reader.ended;
  const wrong = messages.slice(0, sent.length).findIndex((message, index) => !message.equals(sent[index] as Buffer));
  return { count: messages.length, wrong, faults, ...end, told: await told };
}

describe.concurrent.each(TRANSPORTS)(
  "a slow reader on %s gets everything, in order, and the right code",
  (transport) => {
    test.for(CASES)("over %s, %i KiB/s: %s", async ([wire, rate, name], context) => {
      const { expect } = context;
      const { hub, socket, reader, code } = await connect(transport, wire, rate, context);
      const sent = MIXED.get(rate) as readonly Buffer[];
      const way = WAYS[name] as Way;
      for (const message of sent) socket.send(message);
      const count = sent.length + (way.more ?? 0);
      const done = way.end(hub, socket, reader, count);
      if (way.loses === true) {
        const end = await reader.ended;
        expect([await code, end.code]).toEqual([1006, 1006]);
        expect(reader.messages.length).toBeLessThan(count);
        return;
      }
      await done;
      // A drain and a close of the hub wait for what was sent.
      if (name.startsWith("the hub")) expect(reader.messages.length).toBe(count);
      expect(await endOf(reader, code, sent)).toEqual(ended(count, way.code));
    });

    const SHAPED = WIRES.flatMap((wire) => Object.keys(SHAPES).map((shape) => [wire, shape] as const));
    test.for(SHAPED)("over %s: %s", async ([wire, shape], context) => {
      const { expect } = context;
      const isCompressed = shape.startsWith("compressed");
      const { socket, reader, code } = await connect(transport, wire, 400, context, isCompressed);
      const sent = SHAPES[shape]?.(3_500 * KIB) ?? [];
      for (const message of sent) socket.send(message);
      socket.close(4003);
      expect(await endOf(reader, code, sent)).toEqual(ended(sent.length, 4003));
    });
  },
);
