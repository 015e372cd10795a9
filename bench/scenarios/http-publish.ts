import { measurementOf } from "../observation.ts";
import { crowd, streamTo } from "./audience.ts";
import { connect } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import { sendRequests } from "./http-load.ts";
import { warmUpSeconds } from "./loads.ts";
import type { Scenario } from "./scenario.ts";
import { describe } from "./words.ts";

const CONNECTIONS = 8;

export const httpPublish: Scenario = {
  name: "http-publish",
  description: "8 HTTP connections post without pause, the server sends what they post to a room: publishing by HTTP",
  headline: "httpP99",
  also: ["httpP50", "httpRequests", "throughput", "cpu"],
  trials: (options) =>
    combine(options.members ?? [200], options.sizes ?? [64], (members, size) => {
      const streams = [streamTo("r0", 0, members)];
      const name = describe(members, size);
      return {
        name,
        size,
        compression: false,
        capacity: async (stage) => {
          await connect(stage, crowd(members, { rooms: ["r0"], streams: [0] }));
          const seconds = secondsOf(options);
          const load = { port: stage.port, path: "/publish", method: "POST", connections: CONNECTIONS } as const;
          await stage.observe(streams, () => sendRequests({ ...load, seconds: warmUpSeconds(seconds) }));
          const { result, observation } = await stage.observe(streams, () => sendRequests({ ...load, seconds }));
          const measurement = measurementOf(observation, {
            case: name,
            parameters: { members, size },
            phase: "capacity",
          });
          return [{ ...measurement, figures: { ...measurement.figures, ...result } }];
        },
      };
    }),
};
