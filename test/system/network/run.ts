import { getEventListeners } from "node:events";
import type { Entry } from "./journal.ts";
import { checkHandling } from "./checks/handling.ts";
import { checkPage, checkPatience } from "./checks/page.ts";
import { checkPromises } from "./checks/promises.ts";
import { checkReceiving } from "./checks/receiving.ts";
import { checkRejoining, checkRooms } from "./checks/rooms.ts";
import { checkSending } from "./checks/sending.ts";
import { checkStates } from "./checks/states.ts";
import { Page } from "./page.ts";
import type { Scenario } from "./scenario.ts";
import { ScenarioPlayer } from "./scenario-player.ts";
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
  const page = new Page();
  const inside = <V>(play: () => V): V => withTimers(timers, () => page.run(play));
  return inside(async () => {
    const player = await ScenarioPlayer.create(scenario, page);
    const complaints: string[] = [];
    for (const act of ["play", "recover", "tearDown"] as const) {
      try {
        await player[act]();
      } catch (error) {
        complaints.push(`${act}: ${String(error)}`);
      }
    }
    return {
      complaints: [...complaints, ...check(player, scenario), ...leaks(player, timers, page)],
      trace: player.journal.entries.map(describe),
    };
  });
}

function describe({ type, ...rest }: Entry): string {
  return `${type} ${JSON.stringify(rest, (_, value: unknown) => (value instanceof Error ? String(value) : value))}`;
}

function check({ journal, finalRooms }: ScenarioPlayer, { guard }: Scenario): readonly string[] {
  return [
    ...checkPromises(journal),
    ...checkSending(journal),
    ...checkHandling(journal),
    ...checkReceiving(journal),
    ...checkStates(journal),
    ...checkPage(journal),
    ...checkPatience(journal),
    // A client that is closed for good is in no room.
    ...(finalRooms === undefined ? [] : checkRooms(journal, finalRooms, guard)),
    ...checkRejoining(journal, guard),
  ];
}

function leaks(
  { abandoned, application, server }: ScenarioPlayer,
  timers: PendingTimers,
  { asked, listened }: Page,
): readonly string[] {
  const { signals } = application;
  const listening = signals.filter((signal) => getEventListeners(signal, "abort").length > 0).length;
  return [
    ...Array.from(timers.values(), (origin) => `a timer is left, started ${origin}`),
    ...(listening === 0 ? [] : [`${listening} signals are listened to`]),
    ...(asked > 0 ? [] : ["the client did not listen to the page"]),
    ...(listened.length === 0 ? [] : [`the page's ${listened.join()} are listened to`]),
    ...(abandoned === 0 ? [] : [`${abandoned} WebSockets were replaced without being closed`]),
    ...server.remains,
  ];
}
