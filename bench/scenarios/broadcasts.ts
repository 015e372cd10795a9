import type { Measurement } from "../figures.ts";
import { measurementOf } from "../observation.ts";
import type { Client } from "../receivers/messages.ts";
import type { Churn, Load, Stream } from "../server/messages.ts";
import type { Stage } from "../stage.ts";
import { openLoop, saturating, warmUpSeconds } from "./loads.ts";
import type { Trial } from "./scenario.ts";

/** How many handshakes are under way at a time, where that is not the question. */
export const HANDSHAKES = 100;

/** Clients who listen, and what the server sends them. */
export interface BroadcastPlan {
  /** Of the trial, and of the case in which latency is measured. */
  readonly name: string;
  readonly size: number;
  readonly compression?: boolean;
  readonly clients: readonly Client[];
  /** The first is also the one in which latency is measured. */
  readonly cases: readonly [BroadcastCase, ...BroadcastCase[]];
  readonly seconds: number;
  readonly latency: boolean;
}

export interface BroadcastCase {
  readonly title: string;
  readonly streams: readonly Stream[];
  readonly perTurn: number;
  /** How many hear one message. */
  readonly members: number;
  /** How many rooms there are, where there is more than one. */
  readonly rooms?: number;
  readonly churn?: Churn;
}

/** A case for each number of messages in a turn; for one a turn, where none is asked for. */
export function casesFor(rates: readonly number[], caseOf: (perTurn: number) => BroadcastCase): BroadcastPlan["cases"] {
  const [first = 1, ...others] = rates;
  return [caseOf(first), ...others.map((perTurn) => caseOf(perTurn))];
}

/** A trial in which the server broadcasts. */
export function broadcasts(plan: BroadcastPlan): Trial {
  return {
    name: plan.name,
    size: plan.size,
    compression: plan.compression ?? false,
    capacity: async (stage) => {
      await connect(stage, plan.clients);
      // All of them before the first is measured, or the last would find the process warmer.
      for (const each of plan.cases) await stage.broadcast(loadOf(plan, each, warmUpSeconds(plan.seconds)));
      const measurements: Measurement[] = [];
      for (const each of plan.cases) measurements.push(await measureCapacity(stage, plan, each));
      return measurements;
    },
    ...(plan.latency && {
      latency: async (stage, messages, loads) => {
        await connect(stage, plan.clients);
        const measurements: Measurement[] = [];
        for (const load of loads) measurements.push(await measureLatency(stage, plan, messages, load));
        return measurements;
      },
    }),
  };
}

export async function connect(stage: Stage, clients: readonly Client[]): Promise<void> {
  await stage.connect({ clients, concurrency: HANDSHAKES, from: ["127.0.0.1"] });
}

async function measureCapacity(stage: Stage, plan: BroadcastPlan, each: BroadcastCase): Promise<Measurement> {
  const { title, members, perTurn, rooms } = each;
  return measurementOf(await stage.broadcast(loadOf(plan, each, plan.seconds)), {
    case: title,
    parameters: { members, size: plan.size, perTurn, ...(rooms !== undefined && { rooms }) },
    phase: "capacity",
  });
}

function loadOf({ size, clients }: BroadcastPlan, { streams, perTurn, churn }: BroadcastCase, seconds: number): Load {
  const plan = { streams, listeners: clients.length, perTurn, size, seconds };
  return saturating({ ...plan, ...(churn !== undefined && { churn }) });
}

async function measureLatency(
  stage: Stage,
  { name, size, seconds, cases: [first] }: BroadcastPlan,
  messages: number,
  load: number,
): Promise<Measurement> {
  const rate = messages * load;
  await stage.broadcast(openLoop(first.streams, rate, warmUpSeconds(seconds)));
  return measurementOf(await stage.broadcast(openLoop(first.streams, rate, seconds)), {
    case: name,
    parameters: { members: first.members, size },
    phase: "latency",
    load,
  });
}
