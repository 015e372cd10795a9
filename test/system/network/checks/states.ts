import type { Journal } from "../journal.ts";
import { FINAL_CODES, PASSING_CODES } from "../scenario.ts";

const NEXT: Readonly<Record<string, readonly string[]>> = {
  connecting: ["open", "waiting", "closed"],
  open: ["waiting", "closed"],
  waiting: ["connecting", "closed"],
  closed: [],
};

/** The client goes from state to state as it may, and each opening is one connection at the server. */
export function checkStates(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  let current: string | undefined;
  for (const { state, previous, code } of journal.of("state")) {
    if (state === "waiting" && FINAL_CODES.includes(code ?? 0)) complaints.push(`it reconnects after ${code}`);
    if (state === "closed" && PASSING_CODES.includes(code ?? 0)) complaints.push(`it stays away after ${code}`);
    if (current !== undefined && previous !== current)
      complaints.push(`${state} follows ${previous}, but it was ${current}`);
    if (NEXT[previous]?.includes(state) !== true) complaints.push(`${previous} became ${state}`);
    current = state;
  }
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
