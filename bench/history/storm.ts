import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../coordinator/child.ts";
import type { ForkedStage } from "../coordinator/forked-stage.ts";
import { Lot } from "../scenarios/lot.ts";
import { openLoop } from "../scenarios/loads.ts";
import { streamTo } from "../scenarios/audience.ts";
import { onStage, RECORDED_ROOMS, type SliceSetup } from "./slice.ts";
import type { Return, StormCommand, StormReport } from "./storm-messages.ts";

const ROOMS = 100;
const ROOMS_OF_A_CLIENT = 5;

/** Messages that every client has missed in each of its rooms. */
const MISSED = 20;

/** Each way to return comes twice, forwards and backwards. */
const ORDER: readonly Return[] = ["connect", "join", "recover", "recover", "join", "connect"];

/** Until the server has seen that connections have ended, in milliseconds; for each 1,000 of them. */
const NOTICE = 200;

/** The time in which what is missed is sent, in seconds. */
const SENDING = 0.2;

/** How often the memory of the server is looked at, in milliseconds. */
const INTERVAL = 10;

/** Bytes of a page of memory, in which the system counts. */
const PAGE = 4096;
const MEBIBYTE = 2 ** 20;

/** Clients that return in so many seconds, and more, are slow. */
const PATIENCE_SECONDS = 120;

export interface StormPlan extends Omit<SliceSetup, "recorded"> {
  readonly clients: number;
  readonly seed: number;
}

/** What a storm has cost. */
export interface StormCost {
  /** Processor time of the server for each client, in microseconds, by the way in which it returned. */
  readonly cpu: Readonly<Record<Return, number>>;
  /** The same for each join with its missed messages, beside the handshake. */
  readonly join: number;
  /** Of this, what the join itself takes, without a record. */
  readonly plainJoin: number;
  /** From the last connect until all clients have caught up, in seconds. */
  readonly caughtUp: number;
  /** Until the last was connected, in seconds. */
  readonly connecting: number;
  /** The most resident memory while clients recover, above what it is when they have returned without, in MiB. */
  readonly memory: number;
}

/** All clients lose their connections, and come back at once. */
export function stormCost({ clients, seed, ...setup }: StormPlan): Promise<StormCost> {
  return onStage({ ...setup, recorded: RECORDED_ROOMS }, async (stage) => {
    const storm = new Storm(stage, setup);
    try {
      const lot = new Lot(seed);
      const numbers = Array.from({ length: ROOMS }, (_, room) => room);
      await storm.begin(Array.from({ length: clients }, () => lot.draw(ROOMS_OF_A_CLIENT, numbers)));
      const found: Record<Return, Returned[]> = { connect: [], join: [], recover: [] };
      for (const how of ORDER) found[how].push(await storm.pass(how, clients));
      const mean = (how: Return, figure: keyof Returned): number =>
        found[how].reduce((sum, returned) => sum + returned[figure], 0) / found[how].length;
      const cpu = { connect: mean("connect", "cpu"), join: mean("join", "cpu"), recover: mean("recover", "cpu") };
      return {
        cpu,
        join: (cpu.recover - cpu.connect) / ROOMS_OF_A_CLIENT,
        plainJoin: (cpu.join - cpu.connect) / ROOMS_OF_A_CLIENT,
        caughtUp: mean("recover", "catchingUp"),
        connecting: mean("recover", "connecting"),
        memory: mean("recover", "peak") - mean("join", "peak"),
      };
    } finally {
      await storm.stop();
    }
  });
}

/** What one return has cost: CPU in microseconds for each client, times in seconds, memory in MiB. */
interface Returned {
  readonly cpu: number;
  readonly connecting: number;
  readonly catchingUp: number;
  readonly peak: number;
}

class Storm {
  readonly #stage: ForkedStage;
  readonly #clients: Child<StormCommand, StormReport>;
  readonly #compression: boolean;
  readonly #streams = Array.from({ length: ROOMS }, (_, room) => streamTo(`r${room}`, room, 0));

  constructor(stage: ForkedStage, { pinning, compression = false }: Pick<SliceSetup, "pinning" | "compression">) {
    this.#stage = stage;
    this.#compression = compression;
    this.#clients = new Child("clients", new URL("storm-clients.js", import.meta.url), [], pinning.others, []);
    this.#clients.onreport = (report) => {
      if (report.told === "failed") this.#clients.fail(`failed: ${report.reason}`);
    };
  }

  async begin(rooms: readonly (readonly number[])[]): Promise<void> {
    const { port } = this.#stage;
    await this.#ask({ do: "begin", port, compression: this.#compression, rooms }, "begun");
  }

  /** All clients go, miss something, and come back. */
  async pass(how: Return, clients: number): Promise<Returned> {
    await this.#ask({ do: "lose" }, "lost");
    await sleep(NOTICE * Math.ceil(clients / 1_000));
    if (how === "recover") await this.#stage.broadcast(openLoop(this.#streams, (ROOMS * MISSED) / SENDING, SENDING));
    // Collects what the last return has left behind.
    await this.#stage.memory();
    const memory = new PeakMemory(this.#stage.pids[0]);
    const { result, observation } = await this.#stage.observe([], () =>
      this.#ask({ do: "return", how, missed: MISSED }, "returned"),
    );
    const { user, system } = observation.server;
    const { connecting, catchingUp } = result;
    return { cpu: (user + system) / clients, connecting, catchingUp, peak: memory.read() };
  }

  stop(): Promise<void> {
    return this.#clients.stop();
  }

  #ask<Kind extends StormReport["told"]>(
    command: StormCommand,
    kind: Kind,
  ): Promise<Extract<StormReport, { readonly told: Kind }>> {
    const answer = this.#clients.next([kind], PATIENCE_SECONDS);
    this.#clients.send(command);
    return answer;
  }
}

/** The most resident memory of a process, from now on. The kernel's own peak is that of its whole life. */
class PeakMemory {
  readonly #pid: number | undefined;
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#look();
    this.#timer = setInterval(() => this.#look(), INTERVAL);
  }

  /** Returns it in MiB, and ends. `NaN` where the system does not say. */
  read(): number {
    this.#look();
    clearInterval(this.#timer);
    return this.#peak / MEBIBYTE;
  }

  #look(): void {
    try {
      const pages = Number(readFileSync(`/proc/${this.#pid}/statm`, "utf8").split(" ")[1]);
      this.#peak = Math.max(this.#peak, pages * PAGE);
    } catch {
      this.#peak = Number.NaN;
    }
  }
}
