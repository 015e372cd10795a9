import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Installation } from "../../../support/installation.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import { install } from "../installed.ts";
import { FloodServer, Flooder } from "./flood-server.ts";
import { complaintsOf, flooding } from "./flooding.ts";
import { HonestClient } from "./honest-client.ts";
import { planted, PLANTS } from "./plants.ts";
import { FLOODS } from "./programs/floods.ts";

let installation: Installation;
let flooder: Flooder;

beforeAll(async () => {
  installation = await install("floods/programs");
  flooder = await Flooder.start(installation.folder);
}, 60_000);

afterAll(() => {
  flooder.end();
  installation.remove();
});

describe.each(TRANSPORTS)("The floods find on %s:", (transport) => {
  const here = PLANTS.filter((plant) => (plant.transport ?? transport) === transport);
  test.each(here.map((plant) => [plant.name, plant] as const))("%s", async (_name, plant) => {
    const faulty = planted(installation, plant);
    const server = await FloodServer.start(faulty.folder, transport);
    const honest = await HonestClient.connect(server.ports.usual);
    try {
      const idle = await server.figures();
      const flood = FLOODS.find(({ name }) => name === plant.flood);
      if (flood === undefined) throw new Error(`There is no flood "${plant.flood}".`);
      const extent = { pieces: plant.pieces ?? flood.pieces, time: 2_000 };
      const outcome = await flooding(flood, { server, flooder, honest }, extent).catch((error: unknown) =>
        String(error),
      );
      const complaints =
        typeof outcome === "string" ? [outcome] : complaintsOf(flood, outcome, idle.descriptors - 1, transport);
      expect([...complaints, ...honest.complaints, ...server.complaints].join("\n")).toMatch(plant.complaint);
    } finally {
      await flooder.leave();
      honest.leave();
      await server.end();
      faulty.remove();
    }
  });
});
