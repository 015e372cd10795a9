import type { Peer } from "./peers.ts";
import { ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 5_000;
const PAIRS = Number(process.env["PAIRS"] ?? 3);

const COMPARISONS: readonly (readonly [peer: Peer, control: Peer])[] = [
  ["hub on ws", "ws loop"],
  ["hub on uws", "uws publish"],
];

/** What one idle connection, which is in one room, adds to the server's process; in KiB. */
function measure(peer: Peer): Promise<{ heap: number; resident: number }> {
  return ServerProcess.use(peer, async (server, port) => {
    // The first connections compile code, fill pools and let the collector's young generation grow to its size.
    await server.connect(port, CONNECTIONS);
    const before = await server.memory();
    await server.connect(port, 2 * CONNECTIONS);
    const after = await server.memory();
    const each = (what: "heap" | "resident"): number => (after[what] - before[what]) / CONNECTIONS / 1024;
    return { heap: each("heap"), resident: each("resident") };
  });
}

console.log(`Memory for an idle connection in KiB: ${CONNECTIONS} connections, medians of ${PAIRS} pairs\n`);
for (const [peer, control] of COMPARISONS) {
  const own: { heap: number; resident: number }[] = [];
  const other: { heap: number; resident: number }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    own.push(await measure(peer));
    other.push(await measure(control));
  }
  console.log(`${peer} / ${control}`);
  for (const what of ["heap", "resident"] as const) {
    const [mine, theirs] = [median(own.map((slice) => slice[what])), median(other.map((slice) => slice[what]))];
    console.log(
      `  ${what.padEnd(8)}  ${mine.toFixed(2)} / ${theirs.toFixed(2)}   difference ${(mine - theirs).toFixed(2)}`,
    );
  }
}
