import { COMPARED, dashed, FAULTY } from "../command-line.ts";
import { PEERS } from "../peers/index.ts";
import type { PeerName } from "../peers/peer.ts";
import { wrapped, WIDTH } from "./text.ts";
import { scenarios } from "../scenarios/index.ts";

const USAGE = `npm run bench -- [options]

Measures broadcasts over WebSockets, the hub beside the libraries that people would use instead.
Without options: the quick set, in about a minute: what batching is worth.

What is run
  --full              every scenario in all its cases; latency at 25, 50, 75 and 90 % of capacity
  --scenario NAME     only this one, with latency at 75 %; may be repeated, or a list with commas
  --scenario cluster  several servers and Redis between them: a run of its own, which takes
                      --nodes N (2 to 4), --pairs, --duration, --peer and --json
  --scenario recovery clients whose connections are cut all the while: a run of its own, which
                      takes --members (clients), --rate (messages a second to a room), --cut
                      (seconds between two cuts), --duration, --nodes, --transport, --peer, --seed
                      and --json
  --scenario history  what a record of rooms costs: a run of its own, which takes --transport,
                      --members (clients of the storm), --pairs, --duration, --gate, --no-pin,
                      --seed and --json
  --scenario presence what it costs to know who is in a room, on three nodes: a run of its own,
                      which takes --members (users), --pairs, --seed and --json
  --peer NAME         only this one and the control; may be repeated, or a list with commas
  --transport NAME    of the hub's rows only those on ws or on uws
  --size BYTES        of a message; a list with commas for several
  --members N         of a room, or connections where these are what is measured; a list for several
  --rooms N           rooms, in the scenarios that have many
  --rate N            messages in a turn of the event loop; a list for several

How
  --pairs N           rounds, 5 by default: in each, every peer runs once, in fresh processes
  --duration SECONDS  for one measurement
  --no-pin            leave it to the system which processor cores the processes use
  --seed N            for what is drawn by lot: rooms, and the resamples behind the intervals

What becomes of it
  --json FILE         everything, with every raw slice
  --html FILE         one page with charts
  --gate              hold the run to what the project promises: see the exit status
  --baseline FILE     compare with an earlier --json FILE
  --help              this

Exit status: 0; 1 if a result is void or empty, if a peer failed in every round, or if a gate did or
none was measured; 2 if the call was wrong; 130 if it was interrupted, with what there is as --json.`;

/** What can be done. */
export function helpText(): string {
  return [
    USAGE,
    `Scenarios\n${list(scenarios.map(({ name, description }) => [name, description]))}`,
    `Peers; the first is the control\n${list(COMPARED.map((peer) => [dashed(peer), settingsOf(peer)]))}`,
    `For calibration\n${list([["floor", settingsOf("floor")]])}`,
    `Broken on purpose, to show that it is noticed\n${list(FAULTY.map((peer) => [peer, settingsOf(peer)]))}`,
  ].join("\n\n");
}

function settingsOf(peer: PeerName): string {
  const { library, sending, fault } = PEERS[peer].settings;
  return [library, sending, fault].filter((word) => word !== undefined).join(", ");
}

function list(entries: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 4;
  return entries
    .map(([name, text]) => wrapped(`  ${name.padEnd(width - 2)}${text}`, WIDTH, " ".repeat(width)))
    .join("\n");
}
