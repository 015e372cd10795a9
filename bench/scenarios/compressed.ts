import { crowd, streamTo } from "./audience.ts";
import { broadcasts, type BroadcastCase } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { aTurn, describe } from "./words.ts";

/** Without context takeover a compressed message is the same for everybody, so that one compression can do. */
export const compressed: Scenario = {
  name: "compressed",
  description: "one room whose members negotiated permessage-deflate: one compression for a message, or one for each",
  headline: "cpu",
  also: ["throughput", "bytes", "writes"],
  trials: (options) =>
    combine(options.members ?? [200], options.sizes ?? [1_024], (members, size) => {
      const streams = [streamTo("r0", 0, members)];
      const name = describe(members, size);
      const casesOf = (perTurn: number): BroadcastCase => ({
        title: `${name} deflated, ${aTurn(perTurn)}`,
        streams,
        perTurn,
        members,
      });
      const [first = 1, ...others] = options.rates ?? [1, 16];
      return broadcasts({
        name,
        size,
        compression: true,
        clients: crowd(members, { rooms: ["r0"], streams: [0] }),
        cases: [casesOf(first), ...others.map((perTurn) => casesOf(perTurn))],
        seconds: secondsOf(options),
        latency: false,
      });
    }),
};
