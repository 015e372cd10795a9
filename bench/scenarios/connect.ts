import { crowd } from "./audience.ts";
import { connect as connectClients, HANDSHAKES } from "./broadcasts.ts";
import type { Scenario } from "./scenario.ts";

/** Connections that come before those that are counted. */
const WARM_UP = 200;

/** What happens after a restart, when everybody comes back at once. */
export const connect: Scenario = {
  name: "connect",
  description: "clients that connect, 100 handshakes under way at a time, and are put into a room",
  headline: "connectionCpu",
  also: ["connections", "eventLoopDelay", "peakResident"],
  trials: (options) =>
    (options.members ?? [options.full ? 2_000 : 500]).map((count) => {
      const name = `${count.toLocaleString("en")} connections`;
      return {
        name,
        size: 64,
        compression: false,
        capacity: async (stage) => {
          const member = { rooms: ["r0"], streams: [] };
          await connectClients(stage, crowd(Math.min(WARM_UP, count), member, count));
          const { result, observation } = await stage.observe([], () =>
            stage.connect({ clients: crowd(count, member), concurrency: HANDSHAKES, from: ["127.0.0.1"] }),
          );
          const { user, system, eventLoopDelay, peakResident } = observation.server;
          return [
            {
              case: name,
              parameters: { connections: count },
              phase: "capacity",
              figures: {
                connections: count / result.seconds,
                connectionCpu: (user + system) / count,
                eventLoopDelay: eventLoopDelay.p99,
                peakResident,
              },
              violations: observation.tally.violations,
            },
          ];
        },
      };
    }),
};
