import { ClientError } from "roomcast/client";
import type { Call, Entry, Journal, Outcome } from "../journal.ts";
import { FORBIDDEN_ROOM } from "../scenario.ts";
import { answerTo } from "../server.ts";

/** Timers may be early by what the clocks differ, in milliseconds. */
const CLOCKS_DIFFER = 2;

/** Every call comes to an end, once, and to one that is true. */
export function checkPromises(journal: Journal): readonly string[] {
  return journal.of("call").flatMap((call) => {
    const own = journal.about(call.n, "threw", "resolved", "rejected");
    const [outcome] = own;
    if (outcome === undefined || own.length > 1) return [`${call.what} ${call.n} settled ${own.length} times`];
    const objection = objectionTo(outcome, call, journal);
    return objection === undefined ? [] : [`${call.what} ${call.n} ${describe(outcome)}, but ${objection}`];
  });
}

function describe({ type, value }: Outcome): string {
  return `${type} ${value instanceof ClientError ? value.code : String(value)}`;
}

function objectionTo(outcome: Outcome, call: Call, journal: Journal): string | undefined {
  const aborted =
    call.signal === undefined ? undefined : journal.of("aborted").find(({ signal }) => signal === call.signal);
  if (aborted !== undefined && journal.isLater(outcome, aborted) && outcome.value !== aborted.signal.reason) {
    return "it had been aborted";
  }
  if (outcome.type === "resolved") return objectionToSuccess(outcome.value, call, journal);
  if (outcome.type === "threw" && call.what !== "event" && call.what !== "bytes") return "what promises must not throw";
  if (aborted !== undefined && outcome.value === aborted.signal.reason) return undefined;
  if (!(outcome.value instanceof ClientError)) return "there is no reason for that";
  return objectionToError(outcome.value, outcome, call, journal);
}

function objectionToSuccess(value: unknown, { what, n, treatment, rooms }: Call, journal: Journal): string | undefined {
  if (what === "join") return rooms?.includes(FORBIDDEN_ROOM) === true ? "the room is forbidden" : undefined;
  if (what !== "request") return undefined;
  if (value !== answerTo(n)) return `the answer is ${answerTo(n)}`;
  if (treatment === "refuse" || treatment === "ignore") return `the server did ${treatment} it`;
  return wasHandled(journal, n) ? undefined : "it was not handled";
}

function objectionToError(error: ClientError, outcome: Outcome, call: Call, journal: Journal): string | undefined {
  switch (error.code) {
    case "ERR_CLIENT_TIMEOUT":
      return objectionToTimeout(outcome, call, journal);
    case "ERR_CLIENT_REMOTE": {
      // A client that does not want a room any more does not ask again, if the guard has failed.
      if (call.what === "leave" && error.reason === "handler-failed") return undefined;
      if (call.what !== "request") {
        return call.rooms?.includes(FORBIDDEN_ROOM) === true && error.reason === "not-joinable"
          ? undefined
          : "the room is open";
      }
      return call.treatment === "refuse" && error.reason === "no" && wasHandled(journal, call.n)
        ? undefined
        : `the server did ${call.treatment} it, and the reason is ${error.reason}`;
    }
    case "ERR_CLIENT_DISCONNECTED":
      return objectionToLoss(outcome, call, journal);
    case "ERR_CLIENT_QUEUE_FULL":
    case "ERR_CLIENT_DROPPED":
      return wasHandled(journal, call.n) ? "it was handled" : undefined;
    case "ERR_CLIENT_CLOSED":
      return isBefore(closedBy(call, journal), outcome, journal) ? undefined : "the client was not closed";
    default:
      return "there is no reason for that";
  }
}

/** What names no timeout of its own does not time out: see `timers.ts`. */
function objectionToTimeout(outcome: Outcome, call: Call, journal: Journal): string | undefined {
  if (call.timeout === undefined) return "something should have come of it sooner";
  const took = outcome.at - call.at;
  if (took < call.timeout - CLOCKS_DIFFER) return `it took ${took} ms`;
  const closed = closedBy(call, journal);
  return closed !== undefined && journal.isLater(outcome, closed) ? "the client was closed before" : undefined;
}

/** The end of the client that was called. */
function closedBy({ client }: Call, journal: Journal): Entry | undefined {
  return journal.of("state").find((change) => change.client === client && change.state === "closed");
}

/** Only a connection that it was sent on can have been lost before the reply. */
function objectionToLoss(outcome: Outcome, call: Call, journal: Journal): string | undefined {
  const { entries } = journal;
  const sent = journal.about(call.n, "sent").at(-1);
  if (sent === undefined) return "it was never sent";
  const between = entries.slice(entries.indexOf(sent), entries.indexOf(outcome));
  const changes = between.filter((entry) => entry.type === "state");
  if (!changes.some(({ previous }) => previous === "open")) return "the connection was not lost";
  if (call.idempotent === true) return "it should have been repeated";
  return undefined;
}

function isBefore(entry: Entry | undefined, other: Entry, { entries }: Journal): boolean {
  return entry !== undefined && entries.indexOf(entry) < entries.indexOf(other);
}

function wasHandled(journal: Journal, n: number): boolean {
  return journal.about(n, "handled").length > 0;
}
