import { BODY_SIZE, peers, type Peer } from "./peers.ts";

/** Broadcasts in windows, each of which waits until the coordinator says that everything has arrived. */
export interface Run {
  readonly windows: number;
  /** Turns of the event loop in a window. */
  readonly turns: number;
  /** Messages in a turn. */
  readonly perTurn: number;
}

/** What the coordinator asks of the server's process. */
export type Command = Run | "arrived" | "memory";

/** What the server's process tells: where it listens, the CPU time of a run in microseconds, memory in bytes. */
export type Report =
  | { readonly port: number }
  | { readonly user: number; readonly system: number }
  | { readonly resident: number; readonly heap: number };

const { port, broadcast } = await peers[process.argv[2] as Peer]();
const arrivals: (() => void)[] = [];
let sequence = 0;

async function run({ windows, turns, perTurn }: Run): Promise<void> {
  const before = process.cpuUsage();
  for (let window = 0; window < windows; window++) {
    const arrived = new Promise<void>((resolve) => arrivals.push(resolve));
    for (let turn = 0; turn < turns; turn++) {
      for (let message = 0; message < perTurn; message++) broadcast(String(sequence++).padStart(BODY_SIZE, "0"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await arrived;
  }
  tell(process.cpuUsage(before));
}

/** After a collection: the process is started with `--expose-gc`. */
function memory(): Report {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

function tell(report: Report): void {
  process.send?.(report);
}

process.on("message", (command: Command) => {
  if (command === "arrived") arrivals.shift()?.();
  else if (command === "memory") tell(memory());
  else void run(command);
});
tell({ port });
