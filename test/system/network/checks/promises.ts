import { ClientError } from "roomcast/client";
import type { Call, Journal, Outcome } from "../journal.ts";
import { FORBIDDEN_ROOM } from "../scenario.ts";
import { answerTo } from "../server.ts";

/** Timers may be early by what the clocks differ, in milliseconds. */
const CLOCKS_DIFFER = 2;

/** A promise that settles while its signal is aborted may tell later, by so many milliseconds. */
const ON_ITS_WAY = 5;

/** Every call comes to an end, once, and to one that is true. */
export function checkPromises(journal: Journal): readonly string[] {
  const outcomes = journal.of("threw", "resolved", "rejected");
  return journal.of("call").flatMap((call) => {
    const own = outcomes.filter(({ n }) => n === call.n);
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
  const aborted = journal.of("aborted").find(({ signal }) => signal === call.signal);
  if (aborted !== undefined && outcome.at > aborted.at + ON_ITS_WAY && outcome.value !== aborted.signal.reason) {
    return "it had been aborted";
  }
  if (outcome.type === "resolved") return objectionToSuccess(outcome.value, call, journal);
  if (outcome.type === "threw" && call.what !== "event" && call.what !== "bytes") return "what promises must not throw";
  if (aborted !== undefined && outcome.value === aborted.signal.reason) return undefined;
  if (!(outcome.value instanceof ClientError)) return "there is no reason for that";
  return objectionToError(outcome.value, outcome, call, journal);
}

function objectionToSuccess(value: unknown, { what, n, treatment, room }: Call, journal: Journal): string | undefined {
  if (what === "join") return room === FORBIDDEN_ROOM ? "the room is forbidden" : undefined;
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
        return call.room === FORBIDDEN_ROOM && error.reason === "not-joinable" ? undefined : "the room is open";
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
      return journal.of("state").some(({ state }) => state === "closed") ? undefined : "the client is not closed";
    default:
      return "there is no reason for that";
  }
}

/** No server, network or client in a scenario takes as long as a request has that names no timeout of its own. */
function objectionToTimeout({ at }: Outcome, call: Call, journal: Journal): string | undefined {
  if (call.timeout === undefined) return "something should have come of it sooner";
  const took = at - call.at;
  if (took < call.timeout - CLOCKS_DIFFER) return `it took ${took} ms`;
  const closed = journal.of("state").find(({ state }) => state === "closed");
  return closed !== undefined && closed.at < at - CLOCKS_DIFFER ? "the client was closed before" : undefined;
}

/** Only a connection that it was sent on can have been lost before the reply. */
function objectionToLoss(outcome: Outcome, { n, idempotent }: Call, journal: Journal): string | undefined {
  const { entries } = journal;
  const sent = entries.findLastIndex((entry) => entry.type === "sent" && entry.n === n);
  if (sent === -1) return "it was never sent";
  const between = entries.slice(sent, entries.indexOf(outcome));
  const changes = between.filter((entry) => entry.type === "state");
  if (!changes.some(({ previous }) => previous === "open")) return "the connection was not lost";
  if (idempotent === true && journal.of("state").at(-1)?.state !== "closed") return "it should have been repeated";
  return undefined;
}

function wasHandled(journal: Journal, n: number): boolean {
  return journal.of("handled").some((handled) => handled.n === n);
}
