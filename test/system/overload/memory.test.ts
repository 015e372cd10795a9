import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Installation } from "../../support/installation.ts";
import { ObservedServer } from "../observed-server.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { Reader } from "./reader.ts";

const MIB = 1024 * 1024;

const STALLED = 40;
const LIMIT = MIB / 4;
const MESSAGE_BYTES = 64 * 1024;
/** Kept for everybody, they would be half a gigabyte, besides what the system's buffers take. */
const MESSAGES = 256;

/** Within it are the limits of all, garbage, and what the allocators do not give back: a fraction of the flood. */
const MOST = 128 * MIB;

const APPLICATION = `
  const hub = new Hub({ transport, welcome: false, heartbeat: false, maxBufferedBytes: ${LIMIT} });
  const pad = "x".repeat(${MESSAGE_BYTES});
  const sends = {
    close: (socket) => socket.emit("n", pad),
    drop: (socket) => socket.overload("drop").emit("n", pad),
    latest: (socket) => socket.latest("key").emit("n", pad),
    volatile: (socket) => socket.volatile.emit("n", pad),
  };
  hub.handle("flood", async (policy, asker) => {
    for (let n = 0; n < ${MESSAGES}; n++) {
      // To each by itself: the same bytes for all would be in memory once only.
      for (const socket of hub.sockets.values()) if (socket !== asker) sends[policy](socket);
      // Between two of them the system takes what it can.
      await new Promise((resolve) => setImmediate(resolve));
    }
    asker.emit("flooded", hub.sockets.size);
  });
  return hub;
`;

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.build(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
});

afterAll(() => installation.remove());

test.for(
  TRANSPORTS.flatMap((transport) =>
    (["close", "drop", "latest", "volatile"] as const).map((policy) => [transport, policy] as const),
  ),
)("messages that nobody reads are not kept: %s, %s", async ([transport, policy]) => {
  const server = await ObservedServer.start(installation, transport, APPLICATION);
  onTestFinished(() => server.kill());
  const [asker, ...stalled] = (await Promise.all(
    Array.from({ length: STALLED + 1 }, () => Reader.connect(server.port, "/")),
  )) as [Reader, ...Reader[]];
  onTestFinished(() => {
    for (const reader of [asker, ...stalled]) reader.vanish();
  });
  for (const reader of stalled) reader.stall();
  const before = await server.figures();
  asker.say({ event: "flood", data: policy });
  const isClosing = policy === "close";
  await asker.until("flooded", isClosing ? 1 : STALLED + 1);
  const { stats, resident } = await server.figures();
  expect(stats.slowConsumers).toBe(isClosing ? STALLED : 0);
  expect(stats.pendingBytes).toBeLessThanOrEqual(STALLED * LIMIT);
  expect(resident - before.resident).toBeLessThan(MOST);
});
