import type { CaseParameters, Figure, Phase } from "./figures.ts";
import type { ComparedPeer } from "./peers/peer.ts";
import type { ScenarioName } from "./scenarios/scenario.ts";

/** What the project holds itself to: that one figure is not above another. */
export interface Promised {
  readonly name: string;
  readonly limit: number;
  /** The ratio of the two, or by how many KiB the first is more. */
  readonly as: "ratio" | "KiB";
  readonly figure: Figure;
  readonly own: Place;
  readonly other: Place;
}

/** Where something was measured, and of whom. What is absent does not matter. */
export interface Place {
  readonly peer: ComparedPeer;
  readonly scenario: ScenarioName;
  readonly phase?: Phase;
  readonly load?: number;
  readonly parameters?: CaseParameters;
}

type Pair = readonly [own: ComparedPeer, other: ComparedPeer];

/** Messages in a turn, and what the hub may cost then. */
type Limits = Readonly<Record<number, number>>;

const BATCHING: readonly (readonly [...Pair, limits: Limits])[] = [
  ["hub on ws", "ws loop", { 1: 0.85, 16: 0.08, 64: 0.03 }],
  ["hub on ws", "uws publish", { 1: 1.15, 16: 1.3, 64: 0.7 }],
  ["hub on ws", "socket.io ws", { 1: 0.65, 16: 0.07, 64: 0.03 }],
  ["hub on uws", "uws publish", { 1: 1.05, 16: 1.05, 64: 1 }],
  ["hub on uws", "socket.io uws", { 1: 1, 16: 0.8, 64: 0.75 }],
];

const TO_THE_CONTROL: readonly Pair[] = [
  ["hub on ws", "ws loop"],
  ["hub on uws", "ws loop"],
];

const TO_THE_BARE_LIBRARY: readonly Pair[] = [
  ["hub on ws", "ws loop"],
  ["hub on uws", "uws publish"],
];

const ROOM = { members: 400, size: 64 } as const;

export const PROMISES: readonly Promised[] = [
  ...BATCHING.flatMap(([own, other, limits]) =>
    Object.entries(limits).map(([perTurn, limit]) =>
      ratio(`CPU for a delivery, ${perTurn} a turn`, limit, "cpu", [own, other], {
        scenario: "burst",
        phase: "capacity",
        parameters: { ...ROOM, perTurn: Number(perTurn) },
      }),
    ),
  ),
  ratio("CPU for a delivery, chat of 200, 20 of them send", 0.12, "cpu", ["hub on ws", "ws loop"], {
    scenario: "chat",
    phase: "capacity",
    parameters: { members: 200, size: 64 },
  }),
  ...TO_THE_CONTROL.map((pair) =>
    ratio("p99 at 75 % load", 1, "p99", pair, { scenario: "burst", phase: "latency", load: 0.75, parameters: ROOM }),
  ),
  ...TO_THE_CONTROL.map((pair) =>
    ratio("p99 of HTTP under a broadcast", 1, "httpP99", pair, { scenario: "http-under-load", phase: "latency" }),
  ),
  ...TO_THE_BARE_LIBRARY.flatMap((pair) => [
    memory("heap", "heapPerConnection", pair),
    memory("resident", "residentPerConnection", pair),
  ]),
  rooms("hub on ws"),
  rooms("hub on uws"),
];

function ratio(name: string, limit: number, figure: Figure, pair: Pair, where: Omit<Place, "peer">): Promised {
  const [own, other] = pair;
  return {
    name: `${name}: ${own} / ${other}`,
    limit,
    as: "ratio",
    figure,
    own: { ...where, peer: own },
    other: { ...where, peer: other },
  };
}

function memory(kind: string, figure: Figure, [own, other]: Pair): Promised {
  return {
    name: `idle connection, ${kind} KiB: ${own} - ${other}`,
    limit: 1.5,
    as: "KiB",
    figure,
    own: { scenario: "idle", peer: own },
    other: { scenario: "idle", peer: other },
  };
}

/** The cases that the scenario puts beside each other. */
function rooms(peer: ComparedPeer): Promised {
  const where = { scenario: "many-rooms", phase: "capacity", peer } as const;
  return {
    name: `CPU for a delivery, small rooms / large ones: ${peer}`,
    limit: 1.15,
    as: "ratio",
    figure: "cpu",
    own: { ...where, parameters: { members: 10, perTurn: 16 } },
    other: { ...where, parameters: { members: 160, perTurn: 1 } },
  };
}
