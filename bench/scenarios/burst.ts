import { crowd, streamTo } from "./audience.ts";
import { broadcasts, casesFor, type BroadcastCase } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { aTurn, describe } from "./words.ts";

/** The batching curve. */
export const burst: Scenario = {
  name: "burst",
  description: "one room, ever more messages in a turn of the event loop: what batching is worth",
  headline: "cpu",
  also: ["throughput", "writes", "p99"],
  trials: (options) =>
    combine(options.members ?? [400], options.sizes ?? [64], (members, size) => {
      const streams = [streamTo("r0", 0, members)];
      const rates = options.rates ?? (options.full ? [1, 8, 16, 32, 64, 128] : [1, 16, 64]);
      const name = describe(members, size);
      const caseOf = (perTurn: number): BroadcastCase => ({
        title: `${name}, ${aTurn(perTurn)}`,
        streams,
        perTurn,
        members,
      });
      return broadcasts({
        name,
        size,
        clients: crowd(members, { rooms: ["r0"], streams: [0] }),
        cases: casesFor(rates, caseOf),
        seconds: secondsOf(options),
        latency: true,
      });
    }),
};
