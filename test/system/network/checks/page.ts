import type { Journal } from "../journal.ts";
import { HEARTBEAT } from "../server.ts";

/** What the client makes of its page: without one it has no connection, and with one it does not wait. */
export function checkPage(journal: Journal): readonly string[] {
  return journal.of("page").flatMap(({ event, state }) => {
    const isGone = event === "offline" || event === "pagehide";
    return state === (isGone ? "open" : "waiting") ? [`after the page's ${event} the client is ${state}`] : [];
  });
}

/** A connection is given up for its silence only after as much of it as the server allows, whatever the wall clock says. */
export function checkPatience({ entries }: Journal): readonly string[] {
  const complaints: string[] = [];
  let heardAt = -Infinity;
  let current: number | undefined;
  for (const entry of entries) {
    if (entry.type === "welcomed") current = entry.ws;
    else if (entry.type === "heard" && entry.ws >= (current ?? 0)) heardAt = entry.at;
    else if (entry.type === "state" && entry.reason === SILENT) {
      const silence = entry.at - heardAt;
      if (silence < HEARTBEAT.interval + HEARTBEAT.timeout)
        complaints.push(`it gave up after ${silence} ms of silence`);
    }
  }
  return complaints;
}

/** The reason that the client gives for ending a connection on which nothing arrives. */
const SILENT = "No sign of life.";
