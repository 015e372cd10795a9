import { CONTROL, isCompared, type Options } from "../command-line.ts";
import { Disturbance } from "./disturbance.ts";
import type { Phase, Slice } from "../figures.ts";
import { ForkedStage, UnavailableError } from "./forked-stage.ts";
import { PEERS } from "../peers/index.ts";
import type { PeerName } from "../peers/peer.ts";
import type { Pinning } from "./pinning.ts";
import type { Absence } from "../results.ts";
import { sumOf } from "../statistics/verdict.ts";
import { orderOf } from "./rounds.ts";
import type { Scenario, ScenarioName, Trial } from "../scenarios/scenario.ts";
import { evidenceOf, isDisturbed, valuesOf } from "../statistics/evidence.ts";
import { median } from "../statistics/median.ts";

/** How often a disturbed slice is repeated. */
const REPETITIONS = 2;

/** What bare writes can do: broadcasts to one room, without unions, limits and compression. */
const FLOORED: ReadonlySet<ScenarioName> = new Set(["one-to-all", "burst", "chat", "many-rooms", "churn"]);

/** What is run next. */
export interface Job {
  readonly scenario: Scenario;
  readonly trial: Trial;
  readonly phase: Phase;
  readonly peer: PeerName;
  readonly round: number;
}

/** Is told what happens. */
export interface Watcher {
  /** @param left - How many jobs there are yet, this one included, if nothing is disturbed and nobody drops out. */
  begins(job: Job, left: Readonly<Record<Phase, number>>): void;
  ended(slice: Slice): void;
}

/** Everything that is asked of a run, slice by slice. */
export class Benchmark {
  readonly slices: Slice[] = [];
  readonly absences: Absence[] = [];
  readonly #options: Options;
  readonly #pinning: Pinning;
  readonly #watcher: Watcher;
  #jobs: readonly Job[];
  /** What the control is capable of in a trial, in messages a second. */
  readonly #capacities = new Map<Trial, number | undefined>();
  #stage: ForkedStage | undefined;
  #repetitionsLeft: number;

  constructor(options: Options, scenarios: readonly Scenario[], pinning: Pinning, watcher: Watcher) {
    this.#options = options;
    this.#pinning = pinning;
    this.#watcher = watcher;
    this.#jobs = scenarios
      .filter(({ name }) => options.scenarios.includes(name))
      .flatMap((scenario) =>
        scenario
          .trials(options.trial)
          .flatMap((trial) => this.#phasesOf(trial).flatMap((phase) => this.#jobsOf(scenario, trial, phase))),
      );
    // A machine that is never quiet must not make a run three times as long.
    this.#repetitionsLeft = Math.ceil(this.#jobs.length / 2);
  }

  async run(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      this.#jobs = this.#jobs.slice(1);
      await this.#do(job);
    }
  }

  /** Ends the processes of the slice that is under way. The run fails. */
  async abort(): Promise<void> {
    this.#jobs = [];
    await this.#stage?.close();
  }

  #phasesOf(trial: Trial): readonly Phase[] {
    return trial.latency === undefined || this.#options.loads.length === 0 ? ["capacity"] : ["capacity", "latency"];
  }

  #jobsOf(scenario: Scenario, trial: Trial, phase: Phase): readonly Job[] {
    const peers = this.#peersOf(scenario, trial, phase);
    return Array.from({ length: this.#options.rounds }, (_, round) =>
      orderOf(peers, round).map((peer) => ({ scenario, trial, phase, peer, round })),
    ).flat();
  }

  #peersOf(scenario: Scenario, trial: Trial, phase: Phase): readonly PeerName[] {
    const peers = this.#options.peers.filter((peer) => {
      if (peer === "floor") return false;
      const reason = isCompared(peer) ? scenario.unable?.(peer) : undefined;
      if (reason !== undefined && phase === "capacity") this.#isAbsent(scenario, trial, peer, reason);
      return reason === undefined;
    });
    return phase === "capacity" && FLOORED.has(scenario.name) ? [...peers, "floor"] : peers;
  }

  async #do(job: Job): Promise<void> {
    const { scenario, trial, peer } = job;
    try {
      for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
        if (repetition > 0 && this.#repetitionsLeft-- <= 0) return;
        this.#watcher.begins(job, this.#left(job));
        const slice = await this.#slice(job);
        this.slices.push(slice);
        this.#watcher.ended(slice);
        if (!isDisturbed(slice) || isVoid(slice)) return;
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      this.#isAbsent(scenario, trial, peer, error.message);
      this.#jobs = this.#jobs.filter((other) => other.trial !== trial || other.peer !== peer);
    }
  }

  #left(job: Job): Readonly<Record<Phase, number>> {
    const left = { capacity: 0, latency: 0 };
    for (const { phase } of [job, ...this.#jobs]) left[phase]++;
    return left;
  }

  async #slice({ scenario, trial, phase, peer, round }: Job): Promise<Slice> {
    const about = { scenario: scenario.name, trial: trial.name, peer, phase, round };
    const { size, compression, flags = [] } = trial;
    const disturbance = new Disturbance();
    const stage = new ForkedStage({
      peer,
      dialect: PEERS[peer].dialect,
      compression,
      size,
      flags,
      pinning: this.#pinning,
    });
    this.#stage = stage;
    try {
      await stage.opened();
      // Not before: while it starts, its own threads share its core.
      const [server] = stage.pids;
      if (server !== undefined && this.#pinning.server !== undefined) disturbance.follow(server);
      const measurements = await (phase === "capacity" ? trial.capacity(stage) : this.#latency(scenario, trial, stage));
      const others = disturbance.since(stage.pids);
      return { ...about, ...(others !== undefined && { disturbance: others }), measurements };
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      return { ...about, measurements: [], failure: (error as Error).message };
    } finally {
      await stage.close();
    }
  }

  async #latency(scenario: Scenario, trial: Trial, stage: ForkedStage): ReturnType<Trial["capacity"]> {
    const messages = this.#capacityOf(scenario, trial);
    if (messages === undefined) throw new Error("The control's capacity is not known");
    return (await trial.latency?.(stage, messages, this.#options.loads)) ?? [];
  }

  /** Where the control was measured in several cases: what it is capable of in every one of them. */
  #capacityOf(scenario: Scenario, trial: Trial): number | undefined {
    if (!this.#capacities.has(trial)) {
      const rates = evidenceOf(this.slices)
        .filter((each) => each.scenario === scenario.name && each.trial === trial.name)
        .filter((each) => each.peer === CONTROL && each.phase === "capacity")
        .map((each) => median(valuesOf(each, "messages")))
        .filter((rate) => Number.isFinite(rate));
      this.#capacities.set(trial, rates.length === 0 ? undefined : Math.min(...rates));
    }
    return this.#capacities.get(trial);
  }

  #isAbsent({ name }: Scenario, trial: Trial, peer: PeerName, reason: string): void {
    this.absences.push({ scenario: name, trial: trial.name, peer, reason });
  }
}

/** No repetition makes up for that. */
function isVoid({ measurements }: Slice): boolean {
  return sumOf(measurements.map(({ violations }) => violations)) !== undefined;
}
