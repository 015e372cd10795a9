import type { TransportName } from "roomcast";
import type { Direction } from "./link.ts";
import type { PageEvent } from "./page.ts";
import { Random } from "../../support/random.ts";

/** What the server's handler does with a request: answers it, answers when told to, answers with an error, never answers. */
export type Treatment = "answer" | "hold" | "refuse" | "ignore";

export type Guard = "quick" | "slow" | "failing";

/**
 * How the client's platform differs from `ws`.
 *
 * - `browser`: it cannot end a connection without a close frame, which a dead network never answers
 * - `no code`, `code 0`, `code 5006`: what it reports of a connection that was lost
 * - `never a code`: what it reports of a connection that the server has closed, too
 * - `1005`: what it reports in place of any code that the server has closed with
 * - `error alone`: it fires no `close` for a connection that could not be opened
 */
export type Platform = "ws" | "browser" | "no code" | "code 0" | "code 5006" | "never a code" | "1005" | "error alone";

export interface RequestStep {
  readonly do: "request";
  readonly treatment: Treatment;
  readonly idempotent: boolean;
  readonly timeout: number | undefined;
  /** Whether it can be aborted: by the next step "abort", or is from the beginning. */
  readonly abort: "never" | "later" | "before";
}

export type Step =
  // The application at the client's side.
  | { readonly do: "event"; readonly size: number }
  | RequestStep
  | { readonly do: "bytes" | "abort" }
  | { readonly do: "join" | "leave"; readonly rooms: readonly string[] }
  // Hundreds of events and requests in one turn.
  | { readonly do: "flood"; readonly events: number; readonly requests: number }
  | { readonly do: "close" }
  // The page, and the machine that it is on. After a reload there is a new client of the same user.
  | { readonly do: "page"; readonly event: PageEvent }
  | { readonly do: "reload" }
  | { readonly do: "clock"; readonly hours: number }
  // The application at the server's.
  | { readonly do: "news"; readonly room: string | undefined }
  | { readonly do: "ask" | "tellBytes" | "release" | "terminate" | "restart" }
  | { readonly do: "expel"; readonly code: number }
  // The network.
  | { readonly do: "cut" | "reset" | "isolate" | "detach" | "resume" | "refuse" | "hang" | "heal" }
  | { readonly do: "stall"; readonly direction: Direction | undefined }
  | { readonly do: "delay"; readonly ms: number }
  | {
      readonly do: "cutAfter" | "cutNextAfter";
      readonly direction: Direction;
      readonly bytes: number;
    }
  // Time passes: a turn of the event loop, until the client notices what the network does, until it is open again.
  | { readonly do: "turn" | "notice" | "settle" };

/** What may happen to one client, decided by nothing but the seed. */
export interface Scenario {
  readonly seed: number;
  readonly transport: TransportName;
  readonly queue: { readonly maxBytes?: number; readonly policy?: "reject" | "drop-oldest" };
  readonly minDelay: number;
  readonly hasUsers: boolean;
  /** How the guard of the rooms decides: at once, later, or later and now and then not at all, because it fails. */
  readonly guard: Guard;
  /** Every so many attempts to connect the credentials never come; 0 for never. */
  readonly hangingAuth: number;
  readonly platform: Platform;
  /** The most bytes that may wait at the server, an eighth of which is the client's window; the default if absent. */
  readonly waitingBytes: number | undefined;
  readonly steps: readonly Step[];
}

export const ROOMS: readonly string[] = ["red", "green"];

/** A room that the server's guard refuses. */
export const FORBIDDEN_ROOM = "forbidden";

const DIRECTIONS: readonly Direction[] = ["up", "down"];

const PAGE_EVENTS: readonly PageEvent[] = ["offline", "online", "pagehide", "pageshow", "visibilitychange"];

/** Codes after which a client reconnects, with back-off or at once. */
export const PASSING_CODES: readonly number[] = [1001, 1012, 4100, 4150, 4200, 4201];

/** Codes after which it stays away. */
export const FINAL_CODES: readonly number[] = [1000, 4000, 4003, 4300];

/** The server gets a request twice, the repetition first. */
const LATE: readonly Step[] = [
  { do: "heal" },
  { do: "notice" },
  { do: "stall", direction: "up" },
  { do: "request", treatment: "hold", idempotent: true, timeout: undefined, abort: "never" },
  ...Array.from({ length: 2 }, (): Step => ({ do: "turn" })),
  { do: "detach" },
  ...Array.from({ length: 2 }, (): Step => ({ do: "notice" })),
  ...Array.from({ length: 4 }, (): Step => ({ do: "turn" })),
  { do: "resume" },
];

/** Connections that are lost as soon as they are open, while the client asks for its rooms again. */
const FLAPPING: readonly Step[] = [
  { do: "heal" },
  { do: "join", rooms: ["red"] },
  ...Array.from({ length: 4 }, (): readonly Step[] => [{ do: "settle" }, { do: "reset" }]).flat(),
];

/** The network falls silent right after the client has come back: what it asks for is never answered. */
const HALF_OPEN: readonly Step[] = [
  { do: "heal" },
  { do: "join", rooms: ["green"] },
  { do: "settle" },
  { do: "cut" },
  { do: "notice" },
  { do: "notice" },
  { do: "isolate" },
  { do: "event", size: 0 },
  { do: "notice" },
];

/** Hundreds of rooms to come back to, and connections that are lost while the client asks for them. */
function crowd(random: Random): readonly Step[] {
  const rooms = Array.from({ length: random.between(150, 350) }, (_, index) => `crowd ${index}`);
  const left = random.between(0, rooms.length);
  return [
    { do: "heal" },
    { do: "join", rooms },
    { do: random.pick(["settle", "turn", "notice"]) },
    { do: "reset" },
    { do: "cutNextAfter", direction: random.pick(DIRECTIONS), bytes: random.between(500, 6_000) },
    { do: "notice" },
    { do: "leave", rooms: rooms.slice(left) },
    { do: random.pick(["settle", "turn"]) },
    { do: "cut" },
    { do: "notice" },
  ];
}

/** Hundreds of messages that have waited for a connection, which is lost while they go out. */
function backlog(random: Random): readonly Step[] {
  const most = random.pick([20, 100, 300]);
  return [
    { do: "heal" },
    { do: "refuse" },
    { do: "reset" },
    ...Array.from({ length: 4 }, (): Step => ({ do: "turn" })),
    { do: "flood", events: random.between(most / 2, most), requests: random.between(1, most / 4) },
    { do: "heal" },
    { do: "cutNextAfter", direction: random.pick(DIRECTIONS), bytes: random.between(500, 100 * most) },
    { do: "notice" },
    { do: "turn" },
  ];
}

/** The page comes and goes, for a moment or for good, while messages are under way. */
function reload(random: Random): readonly Step[] {
  const waits = (): Step => ({ do: random.pick(["settle", "turn", "notice"]) });
  const gone = random.pick<PageEvent>(["offline", "pagehide"]);
  return [
    { do: "join", rooms: [random.pick(ROOMS)] },
    requestStep(random),
    waits(),
    { do: "page", event: gone },
    { do: "event", size: 0 },
    waits(),
    { do: "page", event: gone === "offline" ? "online" : "pageshow" },
    waits(),
    requestStep(random),
    waits(),
    { do: "reload" },
    { do: "event", size: 0 },
    waits(),
  ];
}

/** The wall clock is set while the connection is healthy, and again when it is not. */
function clockJumps(random: Random): readonly Step[] {
  const hours = random.between(1, 48);
  return [
    { do: "settle" },
    { do: "clock", hours },
    { do: "page", event: "visibilitychange" },
    ...Array.from({ length: 4 }, (): Step => ({ do: "turn" })),
    { do: "event", size: 0 },
    { do: "isolate" },
    { do: "clock", hours: -2 * hours },
    { do: "notice" },
    { do: "clock", hours },
  ];
}

export function scenarioOf(seed: number, transports: readonly TransportName[]): Scenario {
  const random = new Random(seed);
  return {
    seed,
    transport: seed % 4 === 3 ? (transports.at(-1) as TransportName) : "ws",
    queue: random.weighted([
      [4, {}],
      [1, { maxBytes: 400 }],
      [1, { maxBytes: 400, policy: "drop-oldest" as const }],
    ]),
    minDelay: random.between(1, 5),
    hasUsers: random.chance(0.5),
    guard: random.weighted<Guard>([
      [5, "quick"],
      [3, "slow"],
      [2, "failing"],
    ]),
    hangingAuth: random.chance(0.1) ? random.between(2, 4) : 0,
    waitingBytes: random.chance(0.5) ? 131_072 : undefined,
    platform: random.weighted<Platform>([
      [6, "ws"],
      [2, "browser"],
      [1, "no code"],
      [1, "code 0"],
      [1, "code 5006"],
      [1, "never a code"],
      [1, "1005"],
      [1, "error alone"],
    ]),
    steps: Array.from({ length: random.between(8, 40) }, () => {
      return random.chance(0.05) ? incident(random) : [stepOf(random)];
    }).flat(),
  };
}

/** What chance alone would hardly ever come to. */
function incident(random: Random): readonly Step[] {
  return random.weighted<(random: Random) => readonly Step[]>([
    [4, () => random.pick([LATE, FLAPPING, HALF_OPEN])],
    [0.5, crowd],
    [0.5, backlog],
    [1, reload],
    [1, clockJumps],
  ])(random);
}

function stepOf(random: Random): Step {
  return random.weighted<(random: Random) => Step>([
    [34, clientStep],
    [3, pageStep],
    [14, serverStep],
    [16, networkStep],
    [24, pause],
  ])(random);
}

function clientStep(random: Random): Step {
  return random.weighted<() => Step>([
    [
      10,
      () => ({
        do: "event",
        size: random.weighted([
          [8, 0],
          [2, random.between(1, 300)],
          [0.3, 70_000],
        ]),
      }),
    ],
    [14, () => requestStep(random)],
    [3, () => ({ do: "bytes" })],
    [6, () => ({ do: "join", rooms: [random.chance(0.1) ? FORBIDDEN_ROOM : random.pick(ROOMS)] })],
    [4, () => ({ do: "leave", rooms: [random.pick(ROOMS)] })],
    [1, () => ({ do: "abort" })],
    [0.15, () => ({ do: "close" })],
  ])();
}

function pageStep(random: Random): Step {
  return random.weighted<() => Step>([
    [5, () => ({ do: "page", event: random.pick(PAGE_EVENTS) })],
    [1, () => ({ do: "reload" })],
    [3, () => ({ do: "clock", hours: random.between(-48, 48) })],
  ])();
}

function requestStep(random: Random): RequestStep {
  const treatment = random.weighted<Treatment>([
    [6, "answer"],
    [4, "hold"],
    [1, "refuse"],
    [1, "ignore"],
  ]);
  return {
    do: "request",
    treatment,
    idempotent: random.chance(0.5),
    // What is never answered has to end by itself.
    timeout: treatment === "ignore" || random.chance(0.1) ? random.between(1, 120) : undefined,
    abort: random.weighted([
      [16, "never"],
      [3, "later"],
      [1, "before"],
    ]),
  };
}

function serverStep(random: Random): Step {
  return random.weighted<() => Step>([
    [6, () => ({ do: "news", room: random.chance(0.3) ? undefined : random.pick(ROOMS) })],
    [3, () => ({ do: "ask" })],
    [2, () => ({ do: "tellBytes" })],
    [5, () => ({ do: "release" })],
    [1, () => ({ do: "terminate" })],
    [0.7, () => ({ do: "restart" })],
    [2, () => ({ do: "expel", code: random.pick(random.chance(0.15) ? FINAL_CODES : PASSING_CODES) })],
  ])();
}

function networkStep(random: Random): Step {
  const direction = random.pick(DIRECTIONS);
  return random.weighted<() => Step>([
    [3, () => ({ do: "cut" })],
    [3, () => ({ do: "reset" })],
    [1, () => ({ do: "isolate" })],
    [3, () => ({ do: "detach" })],
    [4, () => ({ do: "stall", direction: random.pick([...DIRECTIONS, undefined]) })],
    [3, () => ({ do: "resume" })],
    [1, () => ({ do: "delay", ms: random.between(1, 30) })],
    [1, () => ({ do: "refuse" })],
    [0.5, () => ({ do: "hang" })],
    [2, () => ({ do: "heal" })],
    [2, () => ({ do: "cutAfter", direction, bytes: random.between(1, 200) })],
    // The handshake of HTTP takes a few hundred bytes each way, the one of the protocol about a hundred.
    [3, () => ({ do: "cutNextAfter", direction, bytes: random.between(1, 500) })],
  ])();
}

function pause(random: Random): Step {
  return {
    do: random.weighted([
      [6, "turn"],
      [4, "notice"],
      [4, "settle"],
    ]),
  };
}
