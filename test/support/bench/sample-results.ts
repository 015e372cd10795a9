import { FIGURES, type CaseParameters, type Figure } from "../../../bench/figures.ts";
import type { ComparedPeer } from "../../../bench/peers/peer.ts";
import { NO_VIOLATIONS } from "../../../bench/receivers/messages.ts";
import type { Gate, Interval, Results, Row } from "../../../bench/results.ts";

type Costs = Readonly<Record<ComparedPeer, number>>;

const PEERS: readonly ComparedPeer[] = [
  "ws loop",
  "uws publish",
  "hub on ws",
  "hub on uws",
  "socket.io ws",
  "socket.io uws",
];

/** Microseconds for a delivery, and writes for one, by messages a turn, as they were once measured or could be. */
const BY_TURN: Readonly<Record<number, readonly [cpu: Costs, writes: Costs]>> = {
  1: [costs(5.3, 4.4, 4.3, 4.5, 6.9, 4.6), costs(1, 1, 1, 1, 1, 1)],
  8: [costs(5.2, 0.62, 0.66, 0.68, 6.7, 0.9), costs(1, 0.13, 0.125, 0.13, 1, 0.14)],
  16: [costs(5.2, 0.33, 0.34, 0.37, 6.6, 0.52), costs(1, 0.066, 0.0625, 0.068, 1, 0.07)],
  64: [costs(5.1, 0.17, 0.101, 0.175, 6.5, 0.3), costs(1, 0.018, 0.0156, 0.018, 1, 0.02)],
  128: [costs(5.1, 0.15, 0.084, 0.15, 6.5, 0.27), costs(1, 0.011, 0.008, 0.011, 1, 0.014)],
};

const NOTES: Readonly<Record<string, string>> = { compression: "off", "limit on what is buffered": "none" };

/** A run as it could have been: every scenario, and everything that can be wrong with a row. */
export function sampleResults(): Results {
  const rows = [...broadcasts(), ...bursts(), ...smallOnes(), ...latencies(), ...memories()];
  return {
    version: 1,
    machine: {
      cpu: "AMD EPYC 7B13",
      cores: 2,
      memory: 8.3e9,
      system: "Linux 6.1.0, x64",
      node: "v22.12.0",
      packages: {
        roomcast: "0.1.0",
        ws: "8.23.0",
        "uWebSockets.js": "20.52.0",
        "socket.io": "4.8.4",
        crossws: "0.4.17",
      },
      pinning: "server on core 0, receivers and coordinator on core 1",
    },
    started: "2026-11-23T18:00:00.000Z",
    seconds: 754,
    options: { full: true, pairs: 5, sizes: [64, 1024, 16384], seed: 1, baseline: undefined, json: false },
    peers: [
      ...PEERS.map((name) => ({
        name,
        settings: { ...NOTES, ...(name.startsWith("hub") ? { heartbeat: "off" } : {}) },
      })),
      { name: "crossws", settings: {}, unavailable: "crossws/adapters/node: there is no export of that name" },
    ],
    absences: [
      { scenario: "multi-room", trial: "8 rooms", peer: "uws publish", reason: "it has no unions of rooms" },
      { scenario: "multi-room", trial: "16 rooms", peer: "uws publish", reason: "it has no unions of rooms" },
    ],
    rows,
    gates: gates(),
    slices: [
      {
        scenario: "burst",
        trial: "400 members, 64 B, 16 a turn",
        peer: "hub on ws",
        phase: "capacity",
        round: 0,
        disturbance: 0.02,
        measurements: [],
      },
    ],
  };
}

function broadcasts(): readonly Row[] {
  const cases = [100, 1000].flatMap((members) => [64, 1024, 16_384].map((size) => ({ members, size })));
  return cases.flatMap(({ members, size }) => {
    const name = `${members.toLocaleString("en")} members, ${size < 1024 ? `${size} B` : `${size / 1024} KiB`}`;
    const weight = 1 + size / 16_384;
    const cpu = costs(5.3 * weight, 4.4 * weight, 4.3 * weight, 4.5 * weight, 6.9 * weight, 4.6 * weight);
    return PEERS.map((peer) => row("one-to-all", name, "cpu", peer, cpu, { parameters: { members, size } }));
  });
}

function bursts(): readonly Row[] {
  return Object.entries(BY_TURN).flatMap(([turn, [cpu, writes]]) => {
    const perTurn = Number(turn);
    return PEERS.map((peer): Row => {
      const more = { ...background(cpu[peer]), writes: around(writes[peer], 0.01) };
      const parameters = { members: 400, size: 64, perTurn };
      const made = row("burst", `400 members, 64 B, ${perTurn} a turn`, "cpu", peer, cpu, { parameters, more });
      if (peer !== "socket.io uws" || perTurn < 128) return made;
      return { ...made, verdict: "void", violations: { ...NO_VIOLATIONS, missing: 3, reordered: 1 } };
    });
  });
}

function smallOnes(): readonly Row[] {
  return [
    ...simple("chat", "200 members, 20 senders, 64 B", "cpu", costs(5.4, 0.6, 0.52, 0.7, 6.9, 0.9)),
    ...simple("many-rooms", "500 rooms of 10, 64 B", "cpu", costs(5.4, 4.9, 4.6, 4.9, 7.4, 5.2)),
    ...PEERS.map((peer): Row => {
      const throughput = costs(190e3, 2.1e6, 2.3e6, 2.2e6, 140e3, 1.6e6);
      const made = row("slow", "400 members, 4 of them stalled", "throughput", peer, throughput, {});
      if (peer === "uws publish") return { ...made, verdict: "withheld", remarks: ["receiver-bound"] };
      return peer.startsWith("hub") ? { ...made, remarks: ["4 stalled clients were closed with 1013"] } : made;
    }),
    ...simple("churn", "400 members, 20 come and go in a turn", "cpu", costs(5.8, 5.2, 4.8, 5.1, 8.1, 5.5)),
    ...PEERS.map((peer): Row => {
      const perSecond = costs(5200, 14_000, 4900, 12_100, 2900, 6100);
      const made = row("connect", "2,000 connections", "connections", peer, perSecond, {});
      return peer === "socket.io ws" ? withoutRatio(made) : made;
    }),
    ...simple("compressed", "400 members, 1 KiB, 16 a turn", "cpu", costs(31, 24, 3.1, 24.2, 36, 27)),
    ...simple(
      "http-under-load",
      "fastest answer while 20 messages a second go to 400",
      "httpP99",
      costs(4.1, 1.2, 3.9, 1.3, 6.2, 1.5),
    ),
  ];
}

function latencies(): readonly Row[] {
  const slowness = costs(1, 0.8, 0.45, 0.82, 1.4, 0.9);
  const trials = [0.25, 0.5, 0.75, 0.9].map((load) => ({ load, scenario: "one-to-all", name: "100 members, 64 B" }));
  return [...trials, { load: 0.75, scenario: "burst", name: "400 members, 64 B" }].flatMap(({ load, scenario, name }) =>
    PEERS.map((peer): Row => {
      const p50 = (180 * slowness[peer]) / (1 - load);
      const p99 = costs(...PEERS_IN_ORDER.map((each) => (700 * slowness[each]) / (1.05 - load)));
      const more = { p50: around(p50, 0.04), "p99.9": around(p99[peer] * 1.7, 0.1), max: around(p99[peer] * 3.1, 0.2) };
      const made = row(scenario, name, "p99", peer, p99, { load, more });
      if (peer !== "socket.io ws" || load < 0.9) return made;
      return { ...made, verdict: "void", violations: { ...NO_VIOLATIONS, missing: 12_000 } };
    }),
  );
}

function memories(): readonly Row[] {
  return [1000, 10_000].flatMap((count) => {
    const name = `${count.toLocaleString("en")} connections`;
    const [resident, heap] = [costs(7700, 800, 8900, 2700, 21_000, 14_500), costs(6600, 310, 7800, 1500, 11_200, 9100)];
    return PEERS.map((peer): Row => {
      const more = { heapPerConnection: around(heap[peer], 0.02) };
      const made = row("idle", name, "residentPerConnection", peer, resident, { more });
      if (peer !== "socket.io ws" || count < 10_000) return made;
      return { ...made, verdict: "void", violations: { ...NO_VIOLATIONS, closed: 17 } };
    });
  });
}

const PEERS_IN_ORDER: readonly [ComparedPeer, ...ComparedPeer[]] = PEERS as readonly [ComparedPeer, ...ComparedPeer[]];

function simple(scenario: string, name: string, headline: Figure, values: Costs): readonly Row[] {
  return PEERS.map((peer) => row(scenario, name, headline, peer, values, {}));
}

/** As when the control's slices of the same rounds were all disturbed. */
function withoutRatio(made: Row): Row {
  const { ratio, ...rest } = made;
  return ratio === undefined ? made : { ...rest, verdict: "withheld", remarks: ["no control to compare with"] };
}

interface Rest {
  readonly parameters?: CaseParameters;
  readonly load?: number;
  readonly more?: Row["figures"];
}

function row(scenario: string, name: string, headline: Figure, peer: ComparedPeer, values: Costs, rest: Rest): Row {
  const { more = headline === "cpu" ? background(values[peer]) : {}, ...about } = rest;
  const ratio = around(values[peer] / values["ws loop"], peer === "socket.io uws" ? 0.2 : 0.04);
  return {
    scenario,
    trial: name,
    case: name,
    phase: rest.load === undefined ? "capacity" : "latency",
    peer,
    slices: 10,
    disturbed: peer === "crossws" ? 2 : 0,
    headline,
    figures: { [headline]: around(values[peer], 0.03), ...more },
    ...(peer === "ws loop" ? {} : { ratio }),
    ...(headline === "cpu" ? { toFloor: around(values[peer] / 4, 0.05) } : {}),
    verdict: verdictOf(peer, ratio, headline),
    remarks: [],
    ...about,
  };
}

function verdictOf(peer: ComparedPeer, { low, high }: Interval, headline: Figure): Row["verdict"] {
  if (peer === "ws loop") return "control";
  if (low <= 1 && high >= 1) return "same";
  return high < 1 === (FIGURES[headline].better === "lower") ? "better" : "worse";
}

function background(cost: number): Row["figures"] {
  return {
    user: around(cost * 0.2, 0.05),
    system: around(cost * 0.8, 0.05),
    throughput: around(0.9e6 / cost, 0.1),
    writes: around(1, 0),
    bytes: around(66, 0),
    eventLoopDelay: around(2 + cost, 0.2),
    gc: around(3 + cost * 2, 0.3),
    peakResident: around(7e7 + cost * 4e6, 0.05),
    receiversLoad: around(0.7, 0.05),
  };
}

function gates(): readonly Gate[] {
  return [
    { name: "hub on ws / ws loop, 1 a turn", limit: 0.85, measured: around(0.81, 0.02), passed: true },
    { name: "hub on ws / ws loop, 16 a turn", limit: 0.08, measured: around(0.065, 0.02), passed: true },
    { name: "hub on uws / uws publish, 16 a turn", limit: 1.05, measured: around(1.12, 0.02), passed: false },
    { name: "p99 at 75 % load, hub on ws / ws loop", limit: 1, passed: undefined },
  ];
}

function around(median: number, error: number): Interval {
  return { median, low: median * (1 - error), high: median * (1 + error) };
}

function costs(...values: readonly number[]): Costs {
  const [loop = 1, publish = 1, hubOnWs = 1, hubOnUws = 1, socketIo = 1, socketIoOnUws = 1] = values;
  return {
    "ws loop": loop,
    "uws publish": publish,
    "hub on ws": hubOnWs,
    "hub on uws": hubOnUws,
    "socket.io ws": socketIo,
    "socket.io uws": socketIoOnUws,
    crossws: loop * 1.2,
  };
}
