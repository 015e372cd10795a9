import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Installation } from "../../../support/installation.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import { install } from "../installed.ts";
import { FloodServer, Flooder } from "./flood-server.ts";
import { complaintsOf, flooding, HEADINGS, rowOf, subside, totals, type Extent, type Scene } from "./flooding.ts";
import { HonestClient } from "./honest-client.ts";
import { FLOODS, type Flood } from "./programs/floods.ts";
import type { Figures } from "./programs/messages.ts";

/** Whether times are measured: `npm run fuzz` does, on a machine that has nothing else to do. */
const isTimed = process.env["FUZZ_CASES"] !== undefined;

/** The floods whose names have this in them; by default all of them. */
const WANTED = FLOODS.filter(({ name }) => name.includes(process.env["FLOOD"] ?? ""));

/** For how long a flood is timed, and the longest that one of a few pieces takes, in milliseconds. */
const TIME = isTimed ? 4_000 : 2_000;

/** How much more may be allocated for twice as much. */
const PROPORTION = 2.6;

/** How long anything of clients that have left may be there, in milliseconds: on uws a place may be held for 31 seconds. */
const SETTLING_TIME = 60_000;

let installation: Installation;

beforeAll(async () => {
  installation = await install("floods/programs");
}, 60_000);

afterAll(() => installation.remove());

function extentOf({ pieces }: Flood): Extent {
  return { pieces: isTimed ? Number.MAX_SAFE_INTEGER : pieces, time: TIME, isTimed };
}

describe.each(TRANSPORTS)("A server on %s", (transport) => {
  const rows: string[] = [];
  let scene: Scene;
  let idle: Figures;

  beforeAll(async () => {
    const server = await FloodServer.start(installation.folder, transport);
    idle = await server.figures();
    const flooder = await Flooder.start(installation.folder);
    scene = { server, flooder, honest: await HonestClient.connect(server.ports.usual) };
  }, 60_000);

  afterAll(async () => {
    if (isTimed) console.log([transport, HEADINGS, ...rows].join("\n"));
    scene.honest.leave();
    scene.flooder.end();
    await scene.server.end();
  });

  test.each(WANTED.map((flood) => [flood.name, flood] as const))(`bears %s on ${transport}`, async (_name, flood) => {
    const outcome = await flooding(flood, scene, extentOf(flood));
    rows.push(rowOf(flood, outcome));
    await subside(scene, outcome);
    const { honest, server } = scene;
    expect([
      ...complaintsOf(flood, outcome, idle.descriptors, transport),
      ...honest.complaints,
      ...server.complaints,
    ]).toEqual([]);
  });

  test.each(WANTED.filter(({ isProportionate }) => isProportionate).map((flood) => [flood.name, flood] as const))(
    `allocates in proportion to %s on ${transport}`,
    async (_name, flood) => {
      const allocated: number[] = [];
      for (const factor of [1, 2]) {
        const outcome = await flooding(flood, scene, { pieces: flood.pieces * factor, time: 10_000 });
        await subside(scene, outcome);
        allocated.push(outcome.allocated);
      }
      const [once = 0, twice = 0] = allocated;
      expect(twice / once).toBeLessThan(PROPORTION);
    },
  );

  test(
    `has answered the honest client, and has nothing left of the floods on ${transport}`,
    async () => {
      const { honest, server } = scene;
      honest.rest();
      await expect.poll(() => honest.isAnswered, { timeout: SETTLING_TIME }).toBe(true);
      const settled = { timeout: SETTLING_TIME, interval: 200 };
      await expect
        .poll(async () => {
          server.release();
          const figures = await server.figures();
          const { handling, handlingBytes, waitingBytes, newcomers, closing, connections } = totals(figures);
          const descriptors = figures.descriptors - idle.descriptors;
          return { handling, handlingBytes, waitingBytes, newcomers, closing, connections, descriptors };
        }, settled)
        .toEqual({
          handling: 0,
          handlingBytes: 0,
          waitingBytes: 0,
          newcomers: 0,
          closing: 0,
          connections: 1,
          descriptors: 1,
        });
      expect([...honest.complaints, ...server.complaints]).toEqual([]);
    },
    2 * SETTLING_TIME + 10_000,
  );
});
