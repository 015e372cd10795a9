import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Hub, systemClock, type Clock } from "roomcast";
import { expect, onTestFinished, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";

/** How many clients of each kind, library and plain, are well. One more of each is silent. */
const WELL = 50;

/** Longer than the timeout. */
const STALL = 900;

/** How often the server stands still, and for how long it runs in between, in milliseconds. */
const STALLS = 6;
const BREATH = 100;

/**
 * Clients in a thread of their own, which the server's stalls do not stop. They answer the hub and do nothing else, so that
 * only the server ends connections.
 */
const CLIENTS = `
  const { workerData } = require("node:worker_threads");
  const { WebSocket } = require("ws");
  const PONG = '{"event":"hub:pong"}';
  for (let n = 0; n <= workerData.well; n++) {
    const isWell = n < workerData.well;
    const options = { autoPong: isWell, perMessageDeflate: workerData.compression };
    new WebSocket(workerData.url + (isWell ? "/well" : "/silent"), options).on("error", () => {});
    const library = new WebSocket(workerData.url + (isWell ? "/well" : "/silent"), ["roomcast.v1.json"], options);
    library.on("error", () => {});
    library.on("open", () => library.send('{"event":"hub:hello","data":{"protocol":1}}'));
    library.on("message", (data) => {
      if (isWell && data.toString() === '{"event":"hub:ping"}') library.send(PONG, { compress: true });
    });
  }
`;

/** Stands still as one long computation does. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const CASES = TRANSPORTS.flatMap((transport) => [
  { transport, compression: false },
  { transport, compression: true },
]);

test.each(CASES)(
  "a server that stands still for longer than the timeout loses the silent alone, on $transport, compressed: $compression",
  async ({ transport, compression }) => {
    let stalls = 0;
    let awakeSince = 0;
    // The worst moment: after a tick has asked, and before what it has to say was written.
    const clock: Clock = {
      ...systemClock,
      setTimeout: (callback, delay) =>
        systemClock.setTimeout(() => {
          callback();
          if (stalls === 0 || performance.now() - awakeSince < BREATH) return;
          stalls--;
          compute(STALL);
          awakeSince = performance.now();
        }, delay),
    };
    const hub = new Hub({
      transport,
      compression,
      clock,
      path: undefined,
      heartbeat: { interval: 1_000, timeout: 800 },
    });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const ends: string[] = [];
    const silentGone = new Promise<void>((resolve) => {
      hub.on("disconnection", ({ handshake }, { code }) => {
        ends.push(`${handshake.url} ${code}`);
        if (ends.filter((end) => end.startsWith("/silent")).length === 2) resolve();
      });
    });
    const allThere = new Promise<void>((resolve) => {
      hub.on("connection", () => {
        if (hub.sockets.size === 2 * WELL + 2) resolve();
      });
    });
    const url = `ws://127.0.0.1:${port}`;
    const clients = new Worker(CLIENTS, { eval: true, workerData: { url, well: WELL, compression } });
    onTestFinished(async () => void (await clients.terminate()));
    await Promise.race([allThere, once(clients, "error").then(([error]) => Promise.reject(error as Error))]);
    stalls = STALLS;
    await silentGone;
    expect(ends).toEqual(["/silent 4201", "/silent 4201"]);
    expect(hub.sockets.size).toBe(2 * WELL);
  },
);
