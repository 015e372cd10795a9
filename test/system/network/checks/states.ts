import type { Journal } from "../journal.ts";
import { FINAL_CODES, PASSING_CODES } from "../scenario.ts";

const NEXT: Readonly<Record<string, readonly string[]>> = {
  connecting: ["open", "waiting", "closed"],
  open: ["waiting", "closed"],
  waiting: ["connecting", "closed"],
  closed: [],
};

/** The code of an end without a close frame. */
const LOST = 1006;

/** The code of a close frame without a code. */
const NO_STATUS = 1005;

/** The client goes from state to state as it may, and each opening is one connection at the server. */
export function checkStates(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  let current: string | undefined;
  for (const entry of journal.of("loaded", "state")) {
    if (entry.type === "loaded") {
      current = undefined;
      continue;
    }
    const { state, previous, code = 0 } = entry;
    if (state === "waiting" && code !== LOST && !PASSING_CODES.includes(code)) {
      complaints.push(`it reconnects after ${code}`);
    }
    if (state === "closed" && code !== NO_STATUS && !FINAL_CODES.includes(code)) {
      complaints.push(`it stays away after ${code}`);
    }
    if (current !== undefined && previous !== current)
      complaints.push(`${state} follows ${previous}, but it was ${current}`);
    if (NEXT[previous]?.includes(state) !== true) complaints.push(`${previous} became ${state}`);
    current = state;
  }
  return [...complaints, ...checkCodes(journal), ...checkConnections(journal)];
}

/** The client takes a code as its platform tells it, and one that no close frame can have for none. */
function checkCodes({ entries }: Journal): readonly string[] {
  const complaints: string[] = [];
  /** The connection of the current attempt. */
  let current: number | undefined;
  let told: number | undefined;
  for (const entry of entries) {
    if (entry.type === "dialled") {
      current = entry.ws;
      told = undefined;
    } else if (entry.type === "ended" && entry.ws === current) {
      const { code = 0 } = entry;
      told = code >= 1000 && code < 5000 ? code : LOST;
    } else if (entry.type === "page" && entry.state === "connecting") {
      // Another attempt takes the place of the current one.
      current = told = undefined;
    } else if (entry.type === "state" && (entry.state === "waiting" || entry.state === "closed")) {
      const { code } = entry;
      if (told !== undefined && code !== told) complaints.push(`the platform tells ${told}, and the client ${code}`);
      current = told = undefined;
    }
  }
  return complaints;
}

function checkConnections(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  const opened = journal.of("state").filter(({ state }) => state === "open");
  if (new Set(opened.map(({ id }) => id)).size < opened.length) complaints.push("an id was used twice");
  for (const { id } of opened) {
    for (const type of ["connection", "disconnection"] as const) {
      const count = journal.of(type).filter((entry) => entry.id === id).length;
      if (count !== 1) complaints.push(`the server reports ${count} events "${type}" of ${id}`);
    }
  }
  const ends = journal.of("disconnection").map(({ id }) => id);
  for (const { id } of journal.of("connection")) {
    if (ends.filter((end) => end === id).length !== 1) complaints.push(`${id} was not disconnected once`);
  }
  return complaints;
}
