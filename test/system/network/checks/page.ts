import type { Journal } from "../journal.ts";
import { HEARTBEAT } from "../server.ts";

/** What the client makes of its page: without one it has no connection and keeps still, and with one it does not wait. */
export function checkPage(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  let isAway = false;
  for (const entry of journal.of("loaded", "page", "dialled")) {
    if (entry.type === "loaded") isAway = false;
    else if (entry.type === "page") {
      const { event, state } = entry;
      isAway = event === "pagehide";
      const isGone = isAway || event === "offline";
      if (state === (isGone ? "open" : "waiting")) complaints.push(`after the page's ${event} the client is ${state}`);
    } else if (isAway) complaints.push("it connects while its page is away");
  }
  return complaints;
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
