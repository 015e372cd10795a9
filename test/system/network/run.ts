import { getEventListeners } from "node:events";
import type { Entry } from "./journal.ts";
import { judgeHandling } from "./judge/handling.ts";
import { judgePromises } from "./judge/promises.ts";
import { judgeReceiving } from "./judge/receiving.ts";
import { judgeRejoining, judgeRooms } from "./judge/rooms.ts";
import { judgeSending } from "./judge/sending.ts";
import { judgeStates } from "./judge/states.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { withTimers, type PendingTimers } from "./timers.ts";

/** What came of a scenario. */
export interface Result {
  /** Whatever must not have happened. */
  readonly complaints: readonly string[];
  /** Everything that has happened, for whoever looks for the cause. */
  readonly trace: readonly string[];
}

export function run(scenario: Scenario): Promise<Result> {
  const timers: PendingTimers = new Map();
  return withTimers(timers, async () => {
    const stage = await Stage.set(scenario);
    const complaints: string[] = [];
    for (const act of ["play", "recover", "strike"] as const) {
      try {
        await stage[act]();
      } catch (error) {
        complaints.push(`${act}: ${String(error)}`);
      }
    }
    return {
      complaints: [...complaints, ...judge(stage, scenario), ...leaks(stage, timers)],
      trace: stage.journal.entries.map(describe),
    };
  });
}

function describe({ type, ...rest }: Entry): string {
  return `${type} ${JSON.stringify(rest, (_, value: unknown) => (value instanceof Error ? String(value) : value))}`;
}

function judge({ journal, finalRooms }: Stage, { slowGuard }: Scenario): readonly string[] {
  return [
    ...judgePromises(journal),
    ...judgeSending(journal),
    ...judgeHandling(journal),
    ...judgeReceiving(journal),
    ...judgeStates(journal),
    // A client that is closed for good is in no room.
    ...(finalRooms === undefined ? [] : judgeRooms(journal, finalRooms)),
    ...judgeRejoining(journal, slowGuard),
  ];
}

function leaks({ abandoned, application, server }: Stage, timers: PendingTimers): readonly string[] {
  const { signals } = application;
  const listening = signals.filter((signal) => getEventListeners(signal, "abort").length > 0).length;
  return [
    ...Array.from(timers.values(), (origin) => `a timer is left, started ${origin}`),
    ...(listening === 0 ? [] : [`${listening} signals are listened to`]),
    ...(abandoned === 0 ? [] : [`${abandoned} WebSockets were replaced without being closed`]),
    ...server.remains,
  ];
}
