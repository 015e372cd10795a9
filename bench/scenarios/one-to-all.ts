import { crowd, streamTo } from "./audience.ts";
import { broadcasts } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { describe } from "./words.ts";

/** What one message to one room costs, however large either is. */
export const oneToAll: Scenario = {
  name: "one-to-all",
  description: "one room, one message in each turn of the event loop: what a delivery costs when nothing can be joined",
  headline: "cpu",
  also: ["throughput", "bytes", "writes", "p99"],
  trials: (options) =>
    combine(
      options.members ?? (options.full ? [100, 1_000] : [100]),
      options.sizes ?? (options.full ? [64, 1_024, 16_384] : [64, 16_384]),
      (members, size) => {
        const streams = [streamTo("r0", 0, members)];
        const name = describe(members, size);
        return broadcasts({
          name,
          size,
          clients: crowd(members, { rooms: ["r0"], streams: [0] }),
          cases: [{ title: name, streams, perTurn: 1, members }],
          seconds: secondsOf(options),
          latency: true,
        });
      },
    ),
};
