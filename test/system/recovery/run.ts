import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { GapReason, HistoryOptions } from "roomcast";
import { Random } from "../../support/random.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import type { Proxy } from "../network/proxy.ts";
import { check, type Finding } from "./checker.ts";
import { Crowd, type Probe } from "./crowd.ts";
import { Events, ROOMS } from "./events.ts";
import { Journal } from "./journal.ts";
import { Programs, type EngineAddress, type Program, type ProgramSettings } from "./program.ts";

/** The least number of events that clients hear in a run, unless it says otherwise. */
const DELIVERIES = 100_000;

/** More than is sent in a run. */
const HISTORY: HistoryOptions = { rooms: { "chat:*": { size: 20_000, age: 600_000 } } };

/** The time between two turns in which events are sent, in milliseconds. */
const TURN = 20;

/** The time after which the last events are sent once more, in milliseconds. */
const LAST_CALL = 1_000;

/** How long to wait for what has to come, in milliseconds: only a run that fails ever waits so long. */
const PATIENCE = 120_000;

/** What carries the events between nodes. */
export interface Engine {
  /** Returns how the program with this number reaches the engine. */
  addressFor(program: number): EngineAddress;
  /** Returns what lies between this program and the engine. */
  proxiesOf(program: number): readonly Proxy[];
  /** Whether nodes are workers of one primary process, which is the engine. */
  readonly hasPrimary?: boolean;
}

/** Something that goes wrong. */
export interface Fault {
  readonly name: string;
  /** The reasons of the gaps that it may cause. Default: none, because nobody loses anything. */
  readonly causes?: readonly GapReason[];
  happen(run: Run): Promise<void>;
}

export interface RunSettings {
  readonly seed: number;
  readonly engine: Engine;
  /** The number of programs with clients, and of those without. */
  readonly nodes: number;
  readonly emitters: number;
  /** What goes wrong, one after the other. */
  readonly faults: readonly Fault[];
  /** The least number of events that clients hear. Default: 100,000. */
  readonly deliveries?: number;
}

/** The place of a program, in which another one follows when it has ended. */
export interface Slot {
  readonly number: number;
  readonly role: "emitter" | "node";
  program: Program;
}

/** Programs and clients that go through faults, while events are sent to a few rooms. */
export class Run {
  readonly random: Random;
  readonly engine: Engine;
  readonly #settings: RunSettings;
  readonly #journal = new Journal();
  readonly #programs: Programs;
  readonly #crowd: Crowd;
  readonly #events: Events;
  /** What waits for a promise of `record()` to settle. */
  readonly #settling = new Map<number, (isRecorded: boolean) => void>();
  #slots: readonly Slot[] = [];
  #primary: Program | undefined;
  #isOver = false;

  /**
   * Runs everything, and returns what the journal tells. The journal itself goes to a file in the folder that the variable
   * `RECOVERY_JOURNALS` names.
   */
  static async perform(settings: RunSettings): Promise<Finding> {
    const run = new Run(settings);
    try {
      await run.#start();
      const driven = run.#drive();
      await run.#goThrough(settings.faults);
      await run.#until("enough is heard", () => run.#hasEnough);
      run.#isOver = true;
      await driven;
      await run.#heal();
    } finally {
      run.#isOver = true;
      run.#crowd.close();
      await run.#programs.stop();
      const folder = process.env["RECOVERY_JOURNALS"];
      if (folder !== undefined)
        writeFileSync(join(folder, `${basename(run.#programs.folder)}.jsonl`), run.#journal.text);
    }
    return check(run.#journal.entries);
  }

  private constructor(settings: RunSettings) {
    this.#settings = settings;
    this.random = new Random(settings.seed);
    this.engine = settings.engine;
    this.#crowd = new Crowd(this.random, this.#journal, () =>
      this.nodes.map(({ program }) => program).filter(({ isServing }) => isServing),
    );
    this.#events = new Events(this.random, this.#journal, this.#crowd.participants);
    this.#programs = new Programs({
      recorded: (id, at) => {
        this.#journal.note({ type: "recorded", id, at });
        this.#settled(id, true);
      },
      rejected: (id, code, text) => {
        if (code !== "ERR_HUB_BACKPLANE" && code !== "ERR_HUB_CLOSED") this.#fail(text);
        this.#settled(id, false);
      },
      error: ({ name }, code, text) => {
        this.#journal.note({ type: "told", source: name, text });
        if (code !== "ERR_HUB_BACKPLANE") this.#fail(`${name}: ${text}`);
      },
      ended: ({ name }, errors) => this.#fail(`${name} has ended: ${errors}`),
    });
  }

  /** All programs but the primary process. */
  get slots(): readonly Slot[] {
    return this.#slots;
  }

  get nodes(): readonly Slot[] {
    return this.#slots.filter(({ role }) => role === "node");
  }

  get emitters(): readonly Slot[] {
    return this.#slots.filter(({ role }) => role === "emitter");
  }

  get primary(): Program {
    if (this.#primary === undefined) throw new Error("There is no primary process.");
    return this.#primary;
  }

  /** Whether clients have heard as much as they are to hear. */
  get #hasEnough(): boolean {
    return this.#journal.deliveries >= (this.#settings.deliveries ?? DELIVERIES);
  }

  /** Starts a program in the place of one that has ended. */
  async replace(slot: Slot): Promise<void> {
    slot.program = await this.#startProgram(slot.role, slot.number);
  }

  /** Kills the primary process, with all of its workers, and starts all again. */
  async replaceAll(): Promise<void> {
    for (const { program } of this.#slots) program.expectEnd();
    await this.primary.kill();
    await Promise.all(this.#slots.map(({ program }) => program.ended.promise));
    await this.#startPrimary();
    await Promise.all(this.#slots.map((slot) => this.replace(slot)));
  }

  /** Waits for a while that the seed chooses, in milliseconds. */
  async wait(least: number, most: number): Promise<void> {
    await sleep(this.random.between(least, most));
  }

  async #start(): Promise<void> {
    const { emitters, nodes } = this.#settings;
    await this.#startPrimary();
    this.#slots = await Promise.all(
      Array.from({ length: nodes + emitters }, async (_, number): Promise<Slot> => {
        const role = number < nodes ? "node" : "emitter";
        return { number, role, program: await this.#startProgram(role, number) };
      }),
    );
    this.#crowd.open();
    const noticed = (): number => this.#journal.entries.filter(({ type }) => type === "noticed").length;
    await this.#until("all clients are in their rooms", () => noticed() >= this.#crowd.memberships);
    // A client that goes to another node before it knows that its room has a record is told of a gap.
    const first = await this.#recordEverywhere();
    await this.#until("all clients have a position", () => this.#crowd.missing(first).length === 0);
  }

  async #startPrimary(): Promise<void> {
    if (this.engine.hasPrimary !== true) return;
    this.#primary = await this.#programs.start("primary", this.#programSettings("primary", 0));
  }

  #startProgram(role: Slot["role"], number: number): Promise<Program> {
    return this.#programs.start(`${role} ${number}`, this.#programSettings(role, number), this.#primary);
  }

  #programSettings(role: ProgramSettings["role"], number: number): ProgramSettings {
    const hub = { history: HISTORY, cluster: { lease: 2_000 } };
    const engine = this.engine.addressFor(number);
    if (role !== "node") return { role, engine, hub };
    // Little is held for slow readers, so that there are some.
    return {
      role,
      engine,
      hub: { ...hub, maxBufferedBytes: 32_768 },
      transport: TRANSPORTS[number % TRANSPORTS.length],
    };
  }

  async #goThrough(faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) {
      const { name, causes = [] } = fault;
      await this.wait(50, 200);
      this.#journal.note({ type: "fault", name, causes });
      await fault.happen(this);
      // Some faults come while the one before is not over.
      if (causes.includes("epoch") || this.random.chance(0.7)) await this.#flowing();
    }
  }

  /** Waits until every program can record an event, or is told that it cannot. */
  async #flowing(): Promise<void> {
    const serving = this.#slots.map(({ program }) => program).filter(({ isServing }) => isServing);
    await Promise.all(serving.map((program) => this.#probe(program, this.random.pick(ROOMS))));
  }

  /** Sends events, and disturbs clients. */
  async #drive(): Promise<void> {
    const { random } = this;
    for (; !this.#isOver; await sleep(TURN)) {
      // A machine on which faults take long has enough to do.
      if (this.#hasEnough && random.chance(0.75)) continue;
      for (let times = random.between(1, 3); times > 0; times--) {
        const { program } = random.pick(this.#slots);
        if (!program.isServing) continue;
        const count = random.chance(0.1) ? random.between(10, 20) : random.between(1, 5);
        program.send(Array.from({ length: count }, () => this.#events.any(program)));
      }
      if (random.chance(0.5)) this.#crowd.disturb();
    }
  }

  /** Waits until every client has heard everything that was sent to its rooms. */
  async #heal(): Promise<void> {
    this.#crowd.resume();
    const end = performance.now() + PATIENCE;
    for (;;) {
      const last = await this.#recordEverywhere();
      const next = performance.now() + LAST_CALL;
      while (this.#crowd.missing(last).length > 0 && performance.now() < next) await sleep(TURN);
      const missing = this.#crowd.missing(last);
      if (missing.length === 0 && last.length === this.#slots.length * ROOMS.length) return;
      // A gap may stand for what was recorded while the last clients came back.
      if (performance.now() < end) continue;
      this.#fail(`${last.length} programs and rooms record at the end`);
      for (const what of missing) this.#fail(what);
      return;
    }
  }

  /** Records an event of every program in every room. */
  async #recordEverywhere(): Promise<readonly Probe[]> {
    const all = this.#slots.flatMap(({ program }) =>
      ROOMS.map(async (room): Promise<readonly Probe[]> => {
        const id = await this.#probe(program, room);
        return id === undefined ? [] : [{ room, id }];
      }),
    );
    return (await Promise.all(all)).flat();
  }

  /** Records an event that leaves out nobody. Resolves with its number when it is recorded; `undefined` if it is not. */
  async #probe(program: Program, room: string): Promise<number | undefined> {
    const order = this.#events.probe(program, room);
    let isSettled = false;
    let isRecorded = false;
    const settle = (outcome: boolean): void => {
      isSettled = true;
      isRecorded = outcome;
    };
    this.#settling.set(order.id, settle);
    program.send([order]);
    await this.#until(`${program.name} has recorded an event`, () => isSettled || program.state === "ended");
    return isRecorded ? order.id : undefined;
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!isSo()) {
      if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
      await sleep(TURN);
    }
  }

  #settled(id: number, isRecorded: boolean): void {
    this.#settling.get(id)?.(isRecorded);
    this.#settling.delete(id);
  }

  #fail(what: string): void {
    this.#journal.note({ type: "failed", what });
  }
}
