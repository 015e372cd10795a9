import { SIZE, type Peer } from "./peers.ts";
import { ServerProcess } from "./server-process.ts";
import type { Run } from "./server.ts";
import { median } from "./statistics.ts";

const MEMBERS = 400;
const PAIRS = Number(process.env["PAIRS"] ?? 5);

const WARM_UP: Run = { perTurn: 16, turns: 10, windows: 5 };

/** Enough turns for about a second of work at each rate. */
const RATES: readonly Run[] = [
  { perTurn: 1, turns: 25, windows: 12 },
  { perTurn: 16, turns: 10, windows: 20 },
  { perTurn: 64, turns: 5, windows: 20 },
];

const COMPARISONS: readonly (readonly [peer: Peer, control: Peer])[] = [
  ["hub on ws", "ws loop"],
  ["hub on uws", "uws publish"],
];

/** Microseconds for one delivery, by rate. */
type Slice = readonly number[];

/** One slice in a fresh process. */
function measure(peer: Peer): Promise<Slice> {
  return ServerProcess.use(peer, async (server, port) => {
    await server.connect(port, MEMBERS);
    await server.run(WARM_UP);
    const slice: number[] = [];
    for (const rate of RATES) slice.push(await server.run(rate));
    return slice;
  });
}

async function compare(peer: Peer, control: Peer): Promise<void> {
  const pairs: { peer: Slice; control: Slice }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    if (pair % 2 === 0) pairs.push({ peer: await measure(peer), control: await measure(control) });
    else pairs.push({ control: await measure(control), peer: await measure(peer) });
  }
  console.log(`${peer} / ${control}`);
  for (const [rate, { perTurn }] of RATES.entries()) {
    const own = pairs.map((pair) => pair.peer[rate] ?? Number.NaN);
    const other = pairs.map((pair) => pair.control[rate] ?? Number.NaN);
    const ratio = median(own.map((value, index) => value / (other[index] ?? Number.NaN)));
    const times = `${median(own).toFixed(3)} µs / ${median(other).toFixed(3)} µs`;
    console.log(`  ${String(perTurn).padStart(3)} a turn   ${times}   ratio ${ratio.toFixed(3)}`);
  }
}

console.log(`Server CPU for one delivery: ${MEMBERS} members of a room, ${SIZE} bytes, Node ${process.versions.node}`);
console.log(`Medians of ${PAIRS} pairs, fresh processes, in the order A B B A\n`);
for (const [peer, control] of COMPARISONS) await compare(peer, control);
