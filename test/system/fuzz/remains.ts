import type { Figures, HubFigures } from "./server/messages.ts";

/** What comes and goes by itself: the channel to the coordinator, and what is due in this turn of the event loop. */
const TRANSIENT: ReadonlySet<string> = new Set(["PipeWrap", "Immediate"]);

/** What there is now, and has to be the same when all hostile clients have left. */
export function presence({ descriptors, hubs, pollution, resources }: Figures): unknown {
  return {
    descriptors,
    pollution,
    resources: Object.fromEntries(Object.entries(resources).filter(([name]) => !TRANSIENT.has(name))),
    hubs: Object.fromEntries(Object.entries(hubs).map(([name, hub]) => [name, presenceIn(hub)])),
  };
}

function presenceIn({ refusals, sockets, statistics }: HubFigures): unknown {
  const { connections, newcomers, closing, rooms, handling, handlingBytes, waitingBytes } = statistics;
  // Of the places that the hub has, those are lost whose client it believes to be there still.
  const places = { sockets, connections, newcomers, closing, turnedAwayForLackOfRoom: refusals["capacity"] ?? 0 };
  // The well-behaved clients ask something now and then.
  return { ...places, rooms, isAtWork: handling > 3, isHeavy: handlingBytes > 3 * 1_024, waitingBytes };
}

/** The sum of what the hubs counted under these names. */
export function sum(
  { hubs }: Figures,
  what: "disconnections" | "errors" | "refusals",
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const hub of Object.values(hubs)) {
    for (const [name, count] of Object.entries(hub[what])) counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}
