import { ClientError } from "roomcast/client";
import type { Journal } from "../journal.ts";
import { GuardError } from "../server.ts";
import { isDrop } from "./sending.ts";

/** What the client hands to the application: what its connection was sent, in order, up to some point. */
export function checkReceiving(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  const received = journal.of("received");
  received.reduce((newest, { m }) => {
    if (m <= newest) complaints.push(`message ${m} came after ${newest}`);
    return m;
  }, 0);
  for (const id of new Set(received.map((entry) => entry.id))) {
    const came = received.filter((entry) => entry.id === id).map(({ m }) => m);
    const told = journal
      .of("told")
      .filter((entry) => entry.id === id)
      .map(({ m }) => m);
    if (came.join() !== told.slice(0, came.length).join())
      complaints.push(`${id} was told ${told.join()}, and heard ${came.join()}`);
  }
  for (const { m, id } of journal.of("told").filter(({ isQuestion }) => isQuestion)) {
    const outcomes = journal
      .of("askedFor")
      .filter((entry) => entry.m === m)
      .map(({ outcome }) => outcome);
    const heard = received.some((entry) => entry.m === m && entry.id === id);
    const right = outcomes.length === 1 && (outcomes[0] === m ? heard : LOSSES.has(outcomes[0]));
    if (!right) complaints.push(`the server's question ${m} came to ${outcomes.join()}`);
  }
  for (const { error } of journal.of("failed")) {
    if (!isDrop(error) && !isOfGuard(error)) complaints.push(`an error event: ${String(error)}`);
  }
  return complaints;
}

/** What becomes of a question whose connection ends. */
const LOSSES: ReadonlySet<unknown> = new Set(["ERR_HUB_DISCONNECTED", "ERR_HUB_CLOSED"]);

/** Whether the guard of the rooms has failed, at the server, or the client is told so. */
function isOfGuard(error: unknown): boolean {
  return error instanceof GuardError || (error instanceof ClientError && error.reason === "handler-failed");
}
