import { Hub, type HistoryRule, type HubOptions } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { Random, type SimulationOptions } from "roomcast/testing";

/** The time of silence after which a record ends, in milliseconds. */
const AGE = 120_000;

/** Prices, of which only the newest of each currency counts. */
const PRICES: HistoryRule = { size: 5, age: AGE, keep: "latest", replay: "latest" };

/** Whether things go wrong in a scenario, and for how long. */
export interface ScenarioOptions {
  /** Whether nothing goes wrong. Default: `false`. */
  readonly isCalm?: boolean;
  /** The time for which there is work, in virtual milliseconds. Default: 10,000. */
  readonly duration?: number;
}

/** Returns the simulation of a seed: an application with options that suit the seed, on one node or on several. */
export function scenarioOf(
  seed: number,
  { isCalm = false, duration = 10_000 }: ScenarioOptions = {},
): SimulationOptions {
  const random = new Random(seed);
  const size = random.pick([3, 10, 50]);
  const isShort = random.chance(0.2);
  const replay = random.pick([undefined, undefined, 2]);
  const chat: HistoryRule = { size: isCalm ? 1_000 : size, age: AGE, replay };
  const isSync = random.chance(0.5);
  const hasRate = random.chance(0.3);
  const nodes = random.pick([0, 1, 2, 3, 3, 4]);
  const options: HubOptions = {
    codecs: [msgpackCodec],
    cluster: { maxPendingBytes: isCalm ? 1_048_576 : random.pick([3_000, 1_048_576, 1_048_576]) },
    heartbeat: { interval: 5_000, timeout: 3_000 },
    maxBufferedBytes: isCalm ? 1_048_576 : random.pick([8_192, 65_536]),
    joinable: isSync ? () => true : () => Promise.resolve(true),
    ...(hasRate && !isCalm ? { limits: { replay: { perSecond: 10_000, burst: 4_000 } } } : {}),
    history: { rooms: { "chat:*": chat, prices: PRICES }, ...(isShort && !isCalm ? { maxBytes: 8_000 } : {}) },
  };
  return {
    seed,
    nodes: Math.max(nodes, 1),
    engine: nodes > 0,
    codecs: [msgpackCodec],
    clients: random.pick([2, 3, 4, 5, 6, 16]),
    duration,
    pause: 200,
    rooms: { "chat:a": chat, "chat:b": chat, prices: PRICES },
    isTight: isShort || hasRate,
    hub: (basis) => new Hub({ ...options, ...basis }),
    ...(isCalm ? { faults: [] } : {}),
  };
}
