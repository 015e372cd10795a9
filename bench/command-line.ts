import { parseArgs } from "node:util";
import { faultyPeers } from "./peers/faulty.ts";
import { PEERS } from "./peers/index.ts";
import type { ComparedPeer, FaultyPeer, PeerName } from "./peers/peer.ts";
import { scenarios } from "./scenarios/index.ts";
import type { ScenarioName, TrialOptions } from "./scenarios/scenario.ts";

/** The names of all, in the order in which they are shown. */
const SCENARIO_NAMES: readonly ScenarioName[] = scenarios.map(({ name }) => name);
const ALL_PEERS = Object.keys(PEERS) as PeerName[];

export const FAULTY: readonly FaultyPeer[] = Object.keys(faultyPeers) as FaultyPeer[];

/** What is compared unless something else is asked for. */
export const COMPARED: readonly ComparedPeer[] = ALL_PEERS.filter((peer) => isCompared(peer));

/** What all others are compared with. */
export const CONTROL: ComparedPeer = "ws loop";

const QUICK: readonly ScenarioName[] = ["burst"];

/** Bytes of a message: the envelopes of the peers take up to 40, the stamp 14. */
const SMALLEST = 64;

const ROUNDS = 5;
const SEED = 1;

/** What a run is asked to do. */
export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly trial: TrialOptions;
  /** Fractions of the control's capacity at which latency is measured; none in the quick set, which takes a minute. */
  readonly loads: readonly number[];
  readonly pinned: boolean;
  readonly gate: boolean;
  /** Paths of files. */
  readonly json?: string;
  readonly html?: string;
  readonly baseline?: string;
}

/** The call was wrong; the message says what was, and what is possible. */
export class UsageError extends Error {}

/** @returns what to do, or that somebody wants to know what can be done. */
export function optionsOf(args: readonly string[]): Options | "help" {
  const values = valuesOf(args);
  if (values.help === true) return "help";
  const full = values.full ?? false;
  const isQuick = !full && values.scenario === undefined;
  const seconds = oneOf(positive, "--duration", values.duration);
  const sizes = listOf("--size", values.size, SMALLEST);
  const members = listOf("--members", values.members);
  const rates = listOf("--rate", values.rate);
  const rooms = oneOf(count, "--rooms", values.rooms);
  return {
    scenarios: scenariosOf(values.scenario, full),
    peers: peersOf(values.peer, values.transport),
    rounds: oneOf(count, "--pairs", values.pairs) ?? ROUNDS,
    trial: {
      full,
      ...(sizes && { sizes }),
      ...(members && { members }),
      ...(rates && { rates }),
      ...(rooms !== undefined && { rooms }),
      ...(seconds !== undefined && { seconds }),
      seed: oneOf(count, "--seed", values.seed) ?? SEED,
    },
    loads: full ? [0.25, 0.5, 0.75, 0.9] : isQuick ? [] : [0.75],
    pinned: values["no-pin"] !== true,
    gate: values.gate ?? false,
    ...(values.json !== undefined && { json: values.json }),
    ...(values.html !== undefined && { html: values.html }),
    ...(values.baseline !== undefined && { baseline: values.baseline }),
  };
}

export function isCompared(peer: PeerName): peer is ComparedPeer {
  return peer !== "floor" && !(FAULTY as readonly PeerName[]).includes(peer);
}

/** A name as it is written without spaces and dots: `socket-io-ws`. */
export function dashed(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s._-]+/g, "-");
}

function valuesOf(args: readonly string[]) {
  const many = { type: "string", multiple: true } as const;
  const one = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: many,
        peer: many,
        transport: one,
        size: many,
        members: many,
        rate: many,
        rooms: one,
        pairs: one,
        duration: one,
        seed: one,
        json: one,
        html: one,
        baseline: one,
        full: flag,
        gate: flag,
        "no-pin": flag,
        help: { ...flag, short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function scenariosOf(given: readonly string[] | undefined, full: boolean): readonly ScenarioName[] {
  if (given === undefined) return full ? SCENARIO_NAMES : QUICK;
  const asked = namesOf("scenario", given, SCENARIO_NAMES);
  return SCENARIO_NAMES.filter((name) => asked.has(name));
}

/** The control is always among them. */
function peersOf(given: readonly string[] | undefined, transport: string | undefined): readonly PeerName[] {
  if (transport !== undefined && transport !== "ws" && transport !== "uws") {
    throw new UsageError(`--transport is "ws" or "uws", not "${transport}"`);
  }
  const asked = given === undefined ? new Set<PeerName>(COMPARED) : namesOf("peer", given, ALL_PEERS);
  return ALL_PEERS.filter(
    (peer) =>
      peer === CONTROL ||
      (asked.has(peer) && (transport === undefined || !peer.startsWith("hub on ") || peer === `hub on ${transport}`)),
  );
}

function namesOf<Name extends string>(kind: string, given: readonly string[], all: readonly Name[]): ReadonlySet<Name> {
  const found = partsOf(given).map((part) => {
    const name = all.find((each) => dashed(each) === dashed(part));
    if (name !== undefined) return name;
    throw new UsageError(`There is no ${kind} "${part}". There are: ${all.map((each) => dashed(each)).join(", ")}`);
  });
  if (found.length === 0) throw new UsageError(`--${kind} needs a name`);
  return new Set(found);
}

function listOf(option: string, given: readonly string[] | undefined, least?: number): readonly number[] | undefined {
  if (given === undefined) return undefined;
  const numbers = partsOf(given).map((part) => count(option, part, least));
  if (numbers.length === 0) throw new UsageError(`${option} needs a number`);
  return numbers;
}

function partsOf(given: readonly string[]): readonly string[] {
  return given
    .flatMap((list) => list.split(","))
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function oneOf(
  read: (option: string, text: string) => number,
  option: string,
  text: string | undefined,
): number | undefined {
  return text === undefined ? undefined : read(option, text);
}

/** @throws UsageError - It is no whole number, or less than `least`. */
export function count(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`${option} is a whole number from ${least} on, not "${text}"`);
}

/** @throws UsageError - It is no number of seconds. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`${option} is a number of seconds above 0, not "${text}"`);
}
