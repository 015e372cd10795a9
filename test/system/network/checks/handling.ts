import type { Call, Journal } from "../journal.ts";

/** What reaches the server's handlers: what was sent, in order, and nothing twice. */
export function checkHandling(journal: Journal): readonly string[] {
  return [
    ...checkRepetition(journal),
    ...journal.of("connection").flatMap(({ id }) => checkConnection(id, journal)),
    ...checkOrder(journal),
  ];
}

/** What a server that was restarted has handled, the new one cannot know. */
function checkRepetition(journal: Journal): readonly string[] {
  const seen = new Set<string>();
  return journal.of("handled").flatMap(({ n, run }) => {
    const call = callOf(n, journal);
    if (call === undefined) return [`${n} was handled, but never called`];
    const identity = call.idempotent === true ? `${n} in run ${run}` : `${n}`;
    if (seen.has(identity)) return [`${call.what} ${identity} was handled twice`];
    seen.add(identity);
    return [];
  });
}

/** Of what was sent on a connection everything was handled up to some point, but for repetitions. */
function checkConnection(id: string, journal: Journal): readonly string[] {
  const ws = journal.of("welcomed").find((welcomed) => welcomed.id === id)?.ws;
  const sent = journal.of("sent").filter((entry) => entry.ws === ws && entry.n !== undefined);
  const left = sent.map(({ n }) => n);
  const complaints: string[] = [];
  for (const { n } of journal.of("handled").filter((handled) => handled.id === id)) {
    const place = left.indexOf(n);
    if (place === -1) {
      complaints.push(`${n} was handled out of order, or without having been sent`);
      continue;
    }
    for (const skipped of left.splice(0, place + 1).slice(0, -1)) {
      const call = callOf(skipped as number, journal);
      if (call?.idempotent !== true || !wasHandled(call.n, journal)) complaints.push(`${skipped} got lost before ${n}`);
    }
  }
  return complaints;
}

/** From one connection to the next as well, unless the network brings what it held back on one that is given up. */
function checkOrder(journal: Journal): readonly string[] {
  const given = new Map(journal.of("welcomed").map(({ id, ws }) => [id, ws]));
  let current = -1;
  let newest = 0;
  const complaints: string[] = [];
  for (const entry of journal.entries) {
    if (entry.type === "welcomed") current = entry.ws;
    if (entry.type !== "handled" || given.get(entry.id) !== current) continue;
    const { n } = entry;
    const isRepetition = journal.about(n, "sent").length > 1;
    if (n < newest && !isRepetition) complaints.push(`${n} was handled after ${newest}`);
    newest = Math.max(newest, n);
  }
  return complaints;
}

function callOf(n: number, journal: Journal): Call | undefined {
  return journal.about(n, "call")[0];
}

function wasHandled(n: number, journal: Journal): boolean {
  return journal.about(n, "handled").length > 0;
}
