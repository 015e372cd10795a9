import { setTimeout } from "node:timers/promises";
import type { Measurement } from "../figures.ts";
import { measurementOf } from "../observation.ts";
import type { Client } from "../receivers/messages.ts";
import type { Load, Stream } from "../server/messages.ts";
import type { Observation, Stage } from "../stage.ts";
import { crowd, streamTo } from "./audience.ts";
import { connect } from "./broadcasts.ts";
import { atLeastOne, combine, secondsOf } from "./defaults.ts";
import { openLoop, saturating, warmUpSeconds } from "./loads.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { describe } from "./words.ts";

export const slow: Scenario = {
  name: "slow",
  description: "1 % of the readers stall and are sent 48 MB each: what that does to the others, and to memory",
  headline: "throughput",
  also: ["cpu", "peakResident", "p99"],
  trials: (options) =>
    combine(
      options.members ?? [200],
      options.sizes ?? [16_384],
      (members, size) => new SlowTrial(members, size, secondsOf(options)),
    ),
};

/**
 * What each stalled client is sent while it does not read. The kernel takes some 10 MB at most of it, its own buffer and
 * the client's; the rest is the server's to hold or to refuse.
 */
const SENT_TO_EACH = 48 * 1024 * 1024;

/** For how long it is sent. */
const FILL_SECONDS = 0.3;

/** Until clients that read again have begun to; what they read is then waited for. */
const RELEASE_MILLISECONDS = 100;

/** The streams: to all, while all read; then to the same room, but for those who stall; and what only these are sent. */
const ALL = 0;
const OTHERS = 1;
const STALLED = 2;

/** What everybody has to get who is waited for. */
interface Condition {
  readonly title: string;
  readonly streams: readonly Stream[];
}

/** Measures the same load before and after some clients stall. */
class SlowTrial implements Trial {
  readonly name: string;
  readonly size: number;
  readonly compression = false;
  readonly #seconds: number;
  readonly #clients: readonly Client[];
  readonly #stalled: readonly number[];
  readonly #reading: Condition;
  readonly #stalling: Condition;
  /** How many connections have ended since clients stalled. */
  #closed = 0;

  constructor(members: number, size: number, seconds: number) {
    const slowOnes = crowd(atLeastOne(members / 100), {
      rooms: ["r0", "stalled"],
      streams: [ALL],
      passing: [OTHERS, STALLED],
    });
    const others = crowd(members - slowOnes.length, { rooms: ["r0"], streams: [ALL, OTHERS] }, slowOnes.length);
    this.name = describe(members, size);
    this.size = size;
    this.#seconds = seconds;
    this.#clients = [...slowOnes, ...others];
    this.#stalled = slowOnes.map((client) => client.id);
    this.#reading = { title: `${this.name}, all reading`, streams: [streamTo("r0", ALL, members)] };
    this.#stalling = {
      title: `${this.name}, ${slowOnes.length} stalled`,
      streams: [streamTo("r0", OTHERS, others.length)],
    };
  }

  capacity(stage: Stage): Promise<readonly Measurement[]> {
    const load = { listeners: this.#clients.length, perTurn: 1, size: this.size, seconds: this.#seconds };
    return this.#beforeAndAfter(stage, ({ title, streams }) =>
      this.#measure(stage, saturating({ ...load, streams }), { case: title, phase: "capacity" }),
    );
  }

  latency(stage: Stage, messages: number, loads: readonly number[]): Promise<readonly Measurement[]> {
    return this.#beforeAndAfter(stage, async ({ title, streams }) => {
      const measurements: Measurement[] = [];
      for (const load of loads) {
        const pace = openLoop(streams, messages * load, this.#seconds);
        measurements.push(...(await this.#measure(stage, pace, { case: title, phase: "latency", load })));
      }
      return measurements;
    });
  }

  async #beforeAndAfter(
    stage: Stage,
    measure: (condition: Condition) => Promise<readonly Measurement[]>,
  ): Promise<readonly Measurement[]> {
    await connect(stage, this.#clients);
    const before = await measure(this.#reading);
    this.#closed = 0;
    await this.#stall(stage);
    const after = await measure(this.#stalling);
    await this.#release(stage);
    return [...before, ...this.#withoutStalled(after)];
  }

  async #measure(
    stage: Stage,
    load: Load,
    about: Pick<Measurement, "case" | "phase" | "load">,
  ): Promise<readonly Measurement[]> {
    await this.#broadcast(stage, { ...load, seconds: warmUpSeconds(this.#seconds) });
    const parameters = { members: this.#clients.length, size: this.size };
    return [measurementOf(await this.#broadcast(stage, load), { ...about, parameters })];
  }

  async #broadcast(stage: Stage, load: Load): Promise<Observation> {
    const observation = await stage.broadcast(load);
    this.#closed += observation.tally.violations.closed;
    return observation;
  }

  /** Some clients read no more, and are sent more than anybody should hold for them. */
  async #stall(stage: Stage): Promise<void> {
    await stage.stall(this.#stalled, true);
    const rate = SENT_TO_EACH / this.size / FILL_SECONDS;
    // Nobody has to get it: no members.
    await this.#broadcast(stage, openLoop([streamTo("stalled", STALLED, 0)], rate, FILL_SECONDS));
  }

  /** They read again, what was kept for them and whether the server still has them. */
  async #release(stage: Stage): Promise<void> {
    const { observation } = await stage.observe([], async () => {
      await stage.stall(this.#stalled, false);
      await setTimeout(RELEASE_MILLISECONDS);
    });
    this.#closed += observation.tally.violations.closed;
  }

  /** A server may close a stalled client, and nobody else. */
  #withoutStalled(measurements: readonly Measurement[]): readonly Measurement[] {
    const others = Math.max(0, this.#closed - this.#stalled.length);
    const remarks = [this.#closed === 0 ? "keeps stalled clients" : "closes stalled clients"];
    const judged: Measurement[] = [];
    for (const { violations, ...measurement } of measurements) {
      judged.push({
        ...measurement,
        remarks,
        ...(violations !== undefined && { violations: { ...violations, closed: others } }),
      });
    }
    return judged;
  }
}
