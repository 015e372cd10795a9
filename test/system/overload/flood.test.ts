import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Installation } from "../../support/installation.ts";
import { ObservedServer } from "../observed-server.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { Reader } from "./reader.ts";

const MIB = 1024 * 1024;

/** One in a hundred does not read. */
const READERS = 99;
const LIMIT = MIB;
const MESSAGE_BYTES = 32 * 1024;
/** So many at a time, and then the readers are waited for: a flood for who stands still, nothing to who does not. */
const BATCH = 8;
/** Four times what the buffers of the system and of the hub hold together. */
const BATCHES = 40;
const SENT = BATCH * BATCHES;
const KEYS = 4;

const APPLICATION = `
  const hub = new Hub({ transport, welcome: false, heartbeat: false, maxBufferedBytes: ${LIMIT} });
  const pad = "x".repeat(${MESSAGE_BYTES});
  const targets = {
    close: () => hub.to("all"),
    drop: () => hub.to("all").overload("drop"),
    latest: (n) => hub.to("all").latest("key " + (n % ${KEYS})),
  };
  let most = 0;
  let n = 0;
  hub.on("connection", (socket) => socket.join("all"));
  hub.handle("flood", (policy) => {
    for (let sent = 0; sent < ${BATCH}; sent++) {
      targets[policy](n).emit("n", { n: n++, pad });
      // Whatever is held for all together is held for the one who stands still, but for the last of the others'.
      for (const socket of hub.sockets.values()) most = Math.max(most, socket.bufferedAmount);
    }
    hub.to("all").emit("batch", n);
  });
  hub.handle("most", (_, socket) => { socket.emit("most", most); });
  return hub;
`;

/** Lets who stood still read everything. */
async function catchUp(stalled: Reader, server: ObservedServer, first: Reader): Promise<void> {
  stalled.resume();
  await server.figuresOnce(({ stats }) => stats.pendingBytes === 0);
  first.say({ event: "flood", data: "close" });
  await stalled.until("batch", SENT + BATCH);
}

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.build(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
});

afterAll(() => installation.remove());

describe.each(TRANSPORTS)("a flood on %s, while one in a hundred does not read", (transport) => {
  /** Floods the room, and waits for everybody who reads after each batch. */
  async function flood(policy: "close" | "drop" | "latest") {
    const server = await ObservedServer.start(installation, transport, APPLICATION);
    onTestFinished(() => server.kill());
    const readers = await Promise.all(Array.from({ length: READERS }, () => Reader.connect(server.port, "/")));
    const stalled = await Reader.connect(server.port, "/");
    onTestFinished(() => {
      for (const reader of [...readers, stalled]) reader.vanish();
    });
    const [first] = readers as [Reader, ...Reader[]];
    stalled.stall();
    for (let batch = 1; batch <= BATCHES; batch++) {
      first.say({ event: "flood", data: policy });
      await Promise.all(readers.map((reader) => reader.until("batch", batch * BATCH)));
    }
    const after = await server.figures();
    const all = Array.from({ length: SENT }, (_, n) => n);
    for (const reader of readers) expect(reader.numbers("n")).toEqual(all);
    for (const reader of readers) expect(reader.numbers("hub:dropped")).toEqual([]);
    expect(after.faults).toEqual([]);
    expect(after.stats.pendingBytes).toBeLessThanOrEqual(LIMIT);
    first.say({ event: "most" });
    await expect.poll(() => first.numbers("most").length).toBe(1);
    const [most] = first.numbers("most");
    expect(most).toBeLessThanOrEqual(LIMIT);
    return { server, stalled, stats: after.stats, first };
  }

  test("close: the slow client is closed once, and no other client notices", async () => {
    const { stats } = await flood("close");
    expect(stats).toMatchObject({ connections: READERS, slowConsumers: 1, pendingBytes: 0 });
    expect(stats.drops).toEqual({ volatile: 0, overload: 0, superseded: 0 });
  });

  test("drop: the slow client stays, and is told exactly how many messages were dropped, and where", async () => {
    const { server, stalled, stats, first } = await flood("drop");
    expect(stats).toMatchObject({ connections: READERS + 1, slowConsumers: 0 });
    expect(stats.drops.overload).toBeGreaterThan(SENT / 2);
    await catchUp(stalled, server, first);
    const { drops } = (await server.figures()).stats;
    expect(stalled.numbers("hub:dropped").reduce((sum, count) => sum + count, 0)).toBe(drops.overload);
    // Each gap in the numbers has a notice of as many where it is. What ends a batch is not dropped.
    let next = 0;
    for (const { event, number } of stalled.heard) {
      if (event !== "hub:dropped" && number !== next) break;
      next += event === "hub:dropped" ? number : event === "n" ? 1 : 0;
    }
    expect(stalled.numbers("batch").length).toBe(BATCHES + 1);
    expect(next).toBe(SENT + BATCH);
  });

  test("latest: the slow client gets the newest message of each key, and each of the others only once", async () => {
    const { server, stalled, stats, first } = await flood("latest");
    expect(stats).toMatchObject({ connections: READERS + 1, slowConsumers: 0 });
    await catchUp(stalled, server, first);
    const { drops } = (await server.figures()).stats;
    expect(stalled.numbers("hub:dropped")).toEqual([]);
    expect(drops.superseded).toBeGreaterThan(SENT / 2);
    const numbers = stalled.numbers("n").filter((n) => n < SENT);
    expect(numbers.length + drops.superseded).toBe(SENT);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.slice(-KEYS)).toEqual(Array.from({ length: KEYS }, (_, key) => SENT - KEYS + key));
  });
});
