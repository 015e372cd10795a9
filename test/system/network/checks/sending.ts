import type { EventPacket, ReplyPacket } from "roomcast";
import { ClientError } from "roomcast/client";
import type { Call, Journal } from "../journal.ts";

/** What the client puts on its connections: everything that it was given, in order, and nothing twice. */
export function checkSending(journal: Journal): readonly string[] {
  return [
    ...journal.of("call").flatMap((call) => checkCall(call, journal)),
    ...checkOrder(journal),
    ...checkDrops(journal),
    ...checkProtocol(journal),
  ];
}

function checkCall(call: Call, journal: Journal): readonly string[] {
  const { n, what, idempotent = false } = call;
  const sends = journal.about(n, "sent");
  const [outcome] = journal.about(n, "threw", "resolved", "rejected");
  const complaints: string[] = [];
  if (new Set(sends.map(({ ws }) => ws)).size < sends.length || (!idempotent && sends.length > 1)) {
    complaints.push(`${what} ${n} was sent ${sends.length} times`);
  }
  const identities = new Set(sends.map(({ packet }) => JSON.stringify(packet)));
  if (identities.size > 1) complaints.push(`${what} ${n} was repeated differently`);
  const { key } = (sends[0]?.packet ?? {}) as Partial<EventPacket>;
  if (sends.length > 0 && (key !== undefined) !== idempotent) complaints.push(`${what} ${n} has the key ${key}`);
  // An event is settled for its sender when it is queued.
  const last = sends.at(-1);
  const settled = what === "event" || what === "bytes" ? outcome?.type === "threw" : outcome !== undefined;
  if (last !== undefined && settled && journal.about(n, "sent", "threw", "resolved", "rejected").at(-1) === last) {
    complaints.push(`${what} ${n} was sent after it had settled`);
  }
  return complaints;
}

/** On each connection in the order of the calls, repetitions included; and over all of them, what is sent first. */
function checkOrder(journal: Journal): readonly string[] {
  const complaints: string[] = [];
  const latest = new Map<number, number>();
  const seen = new Set<number>();
  let newest = 0;
  for (const { ws, n } of journal.of("sent")) {
    if (n === undefined) continue;
    if (n <= (latest.get(ws) ?? 0)) complaints.push(`${n} was sent after ${latest.get(ws)} on connection ${ws}`);
    latest.set(ws, n);
    if (!seen.has(n) && n < newest) complaints.push(`${n} was sent after ${newest}`);
    seen.add(n);
    newest = Math.max(newest, n);
  }
  return complaints;
}

/** Nothing that was accepted gets lost in silence. */
function checkDrops(journal: Journal): readonly string[] {
  const sent = new Set<number | undefined>(journal.of("sent").map(({ n }) => n));
  const accepted = new Set(journal.of("resolved").map(({ n }) => n));
  const unsent = journal.of("call").filter(({ n, what }) => {
    return (what === "event" || what === "bytes") && accepted.has(n) && !sent.has(n);
  });
  const reported = journal.of("failed").filter(({ error }) => isDrop(error)).length;
  if (unsent.length === reported) return [];
  return [`${unsent.map(({ n }) => n).join(", ")} were never sent, and ${reported} reported as dropped`];
}

/** What tells that an event waited in vain: for newer ones, or for a connection. */
export function isDrop(error: unknown): boolean {
  return error instanceof ClientError && (error.code === "ERR_CLIENT_DROPPED" || error.code === "ERR_CLIENT_CLOSED");
}

/** First the hello, and nothing else until the welcome; then a sign of life whenever the server asks for one. */
function checkProtocol(journal: Journal): readonly string[] {
  return journal.of("dialled").flatMap(({ ws }) => {
    const events = journal.of("sent", "welcomed").filter((entry) => entry.ws === ws);
    const begin = events.slice(0, 2).map((entry) => (entry.type === "sent" ? eventOf(entry) : entry.type));
    const right = ["hub:hello", "welcomed"].slice(0, begin.length);
    const pings = journal.of("pinged").filter((entry) => entry.ws === ws).length;
    const pongs = events.filter((entry) => entry.type === "sent" && eventOf(entry) === "hub:pong").length;
    const complaints: string[] = [];
    if (begin.join() !== right.join()) complaints.push(`connection ${ws} began with ${begin.join(", ")}`);
    if (pings !== pongs) complaints.push(`of ${pings} pings on connection ${ws} ${pongs} were answered`);
    return complaints;
  });
}

function eventOf({ packet }: { readonly packet: EventPacket | ReplyPacket }): string | undefined {
  return (packet as Partial<EventPacket>).event;
}
