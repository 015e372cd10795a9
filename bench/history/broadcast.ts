import { sumOf } from "../statistics/verdict.ts";
import { violationsOf } from "../facts.ts";
import { crowd, streamTo } from "../scenarios/audience.ts";
import { broadcasts, casesFor } from "../scenarios/broadcasts.ts";
import { aTurn, describe } from "../scenarios/words.ts";
import { onStage, type SliceSetup } from "./slice.ts";

/** The rooms, which have the same members: one that a rule may name, and one that none does. */
const RECORDED = { room: "r0", stream: 0 } as const;
const OTHER = { room: "o0", stream: 1 } as const;

/** Which of them is sent to, one after the other, so that who comes first has no advantage. */
const ORDER = [RECORDED, OTHER, OTHER, RECORDED] as const;

/** How often they take turns, in a quarter of the time each: what disturbs one then disturbs the next one as well. */
const REPETITIONS = 4;

export interface BroadcastPlan extends Omit<SliceSetup, "size"> {
  readonly members: number;
  /** Messages in a turn. */
  readonly rates: readonly number[];
  readonly seconds: number;
}

/** CPU of the server for one delivery, in microseconds, by messages in a turn: as often as was measured. */
export interface BroadcastCost {
  readonly recorded: ReadonlyMap<number, readonly number[]>;
  readonly other: ReadonlyMap<number, readonly number[]>;
}

/** Sends to a room that is recorded, if the server records any, and to another one with the same members. */
export function broadcastCost({ members, rates, seconds, ...setup }: BroadcastPlan): Promise<BroadcastCost> {
  const size = 64;
  const order = Array.from({ length: REPETITIONS }, () => ORDER).flat();
  const cases = rates.flatMap((perTurn) => order.map((place) => ({ perTurn, place })));
  let next = 0;
  const trial = broadcasts({
    name: describe(members, size),
    size,
    clients: crowd(members, { rooms: ORDER.slice(0, 2).map(({ room }) => room), streams: [0, 1] }),
    cases: casesFor(
      cases.map(({ perTurn }) => perTurn),
      (perTurn) => {
        const { room, stream } = (cases[next++] as (typeof cases)[number]).place;
        return { title: `${room}, ${aTurn(perTurn)}`, streams: [streamTo(room, stream, members)], perTurn, members };
      },
    ),
    seconds: seconds / REPETITIONS,
    latency: false,
  });
  return onStage({ ...setup, size }, async (stage) => {
    const measurements = await trial.capacity(stage);
    const violations = sumOf(measurements.map((measurement) => measurement.violations));
    if (violations !== undefined) throw new Error(`Messages went wrong: ${violationsOf(violations)}`);
    const [recorded, other] = [new Map<number, number[]>(), new Map<number, number[]>()];
    for (const [index, { figures }] of measurements.entries()) {
      const { perTurn, place } = cases[index] as (typeof cases)[number];
      const costs = place === RECORDED ? recorded : other;
      costs.set(perTurn, [...(costs.get(perTurn) ?? []), figures.cpu ?? Number.NaN]);
    }
    return { recorded, other };
  });
}
