import { readdirSync, readlinkSync } from "node:fs";
import { Session, type HeapProfiler } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { defineContract, Hub, type HubOptions, type TransportName } from "roomcast";
import type { StandardSchema } from "roomcast/contract";
import { msgpackCodec } from "roomcast/msgpack";
import { MemoryEngine, memory } from "roomcast/testing";
import { CLAIMED_ADDRESS } from "./floods.js";
import type { Figures, HubName, ServerCommand, ServerReport } from "./messages.js";

const transport = process.argv[2] as TransportName;

/** How often the other node asks those who listen, in milliseconds. */
const ASKING_INTERVAL = 20;

/** The least number of bytes between two samples of what is allocated. */
const SAMPLING_INTERVAL = 16 * 1024;

/** A schema as those of the usual libraries: its result is a copy. */
const records: StandardSchema = {
  "~standard": {
    version: 1,
    vendor: "floods",
    validate: (value) => ({ value: structuredClone(value) }),
  },
};

const engine = new MemoryEngine();

/** The limits of all hubs are the defaults, but for the number of connections of an address. */
const OPTIONS: Readonly<Record<HubName, HubOptions>> = {
  usual: { codecs: [msgpackCodec], backplane: engine.backplane() },
  // The type of the hub knows no events.
  strict: { contract: defineContract({ client: { note: records } }) as never },
  compressing: { compression: true },
  // On uws a place is held for some seconds more than the connection.
  narrow: transport === "ws" ? { maxConnectionsPerAddress: 1 } : {},
  hesitant: {
    trustProxy: ["10.0.0.0/8", "127.0.0.0/8"],
    // Whoever sends early waits long enough for all of it to come.
    authenticate: async ({ headers, remoteAddress }) => {
      if (remoteAddress === CLAIMED_ADDRESS)
        tell({ told: "fault", fault: "More proxies were read than there can be." });
      if (headers["x-forwarded-for"] === undefined) await delay(1_500);
      return { id: "guest" };
    },
  },
};

let handled = 0;
/** How often "count" was handled. */
let counted = 0;
let release: () => void = () => {};
let released = nextRelease();
const closes: Record<string, number> = {};

function nextRelease(): Promise<void> {
  return new Promise((resolve) => {
    release = resolve;
  });
}

function hubNamed(name: HubName): Hub {
  const hub: Hub = new Hub({ ...OPTIONS[name], transport, joinable: (room) => !room.startsWith("private") });
  hub.on("disconnection", (_socket, { code }) => {
    closes[code] = (closes[code] ?? 0) + 1;
  });
  hub.handle("note", () => {
    handled++;
  });
  if (name === "narrow") {
    hub.on("message", () => {
      handled++;
    });
  }
  if (name === "strict") return hub;
  hub.handle("echo", (data) => {
    handled++;
    return data;
  });
  hub.handle("count", () => ++counted);
  hub.handle("work", async (data) => {
    handled++;
    await released;
    // What a handler is at work on is reachable until it is done.
    return data === undefined;
  });
  hub.handle("fill", (_data, socket) => socket.join(Array.from({ length: 2_000 }, (_, index) => `room ${index}`)));
  hub.handle("listen", (_data, socket) => socket.join("listeners"));
  return hub;
}

const hubs: Readonly<Record<HubName, Hub>> = {
  usual: hubNamed("usual"),
  strict: hubNamed("strict"),
  compressing: hubNamed("compressing"),
  hesitant: hubNamed("hesitant"),
  narrow: hubNamed("narrow"),
};

const otherNode = new Hub({ transport: memory(), codecs: [msgpackCodec], backplane: engine.backplane() });
setInterval(() => {
  // Nobody has to answer.
  otherNode
    .to("listeners")
    .request("question", undefined, { timeout: 200 })
    .catch(() => {});
}, ASKING_INTERVAL).unref();

const stalls = monitorEventLoopDelay({ resolution: 5 });
stalls.enable();
const session = new Session();
session.connect();

function tell(report: ServerReport): void {
  process.send?.(report);
}

function figures(): Figures {
  const stall = stalls.max / 1e6;
  const { user, system } = process.cpuUsage();
  // Twice, because what the first collection finalises only the second frees.
  globalThis.gc?.();
  globalThis.gc?.();
  stalls.reset();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { usual, strict, compressing, hesitant, narrow } = hubs;
  return {
    statistics: {
      usual: usual.stats(),
      strict: strict.stats(),
      compressing: compressing.stats(),
      hesitant: hesitant.stats(),
      narrow: narrow.stats(),
    },
    handled,
    closes: { ...closes },
    memory: heapUsed + external,
    rss,
    descriptors: descriptors(),
    cpu: (user + system) / 1_000,
    stall,
  };
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
    } catch {
      // The descriptor by which the folder was read.
      return false;
    }
  }).length;
}

function bytesIn({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesIn(child), selfSize);
}

async function obey(command: ServerCommand): Promise<void> {
  if (command === "figures") tell({ told: "figures", figures: figures() });
  else if (command === "measure") {
    await session.post("HeapProfiler.startSampling", {
      samplingInterval: SAMPLING_INTERVAL,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    tell({ told: "measured", allocated: 0 });
  } else if (command === "measured") {
    const { profile } = await session.post("HeapProfiler.stopSampling");
    tell({ told: "measured", allocated: bytesIn(profile.head) });
  } else {
    release();
    released = nextRelease();
  }
}

for (const event of ["uncaughtException", "unhandledRejection", "warning"] as const) {
  process.on(event, (fault: unknown) => {
    tell({ told: "fault", fault: `${event}: ${fault instanceof Error ? fault.stack : String(fault)}` });
  });
}
process.on("message", (command: ServerCommand) => void obey(command));
// The test is gone.
process.on("disconnect", () => process.exit());

const where = { host: "127.0.0.1" };
tell({
  told: "ports",
  ports: {
    usual: (await hubs.usual.listen(where)).port,
    strict: (await hubs.strict.listen(where)).port,
    compressing: (await hubs.compressing.listen(where)).port,
    hesitant: (await hubs.hesitant.listen(where)).port,
    narrow: (await hubs.narrow.listen(where)).port,
  },
});
