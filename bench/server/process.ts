import { PEERS } from "../peers/index.ts";
import type { Application, PeerServer } from "../peers/peer.ts";
import { now } from "../stamp.ts";
import { broadcast } from "./broadcast.ts";
import { Churning } from "./churning.ts";
import { Credit } from "./credit.ts";
import { Measurement } from "./measurement.ts";
import type { Load, Memory, ServerCommand, ServerOptions, ServerFigures, ServerReport, Stream } from "./messages.ts";
import { Source } from "./source.ts";

const options = JSON.parse(process.argv[2] ?? "") as ServerOptions;
const peer = PEERS[options.peer];

/** What clients or autocannon drive, while it is measured. */
interface Driven {
  readonly source: Source;
  readonly measurement: Measurement;
  /** When the last message was sent, if any was. */
  ended: number | undefined;
}

let driven: Driven | undefined;
let credit = new Credit();

const application: Application = {
  compression: options.compression,
  ...(options.recorded !== undefined && { recorded: options.recorded }),
  posted: () => {
    if (driven === undefined) return;
    const time = now();
    driven.ended = time;
    driven.source.send(time);
  },
};

/** Whatever a command throws ends the process with a trace, which is what the coordinator has to see. */
async function obey(command: ServerCommand, server: PeerServer): Promise<void> {
  switch (command.do) {
    case "broadcast":
      tell({ told: "figures", figures: await send(command.load, server) });
      break;
    case "credit":
      credit.add(command.deliveries);
      break;
    case "begin":
      begin(command.streams, server);
      break;
    case "end":
      await end();
      break;
    case "memory":
      tell({ told: "memory", memory: memory() });
      break;
  }
}

async function send(load: Load, server: PeerServer): Promise<ServerFigures> {
  credit = new Credit();
  const churning = load.churn === undefined ? undefined : new Churning(server, load.churn);
  const source = new Source(peer, server, options.size, load.streams, churning);
  return broadcast(load, { source, credit, churning });
}

function begin(streams: readonly Stream[], server: PeerServer): void {
  const source = new Source(peer, server, options.size, streams);
  driven = { source, measurement: new Measurement(source), ended: undefined };
}

async function end(): Promise<void> {
  if (driven === undefined) throw new Error("There is no measurement to end.");
  const { measurement, ended } = driven;
  driven = undefined;
  tell({ told: "figures", figures: await measurement.figures(ended ?? now(), 0) });
}

/** Twice, because what the first collection finalises only the second frees. */
function memory(): Memory {
  if (globalThis.gc === undefined) throw new Error("Start the server's process with --expose-gc.");
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}

function tell(report: ServerReport, told?: () => void): void {
  process.send?.(report, undefined, undefined, told);
}

async function serve(): Promise<void> {
  let server: PeerServer;
  try {
    server = await peer.start(application);
  } catch (error) {
    tell({ told: "unavailable", reason: (error as Error).message }, () => process.disconnect());
    return;
  }
  process.on("message", (command: ServerCommand) => void obey(command, server));
  tell({ told: "listening", port: server.port });
}

// The coordinator is gone, or has no more use for it.
process.on("disconnect", () => process.exit());
await serve();
