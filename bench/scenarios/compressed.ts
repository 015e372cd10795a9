import type { Measurement } from "../figures.ts";
import { crowd, streamTo } from "./audience.ts";
import { broadcasts, casesFor, type BroadcastCase } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { aTurn, describe } from "./words.ts";

/** The remark on what was sent as it was: such a peer saves the work that is compared here. */
export const UNCOMPRESSED = "not compressed";

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
      const caseOf = (perTurn: number): BroadcastCase => ({
        title: `${name} deflated, ${aTurn(perTurn)}`,
        streams,
        perTurn,
        members,
      });
      const trial = broadcasts({
        name,
        size,
        compression: true,
        clients: crowd(members, { rooms: ["r0"], streams: [0] }),
        cases: casesFor(options.rates ?? [1, 16], caseOf),
        seconds: secondsOf(options),
        latency: false,
      });
      return {
        ...trial,
        capacity: async (stage) => (await trial.capacity(stage)).map((measurement) => marked(measurement, size)),
      };
    }),
};

function marked(measurement: Measurement, size: number): Measurement {
  const { figures, remarks = [] } = measurement;
  if (figures.bytes === undefined || figures.bytes < size) return measurement;
  return { ...measurement, remarks: [...remarks, UNCOMPRESSED] };
}
