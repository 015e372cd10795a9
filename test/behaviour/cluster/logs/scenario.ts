import type { LogRecord } from "../../../../src/backplanes/backplane.ts";
import { Random } from "../../../support/random.ts";
import { Engine } from "./engine.ts";
import { Node, type Told } from "./node.ts";
import { Timeline } from "./timeline.ts";

const DURATION = 10_000;
const CALM = { loss: 0, refusal: 0, delay: 0 };

/** What came of a scenario. */
export interface Outcome {
  readonly violations: readonly string[];
  readonly told: number;
  readonly gaps: number;
  readonly holes: number;
  readonly again: number;
  readonly reads: number;
  readonly follows: number;
}

/**
 * Runs nodes on one engine with the faults that a seed chooses, and looks for what must not be.
 *
 * @param isCalm - whether nothing goes wrong.
 */
export async function scenario(seed: number, isCalm = false): Promise<Outcome> {
  const random = new Random(seed);
  const timeline = new Timeline();
  const weather = {
    loss: random.pick([0, 0, 0.02, 0.1]),
    refusal: random.pick([0, 0, 0.05]),
    delay: random.pick([0, 0.02, 0.1]),
  };
  const engine = new Engine(timeline, random, isCalm ? CALM : weather);
  const size = random.pick([5, 20, 200]);
  const maxPendingBytes = isCalm ? 1_000_000 : random.pick([1_000_000, 1_000_000, 2_000]);
  const channels = ["a", "b", "c"].slice(0, random.between(1, 3));
  const nodes = Array.from(
    { length: random.between(2, 4) },
    (_, index) => new Node(engine, `n${index}`, maxPendingBytes),
  );
  let follows = 0;
  const each = (act: (node: Node, channel: string) => void): void => {
    for (const node of nodes) for (const channel of channels) act(node, channel);
  };
  each((node, channel) => {
    if (random.chance(0.2)) return;
    follows++;
    timeline.setTimeout(() => node.follow(channel, size), random.chance(0.5) ? 0 : random.next() * DURATION);
  });
  const pace = random.pick([30, 100, 300]);
  const speak = (): void => {
    if (timeline.now() > DURATION) return;
    const count = random.chance(0.05) ? random.between(2, 40) : 1;
    for (let index = 0; index < count; index++) random.pick(nodes).emit(random.pick(channels), size);
    timeline.setTimeout(speak, random.next() * 2 * pace);
  };
  const harm = (): void => {
    if (timeline.now() > DURATION) return;
    random.weighted<() => void>([
      [6, () => random.pick(nodes).line.cut()],
      [3, () => engine.fail(random.next() * 3_000)],
      [1, () => channels.forEach((channel) => engine.log.forget(channel))],
      [1, () => engine.log.forget(random.pick(channels))],
    ])();
    timeline.setTimeout(harm, random.next() * 2_000);
  };
  timeline.setTimeout(speak, 0);
  if (!isCalm) timeline.setTimeout(harm, random.next() * 2_000);
  await timeline.runUntil(DURATION + 1);
  engine.weather = CALM;
  await timeline.runUntil(DURATION + 30_000);
  for (const channel of channels) nodes[0]?.emit(channel, size);
  await timeline.runUntil(DURATION + 60_000);

  const violations = [
    ...checkEngine(engine),
    ...nodes.flatMap((node) => [...checkNode(engine, node)]),
    ...checkOrder(nodes),
  ];
  const told = nodes.flatMap((node) => [...node.told.values()].flat());
  for (const node of nodes) {
    node.reader.stop();
    node.writer.stop();
  }
  return {
    violations,
    told: told.length,
    gaps: told.filter((item) => item.kind === "begun" && item.gap !== undefined).length,
    holes: engine.history.filter(({ record }) => record.hole === true).length,
    again: told.filter((item) => item.kind === "recorded" && item.novelty !== "new").length,
    reads: engine.reads,
    follows,
  };
}

/** R6: within an epoch, nothing is in the log twice. */
function* checkEngine({ history }: Engine): Generator<string> {
  const places = new Set<string>();
  for (const { channel, record } of history) {
    const { epoch, origin, number, hole } = record;
    // R7: nobody could tell any more whether it had been there.
    if (hole === true) continue;
    const name = `${channel} ${epoch} ${origin} ${number}`;
    if (places.has(name)) yield `twice in the log: ${name}`;
    places.add(name);
  }
}

function* checkNode(engine: Engine, node: Node): Generator<string> {
  yield* checkSent(engine, node);
  for (const [channel, told] of node.told) {
    yield* checkTold(engine, node, channel, told);
    // I1: at the end, everybody has heard everything.
    const head = engine.log.headOf(channel);
    const { epoch, at } = node.reader.positionOf(channel);
    if (epoch !== (head?.epoch ?? "") || at !== (head?.at ?? 0)) {
      yield `${node.id} stands at ${epoch} ${at} of ${channel}, and the log at ${head?.epoch} ${head?.at}`;
    }
  }
  if (node.writer.byteLength > 0) yield `${node.id} holds ${node.writer.byteLength} bytes`;
}

/** I1, I5: what was sent is in the log at the place that was told, or a hole is in its stead, and it was rejected. */
function* checkSent({ history }: Engine, { sent }: Node): Generator<string> {
  const origin = sent[0]?.origin;
  const all = history.filter((item) => item.record.origin === origin);
  for (const { channel, number, place } of sent) {
    const own = all.filter((item) => item.channel === channel);
    const exact = own.filter(({ record }) => record.number === number && record.hole !== true);
    const name = `${origin} ${number} on ${channel}`;
    if (place === undefined) yield `never settled: ${name}`;
    else if (place !== "rejected") {
      const isThere = exact.some(({ record }) => record.epoch === place.epoch && record.at === place.at);
      if (!isThere) yield `not in the log as told: ${name}`;
    } else if (exact.length === 0 && !own.some(({ record }) => record.hole === true && record.number >= number)) {
      yield `lost without a hole: ${name}`;
    }
  }
}

/** I1, I2, I3 and I4 for the members of one room on one node. */
function* checkTold(engine: Engine, { id }: Node, channel: string, told: readonly Told[]): Generator<string> {
  const { history } = engine;
  const firstOf = (epoch: string): number => history.findIndex((other) => other.record.epoch === epoch);
  const heard = new Set<string>();
  const last = new Map<string, number>();
  let position: { epoch: string; at: number } | undefined;
  let emptyAt = 0;
  for (const item of told) {
    if (item.kind === "begun") {
      const { tail, gap, count } = item;
      const epoch = tail?.epoch ?? "";
      if (gap === undefined && position !== undefined) {
        // R13: between the reading that found no log and its first entry, nothing was recorded elsewhere.
        const between = history.slice(emptyAt, firstOf(epoch)).filter((other) => other.channel === channel);
        // It cannot see a log that has come and gone, and of which the engine has handed it nothing.
        const isBlind = engine.wasLossy;
        const isFirst = position.epoch === "" && tail?.head === 0;
        if (!isFirst || (!isBlind && between.length > 0)) yield `${id}: no gap on ${channel}`;
      }
      // I4: a gap has a reason.
      if (gap === "epoch" && position?.epoch === epoch && epoch !== "") yield `${id}: no other epoch on ${channel}`;
      if (gap === "trimmed" && (tail?.floor ?? 0) <= (position?.at ?? 0)) yield `${id}: nothing trimmed on ${channel}`;
      position = { epoch, at: tail?.head ?? 0 };
      if (tail === undefined) emptyAt = count;
      continue;
    }
    const { record, novelty } = item;
    const name = `${record.origin} ${record.number}`;
    // I1: nothing between this entry and the one before.
    if (record.epoch !== position?.epoch || record.previous !== position.at) yield `${id}: a hole before ${name}`;
    position = { epoch: record.epoch, at: record.at };
    if (novelty !== "new") {
      // R12: it was told before, or this log has had it.
      const index = history.findIndex((other) => other.channel === channel && other.record === record);
      const hasIt = history.slice(0, index).some((other) => {
        return other.channel === channel && isSuccessor(other.record, record) && other.record.epoch === record.epoch;
      });
      const isTold = record.number <= (last.get(record.origin) ?? 0);
      if (novelty === "again" ? !hasIt : !isTold) yield `${id}: ${name} is not new, and was never`;
      continue;
    }
    // I2.
    if (heard.has(name)) yield `${id}: ${name} twice`;
    heard.add(name);
    // I3: by origin.
    if (record.number <= (last.get(record.origin) ?? 0)) yield `${id}: ${name} out of order`;
    last.set(record.origin, record.number);
  }
}

/** I3: at one place, everybody has heard the same. */
function* checkOrder(nodes: readonly Node[]): Generator<string> {
  const places = new Map<string, string>();
  for (const { id, told } of nodes) {
    for (const [channel, items] of told) {
      for (const item of items) {
        if (item.kind === "begun") continue;
        const { epoch, at, origin, number } = item.record;
        const place = `${channel} ${epoch} ${at}`;
        const name = `${origin} ${number}`;
        if ((places.get(place) ?? name) !== name) yield `${id}: another entry at ${place}`;
        places.set(place, name);
      }
    }
  }
}

function isSuccessor(record: LogRecord, { origin, number }: LogRecord): boolean {
  return record.origin === origin && record.number >= number;
}
