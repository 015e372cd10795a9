import { Hub, type HistoryRule } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { Random, type FaultKind, type SimulationOptions } from "roomcast/testing";
import type { ScenarioOptions } from "./scenario.ts";

/** Everything is kept: this is about who is present. */
const RULE: HistoryRule = { size: 1_000, age: 120_000 };

/** What goes wrong: everything, or only what leaves a certain promise intact, so that it is looked at often. */
const WEATHERS: readonly (readonly FaultKind[] | undefined)[] = [
  undefined,
  ["cut", "leave", "reload", "drain"],
  ["cut", "leave", "half-open", "kill", "freeze"],
  ["cut", "leave", "lose-word", "disconnect", "partition", "outage"],
  ["leave", "lose-word"],
];

/** Returns the simulation of a seed in which hubs tell who is present, with times that are short beside that of the work. */
export function presenceOf(
  seed: number,
  { isCalm = false, duration = 20_000 }: ScenarioOptions = {},
): SimulationOptions {
  const random = new Random(seed);
  const grace = random.pick([0, 300, 1_000]);
  const lease = random.pick([600, 1_500]);
  const full = random.pick([2, 3, 200, 200]);
  const nodes = random.pick([0, 1, 2, 3, 3, 4]);
  const isSync = random.chance(0.5);
  const faults = random.pick(WEATHERS);
  return {
    seed,
    nodes: Math.max(nodes, 1),
    engine: nodes > 0,
    codecs: [msgpackCodec],
    clients: random.pick([2, 4, 6, 9]),
    duration,
    pause: random.pick([200, 1_000, 4_000]),
    rooms: { "chat:a": RULE, "chat:b": RULE },
    presence: { users: random.pick([1, 3, 5, 9]), grace, lease },
    hub: (basis) => {
      return new Hub({
        ...basis,
        codecs: [msgpackCodec],
        cluster: { lease },
        heartbeat: { interval: 5_000, timeout: 3_000 },
        joinable: isSync ? () => true : () => Promise.resolve(true),
        authenticate: ({ query }) => ({ id: query.get("user") ?? "" }),
        history: { rooms: { "chat:*": RULE } },
        presence: { rooms: ["chat:*"], grace, full },
      });
    },
    ...(isCalm ? { faults: [] } : faults === undefined ? {} : { faults }),
  };
}
