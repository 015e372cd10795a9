import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Installation } from "../../support/installation.ts";
import { Random } from "../../support/random.ts";
import { ObservedServer, type Figures } from "../observed-server.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { visit } from "./visit.ts";

const wanted = process.env["SOAK_CYCLES"];

/** How many clients come and go, on both transports together. */
const CYCLES = Number(wanted ?? 24_000);

/** Before anything is measured: until then the engine compiles, and the allocators grow. */
const WARM_UP = 6_000;

/** The most rounds. What is lost with each visit grows in every round; what the engine compiles late, in one of them. */
const ROUNDS = 3;

/** The visits of a round. */
const VISITS = CYCLES / TRANSPORTS.length;

const AT_A_TIME = 48;

const TIME_LIMIT = 60_000 + ROUNDS * CYCLES * 5;

/** What the engine keeps of code that ran often. Forty bytes lost with each visit would be seen in CI, two in a soak. */
const HEAP_BOUND = 512 * 1024;

/** The pages of the process: garbage before its collection, and what the allocators do not give back. */
const RESIDENT_BOUND = 48 * 1024 * 1024;

const APPLICATION = `
  const timers = new Set();
  gauges.timers = () => timers.size;
  const clock = {
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimeout(callback, milliseconds) {
      const timeout = setTimeout(() => { timers.delete(timeout); callback(); }, milliseconds).unref();
      timers.add(timeout);
      return { cancel() { clearTimeout(timeout); timers.delete(timeout); } };
    },
  };
  let users = 0;
  const hub = new Hub({
    transport,
    clock,
    handshakeTimeout: 500,
    heartbeat: { interval: 1_000, timeout: 500 },
    idempotency: { within: 1_000, maxBytes: 65_536 },
    maxConnections: 20_000,
    maxConnectionsPerAddress: 10_000,
    limits: { rooms: 4 },
    joinable: (room) => room.endsWith("7") ? Promise.resolve(true) : !room.endsWith("3"),
    authenticate: async () => ({ id: "user " + (users++ % 500), expiresAt: Date.now() + 3_600_000 }),
  });
  hub.on("connection", (socket) => socket.join("everybody"));
  hub.handle("echo", (data) => data);
  hub.handle("put", (room, socket) => socket.join(room));
  hub.handle("say", (room, socket) => socket.to(room).emit("said", room));
  hub.handle("work", () => new Promise((resolve) => setTimeout(resolve, 3)));
  hub.handle("own", (name, socket) => { socket.on("own " + name, () => name); });
  hub.handle("ask", (_, socket) => { socket.request("question", null, { timeout: 300 }).catch(() => {}); });
  hub.handle("kicked", (_, socket) => socket.close(4321, "Kicked"));
  hub.handle("terminated", (_, socket) => socket.terminate());
  return hub;
`;

/** Of the heartbeat: one for the next slice, and for each slice that is still to be checked; and one of the rates. */
const MOST_TIMERS = 5;

/** How often the figures are looked at: some connections of uWebSockets.js hold their places for 31 seconds. */
const LOOKS = 4_000;

/** What must be as it was before anybody came. */
function presence({ stats, resources, descriptors, gauges }: Figures): string {
  const { connections, newcomers, closing, rooms, pendingBytes } = stats;
  const isTidy = (gauges["timers"] ?? 0) <= MOST_TIMERS;
  return JSON.stringify({ connections, newcomers, closing, rooms, pendingBytes, resources, descriptors, isTidy });
}

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.build(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
});

afterAll(() => installation.remove());

describe.each(TRANSPORTS)("clients that connect and leave on %s", (transport) => {
  let server: ObservedServer;
  let idle: Figures;

  beforeAll(async () => {
    server = await ObservedServer.start(installation, transport, APPLICATION);
    idle = await server.figures();
  });

  afterAll(() => server.kill());

  /** Resolves with the figures when nobody is there any more, and how often each kind of visit was paid. */
  async function churn(visits: number, firstSeed: number) {
    const kinds = new Map<string, number>();
    let seed = firstSeed;
    const work = async (): Promise<void> => {
      while (seed < firstSeed + visits) {
        const kind = (await visit(new Random(seed++), server.port)).join(", ");
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return { kinds, figures: await server.figuresOnce((now) => presence(now) === presence(idle), LOOKS) };
  }

  test(
    "leave nothing behind",
    async () => {
      let { figures: before } = await churn(WARM_UP, 1_000_000_000);
      let heap = Infinity;
      let resident = Infinity;
      for (let round = 0; round < ROUNDS && (heap >= HEAP_BOUND || resident >= RESIDENT_BOUND); round++) {
        const { figures: after, kinds } = await churn(VISITS, 1 + round * VISITS);
        if (wanted !== undefined) console.log(transport, kinds, before, after);
        expect(presence(after)).toBe(presence(idle));
        expect(after.faults).toEqual([]);
        expect(kinds.size).toBe(22);
        heap = after.heap - before.heap;
        resident = after.resident - before.resident;
        before = after;
      }
      expect(heap).toBeLessThan(HEAP_BOUND);
      expect(resident).toBeLessThan(RESIDENT_BOUND);
    },
    TIME_LIMIT,
  );

  test("let the process end by itself when the hub is closed", async () => {
    const visits = Array.from({ length: AT_A_TIME }, (_, seed) => visit(new Random(seed), server.port).catch(() => {}));
    await server.figuresOnce(({ stats }) => stats.connections > 0);
    expect(await server.close()).toBe(0);
    await Promise.all(visits);
  });
});
