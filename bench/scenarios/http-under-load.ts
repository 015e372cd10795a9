import type { Figures, Measurement } from "../figures.ts";
import { measurementOf, type Subject } from "../observation.ts";
import type { Load } from "../server/messages.ts";
import type { Observation, Stage } from "../stage.ts";
import { crowd, streamTo } from "./audience.ts";
import { connect } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import { sendRequests } from "./http-load.ts";
import { openLoop, saturating, warmUpSeconds } from "./loads.ts";
import type { Scenario } from "./scenario.ts";
import { describe } from "./words.ts";

/** What all peers carry and still have time for requests. */
const LOAD = 0.5;

const CONNECTIONS = 2;

/**
 * Requests a second. autocannon sends them at the beginning of each second, one after the other on each connection, so
 * that a server that is late is asked later. The rate only keeps the requests from becoming the load.
 */
const RATE = 1_000;

export const httpUnderLoad: Scenario = {
  name: "http-under-load",
  description: "the latency of GET beside a broadcast at half of what the control can: who blocks the event loop",
  headline: "httpP99",
  also: ["httpP50", "httpRequests", "p99", "eventLoopDelay"],
  trials: (options) =>
    combine(options.members ?? [400], options.sizes ?? [64], (members, size) => {
      const name = describe(members, size);
      const seconds = secondsOf(options);
      const streams = [streamTo("r0", 0, members)];
      const clients = crowd(members, { rooms: ["r0"], streams: [0] });
      const parameters = { members, size };
      return {
        name,
        size,
        compression: false,
        capacity: async (stage) => {
          await connect(stage, clients);
          const load = saturating({ streams, listeners: members, perTurn: 1, size, seconds });
          return [await measure(stage, load, { case: `${name}, saturated`, parameters, phase: "capacity" })];
        },
        latency: async (stage, messages) => {
          await connect(stage, clients);
          const load = openLoop(streams, messages * LOAD, seconds);
          return [await measure(stage, load, { case: name, parameters, phase: "latency", load: LOAD })];
        },
      };
    }),
};

async function measure(stage: Stage, load: Load, subject: Subject): Promise<Measurement> {
  const requests = { port: stage.port, path: "/", method: "GET", connections: CONNECTIONS, rate: RATE } as const;
  const together = (seconds: number): Promise<[Observation, Figures]> =>
    Promise.all([stage.broadcast({ ...load, seconds }), sendRequests({ ...requests, seconds })]);
  await together(warmUpSeconds(load.seconds));
  const [observation, http] = await together(load.seconds);
  // The system counts what the server answers to requests as well.
  const measurement = measurementOf({ ...observation, segments: undefined }, subject);
  return { ...measurement, figures: { ...measurement.figures, ...http } };
}
