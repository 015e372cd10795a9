import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Installation } from "../../support/installation.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { WellBehavedClients } from "./well-behaved-clients.ts";
import { BYTES } from "./bytes/level.ts";
import { campaign, type Summary } from "./campaign.ts";
import type { Arena } from "./case.ts";
import { FRAMES } from "./frames/level.ts";
import { install } from "./installed.ts";
import { endOfLoris, LORISES } from "./loris.ts";
import { PACKETS } from "./packets/level.ts";
import { presence, sum } from "./remains.ts";
import { ServerProgram } from "./server-program.ts";
import type { Figures } from "./server/messages.ts";

const wanted = process.env["FUZZ_CASES"];

/** How many inputs there are, requests, frames and packets, of all levels and on all transports together. */
const CASES = Number(wanted ?? 100_000);

/** The seed of the first connection; the next one has the next seed. `SEED=17 FUZZ_CASES=1` plays number 17 alone. */
const SEED = Number(process.env["SEED"] ?? 1);

/** With fewer there is no saying what has to come about, nor what memory is in use once all code has run. */
const isCampaign = CASES >= 100_000;

/** What is played before anything is measured, with seeds far from all others. */
const WARM_UP = { first: 1_500_000_000, inputs: 12_000 };

const LEVELS = [BYTES, FRAMES, PACKETS];

/** A busy machine needs a fraction of it. In milliseconds. */
const TIME_LIMIT = 60_000 + CASES * 5;

/**
 * How much more may be in use at the end: what is remembered of requests with a key, which the server bounds with 256 KiB
 * for each hub, and what the engine keeps of code that ran often. It does not depend on the number of inputs; ten bytes that
 * are lost with each of a million would be seen.
 */
const MEMORY_BOUND = 3 * 1024 * 1024;

/** The pages of the process: garbage before its collection, and what the allocators do not give back. */
const RSS_BOUND = 96 * 1024 * 1024;

/** How long anything of clients that have left may be there, in milliseconds: on uws a place may be held for 31 seconds. */
const SETTLING_TIME = 40_000;

let installation: Installation;

beforeAll(async () => {
  installation = await install("server");
}, 60_000);

afterAll(() => installation.remove());

describe.each(TRANSPORTS)("A server on %s", (transport) => {
  let server: ServerProgram;
  let arena: Arena;
  let clients: WellBehavedClients;
  /** What there was before any hostile client came, and once all code had run. */
  let idle: Figures;
  let before: Figures;
  let lorises: Promise<readonly (readonly [name: string, end: string])[]>;

  beforeAll(async () => {
    server = await ServerProgram.start(installation.folder, transport);
    const { ports } = server;
    arena = { transport, ports };
    clients = await WellBehavedClients.gather(ports);
    idle = await server.figures();
    for (const level of isCampaign ? LEVELS : []) {
      await campaign(level, arena, server, { ...WARM_UP, inputs: WARM_UP.inputs * level.share });
    }
    before = await server.figures();
    lorises = Promise.all(LORISES.map(async (loris) => [loris.name, await endOfLoris(loris, ports.usual)] as const));
  }, TIME_LIMIT);

  afterAll(async () => {
    clients.leave();
    await server.end();
  });

  test.each(LEVELS.map((level) => [level.name, level] as const))(
    `survives hostile %s on ${transport}`,
    async (_name, level) => {
      const inputs = Math.ceil((CASES / TRANSPORTS.length) * level.share);
      const summary = await campaign(level, arena, server, { first: SEED, inputs });
      if (wanted !== undefined) console.log(describeSummary(summary));
      expect(summary.complaints).toEqual([]);
      expect(isCampaign ? summary.missing : []).toEqual([]);
    },
    TIME_LIMIT,
  );

  test("ends every client that takes too long", async () => {
    expect(await lorises).toEqual(LORISES.map(({ name, end }) => [name, end]));
  });

  test(
    "keeps nothing of the clients that left",
    async () => {
      const settled = { timeout: SETTLING_TIME, interval: 100 };
      await expect.poll(async () => presence(await server.figures()), settled).toEqual(presence(idle));
    },
    TIME_LIMIT,
  );

  test.runIf(isCampaign)("holds no more memory than before", async () => {
    const after = await server.figures();
    if (wanted !== undefined) console.log({ before: before.memory, after: after.memory, rss: [before.rss, after.rss] });
    expect(after.memory - before.memory).toBeLessThan(MEMORY_BOUND);
    expect(after.rss - before.rss).toBeLessThan(RSS_BOUND);
  });

  test.runIf(isCampaign)("reported to the application what it had to", async () => {
    const figures = await server.figures();
    expect(Object.keys(sum(figures, "errors")).toSorted()).toEqual(["authenticate", "handler", "joinable"]);
    expect(Object.keys(sum(figures, "refusals")).toSorted()).toEqual(["failed", "origin", "timeout", "unauthorized"]);
    const codes = Object.keys(sum(figures, "disconnections"));
    expect(codes).toEqual(expect.arrayContaining(["1000", "1005", "1006", "1007", "1009", "4005", "4201", "4321"]));
  });

  test("served all other clients meanwhile", async () => {
    const ticks = await server.pause();
    await clients.finish(ticks);
    expect(clients.complaints).toEqual([]);
    expect(server.complaints).toEqual([]);
  });
});

function describeSummary({ inputs, cases, duration, outcomes }: Summary): string {
  const rate = Math.round((inputs / duration) * 1_000);
  const counts = Array.from(outcomes, ([outcome, count]) => `${outcome}: ${count}`);
  return `${inputs} inputs on ${cases} connections, ${rate} a second. ${counts.join(", ")}`;
}
