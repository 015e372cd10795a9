import { setTimeout as delay } from "node:timers/promises";
import type { TransportName } from "roomcast";
import type { FloodServer, Flooder } from "./flood-server.ts";
import type { HonestClient } from "./honest-client.ts";
import type { Flood } from "./programs/floods.ts";
import type { Figures, Flooded } from "./programs/messages.ts";

/** Those who take part. */
export interface Scene {
  readonly server: FloodServer;
  readonly flooder: Flooder;
  readonly honest: HonestClient;
}

/** How much of a flood there is. */
export interface Extent {
  /** Whether times are measured, so that nothing else is, and handlers end meanwhile. */
  readonly isTimed?: boolean;
  /** The most pieces of each client. */
  readonly pieces: number;
  /** In milliseconds. */
  readonly time: number;
}

/** What came of a flood. */
export interface Outcome {
  readonly before: Figures;
  readonly after: Figures;
  readonly flooded: Flooded;
  /** Bytes that the server allocated, also of what has been collected. */
  readonly allocated: number;
  /** How long the flood was, in milliseconds. */
  readonly duration: number;
  /** How long the answers to the honest client took, in milliseconds, the shortest first. */
  readonly times: readonly number[];
}

const MIB = 1024 * 1024;

/** What is held for a connection beside what the hub counts: a message that has not come to its end, and its fragments. */
const BYTES_PER_CONNECTION = 2 * MIB;

/** What is held beside: answers, allowances, code. */
const COMMON_BYTES = 8 * MIB;

/** What may be allocated for a message, for each of its bytes, for a connection, and meanwhile. */
const ALLOCATED_PER_MESSAGE = 8 * 1024;
const ALLOCATED_PER_BYTE = 128;
const ALLOCATED_PER_CONNECTION = 128 * 1024;
const ALLOCATED_MEANWHILE = 8 * MIB;

/** What a client may send that has been told to go: what is thrown away, and what the systems of both sides hold. */
const LATE_BYTES = 24 * MIB;

/** The default of `limits.pendingRequests`. */
const HANDLING_PER_CONNECTION = 1_000;

/** The default of `limits.pendingBytes`, and one message more; and a third of a quarter of the heap. */
const AT_WORK_PER_CONNECTION = 40 * MIB;
const AT_WORK_PER_OWNER = 400 * MIB;

/** The default of `limits.messages`. */
const RATE = { perSecond: 500, burst: 2_000 };

/** The descriptors of connections that come and go in this moment. */
const FLEETING = 8;

/** The connections that are there before and after each flood. */
const HONEST_CONNECTIONS = 1;

/** How often handlers end during a flood, in milliseconds. */
const RELEASE_INTERVAL = 500;

let count = 0;

/** Lets a flood loose. Its last connections stay until {@link subside}. */
export async function flooding(flood: Flood, { server, flooder, honest }: Scene, extent: Extent): Promise<Outcome> {
  const port = server.ports[flood.hub ?? "usual"];
  const address = `127.9.${Math.floor(++count / 250)}.${(count % 250) + 1}`;
  const releasing = extent.isTimed === true ? setInterval(() => server.release(), RELEASE_INTERVAL) : undefined;
  try {
    await honest.askOnce();
    const before = await server.figures();
    // Measuring takes time, too.
    if (releasing === undefined) await server.measure();
    honest.look();
    const start = performance.now();
    const flooded = await flooder.flood({ flood: flood.name, port, address, ...extent });
    const duration = performance.now() - start;
    const times = honest.look();
    const allocated = releasing === undefined ? await server.allocated() : 0;
    let after = await server.figures();
    // What has been sent may not have been read.
    for (let look = 0; look < LOOKS && !isClosed(flood, before, after); look++) after = await server.figures();
    await honest.repeat();
    return { before, after, flooded, allocated, duration, times };
  } finally {
    clearInterval(releasing);
  }
}

/** Ends a flood. Resolves when the hubs have nothing to do with it any more, apart from places that are not free yet. */
export async function subside({ server, flooder }: Scene, { before }: Outcome): Promise<void> {
  await flooder.leave();
  for (let look = 0; look < LOOKS; look++) {
    server.release();
    const { handling, waitingBytes, connections } = totals(await server.figures());
    if (handling + waitingBytes === 0 && connections <= totals(before).connections) return;
    await delay(20);
  }
}

/** How often the hubs are looked at: a paused connection whose client has left may stay for longer. */
const LOOKS = 50;

/** What must not have come of it. */
export function complaintsOf(
  flood: Flood,
  outcome: Outcome,
  idleDescriptors: number,
  transport: TransportName,
): readonly string[] {
  const { before, after, flooded, allocated, duration } = outcome;
  const complaints: string[] = [];
  const complain = (what: string, value: number, most: number): void => {
    if (value > most) complaints.push(`${flood.name}: ${what} ${Math.round(value)}, more than ${Math.round(most)}.`);
  };
  const now = totals(after);
  const then = totals(before);
  const places = now.connections + now.newcomers + now.closing;
  complain(
    "bytes that are held",
    after.memory - before.memory,
    now.handlingBytes + now.waitingBytes + now.pendingBytes + places * BYTES_PER_CONNECTION + COMMON_BYTES,
  );
  complain(
    "bytes that were allocated",
    allocated,
    (now.messagesIn - then.messagesIn) * ALLOCATED_PER_MESSAGE +
      // What makes no message is only sent; what is inflated is more than was sent.
      Math.max(now.bytesIn - then.bytesIn, flooded.sentBytes) * ALLOCATED_PER_BYTE +
      flooded.connections * ALLOCATED_PER_CONNECTION +
      ALLOCATED_MEANWHILE,
  );
  // Of a client that leaves, the last connection may still be there.
  const atOnce = (flood.clients ?? 1) + (flood.leavesAfter === undefined ? 0 : 1);
  const seconds = duration / 1_000 + 1;
  complain(
    "calls of handlers",
    after.handled - before.handled,
    // The honest client asks, too, and what was read of others is handled as their rates allow.
    atOnce * (RATE.burst + RATE.perSecond * seconds) + then.connections * RATE.perSecond * seconds,
  );
  // Of an earlier flood, a connection may still be there whose messages its rate allows only now.
  const working = atOnce + then.connections - HONEST_CONNECTIONS;
  if (flood.leavesAfter === undefined) {
    complain("messages that handlers are at work on", now.handling, working * HANDLING_PER_CONNECTION);
  }
  complain(
    "bytes that handlers are at work on",
    now.handlingBytes,
    flood.leavesAfter === undefined ? working * AT_WORK_PER_CONNECTION : AT_WORK_PER_OWNER,
  );
  // uWebSockets.js reads on for some seconds, whatever it is told.
  if (transport === "ws") complain("bytes after the close", flooded.lateBytes, LATE_BYTES);
  complain("descriptors", after.descriptors - idleDescriptors, places + FLEETING);
  if (!isClosed(flood, before, after)) complaints.push(`${flood.name}: Nobody was closed with ${flood.close}.`);
  return complaints;
}

/** Whether somebody was closed as the flood has to be. */
function isClosed({ close }: Flood, before: Figures, after: Figures): boolean {
  return close === undefined || after.closes[close] !== before.closes[close];
}

/** The sums of all hubs. */
export function totals({ statistics }: Figures): Readonly<Record<(typeof SUMMED)[number], number>> {
  const sums = SUMMED.map((name) => [name, Object.values(statistics).reduce((sum, hub) => sum + hub[name], 0)]);
  return Object.fromEntries(sums) as Record<(typeof SUMMED)[number], number>;
}

const SUMMED = [
  "bytesIn",
  "closing",
  "connections",
  "handling",
  "handlingBytes",
  "messagesIn",
  "newcomers",
  "pendingBytes",
  "waitingBytes",
] as const;

/** A line of the table: name, times of the honest client, of the server, and what it sent and took. */
export function rowOf(flood: Flood, { before, after, flooded, duration, times }: Outcome): string {
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Infinity;
  const cpu = after.cpu - before.cpu;
  const mebibytes = flooded.sentBytes / MIB;
  const cells = [
    flood.name,
    at(0.5).toFixed(1),
    at(0.99).toFixed(1),
    at(1).toFixed(0),
    after.stall.toFixed(0),
    (cpu / duration).toFixed(2),
    mebibytes.toFixed(1),
    (cpu / Math.max(mebibytes, 0.001)).toFixed(1),
    String(flooded.connections),
    String(after.handled - before.handled),
    ((after.memory - before.memory) / MIB).toFixed(1),
    (after.rss / MIB).toFixed(0),
    Object.entries(flooded.statuses)
      .map((entry) => entry.join(":"))
      .join(" "),
  ];
  return `| ${cells.join(" | ")} |`;
}

export const HEADINGS: string = `| flood | p50 ms | p99 ms | longest ms | stall ms | CPU/s | MiB | CPU ms/MiB | connections | handled | held MiB | rss MiB | statuses |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`;
