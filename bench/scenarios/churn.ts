import { crowd, streamTo } from "./audience.ts";
import { broadcasts } from "./broadcasts.ts";
import { atLeastOne, combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { aTurn, describe } from "./words.ts";

const MOVES_IN_A_TURN = 32;

/** Whether a room that changes all the time is dearer than one that does not. */
export const churn: Scenario = {
  name: "churn",
  description:
    "a room that clients leave and join all the while, 32 of them in each turn: what membership changes cost",
  headline: "cpu",
  also: ["throughput", "writes", "gc"],
  trials: (options) =>
    combine(options.members ?? [400], options.sizes ?? [64], (members, size) => {
      const movers = crowd(atLeastOne(members / 4), { rooms: [], streams: [], passing: [0] }, members);
      const perTurn = options.rates?.[0] ?? 16;
      const name = `${describe(members, size)}, ${movers.length} moving`;
      return broadcasts({
        name,
        size,
        clients: [...crowd(members, { rooms: ["r0"], streams: [0] }), ...movers],
        cases: [
          {
            title: `${name}, ${aTurn(perTurn)}`,
            streams: [streamTo("r0", 0, members)],
            perTurn,
            members,
            churn: { room: "r0", clients: movers.map((mover) => mover.id), perTurn: MOVES_IN_A_TURN },
          },
        ],
        seconds: secondsOf(options),
        latency: false,
      });
    }),
};
