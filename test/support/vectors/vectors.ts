import { readText } from "../markdown.ts";

/** A packet, or what stands in its place, in the notation of `docs/PROTOCOL.md` section 11. */
export type Notation = unknown;

/** A message, or another act, of one end on the wire. */
export type WireStep = { readonly from: "client" | "server" } & (
  | { readonly connect: string; readonly offer?: readonly string[]; readonly origin?: string }
  | { readonly accept: string }
  | { readonly refuse: number }
  | { readonly packet: Notation }
  | { readonly some: Notation }
  | { readonly text: string | { readonly $bytes: string } }
  | { readonly binary: string }
  | { readonly close: number; readonly reason: string }
  | { readonly ends: readonly number[] }
  | { readonly cut: true }
);

/** Stands for the steps of the opening, with `<id>` under this name. */
interface OpenStep {
  readonly open: string;
}

/** A call that the application makes at the client. */
export type CallStep =
  | { readonly call: "connect"; readonly path: string; readonly auth?: Notation }
  | { readonly call: "emit"; readonly event: string; readonly data?: Notation }
  | {
      readonly call: "request";
      readonly as: string;
      readonly event: string;
      readonly data?: Notation;
      readonly idempotent?: boolean;
    }
  | { readonly call: "join" | "leave"; readonly as: string; readonly room: string }
  | {
      readonly call: "handle";
      readonly event: string;
      readonly data?: Notation;
      readonly error?: { readonly code: string; readonly message: string };
    }
  | { readonly call: "send"; readonly text: string }
  | { readonly call: "close"; readonly code: number; readonly reason: string };

/** Whether and when the client connects again. */
export type Returns = "never" | "back-off" | "at-once" | { readonly from: number; readonly to: number };

/** An event or a result that the application gets from the client. */
export type SeenStep =
  | { readonly outcome: string; readonly data?: Notation }
  | { readonly outcome: string; readonly fails: "remote" | "disconnected" | "closed"; readonly code?: string }
  | { readonly hears: { readonly event: string; readonly data?: Notation; readonly room?: string } }
  | { readonly hears: { readonly gap: string; readonly room: string } }
  | { readonly hears: { readonly text: string } }
  | { readonly hears: { readonly error: string } }
  | { readonly returns: Returns };

/** Nothing happens for so many milliseconds. */
interface WaitStep {
  readonly wait: number;
}

export type ClientStep = WireStep | CallStep | SeenStep | WaitStep;

export interface Vector<S> {
  readonly name: string;
  /** Names of openings: the vector is one connection with each of them. */
  readonly openings?: readonly string[];
  /** How the server is configured. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly steps: readonly (S | OpenStep)[];
}

export interface Vectors {
  readonly protocol: number;
  readonly openings: Readonly<Record<string, readonly WireStep[]>>;
  readonly server: readonly Vector<WireStep>[];
  readonly client: readonly Vector<ClientStep>[];
  readonly closes: readonly { readonly from: number; readonly to: number; readonly returns: string }[];
  readonly messagepack: readonly { readonly name: string; readonly value: Notation; readonly hex: string }[];
  readonly messagepackRefused: readonly { readonly name: string; readonly hex: string }[];
}

export const VECTORS: Vectors = JSON.parse(readText("docs/protocol-vectors.json")) as Vectors;

/** A vector with one of its openings. */
export interface Case<S> {
  readonly title: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly steps: readonly S[];
}

/** What a vector stands for: itself with each of its openings. */
export function casesOf<S extends object>({ name, openings, settings = {}, steps }: Vector<S>): readonly Case<S>[] {
  const among = openings ?? [""];
  return among.map((opening) => ({
    title: opening === "" ? name : `${name}, ${opening}`,
    settings,
    // Every kind of vector may hold what is said on the wire.
    steps: steps.flatMap((step) => ("open" in step ? (opened(opening, step.open) as unknown as readonly S[]) : [step])),
  }));
}

function opened(opening: string, id: string): readonly WireStep[] {
  const steps = VECTORS.openings[opening];
  if (steps === undefined) throw new Error(`There is no opening "${opening}".`);
  return JSON.parse(JSON.stringify(steps).replaceAll("<id>", id)) as readonly WireStep[];
}
