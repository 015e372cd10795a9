import { readdirSync, readFileSync } from "node:fs";

/**
 * More than this, as a fraction of one core, and a slice is repeated: what others used, or for how long the server could
 * have run and did not. On two cores the server waits for up to 0.13 in a quiet slice, for its own threads, and for 0.17
 * and more where a program takes 0.15 of its core.
 */
export const DISTURBED = 0.15;

/** Of the kernel's accounting, a second. It is the same on all systems that Node.js runs on. */
const TICKS = 100;

/** The parent of the kernel's own threads. They carry the benchmark's messages, among other things. */
const KERNEL = 2;

/** What one process has used. */
interface Usage {
  readonly parent: number;
  readonly ticks: number;
  /** Tells it from an earlier one with the same id. */
  readonly started: string;
}

/** Watches how much CPU time other programs use, and how long they keep the server from running. */
export class Disturbance {
  readonly #began = process.hrtime.bigint();
  readonly #before = usages();
  readonly #stolen = stolenTicks();
  #server: { readonly pid: number; readonly began: bigint; readonly waited: number } | undefined;

  /** From now on it counts how long this process waits for its core, which it has to have for itself. */
  follow(pid: number): void {
    const waited = secondsWaited(pid);
    if (waited !== undefined) this.#server = { pid, began: process.hrtime.bigint(), waited };
  }

  /**
   * The CPU time that others have used since this was made, as a fraction of one core, or the fraction of its
   * time that the server waited for its core, if that is more; `undefined` where the system does not say. Of a process
   * that ended meanwhile nothing is known.
   *
   * @param children - Processes of the benchmark.
   */
  since(children: readonly number[]): number | undefined {
    const seconds = secondsSince(this.#began);
    const stolen = stolenTicks();
    if (stolen === undefined || this.#stolen === undefined) return undefined;
    const own = new Set([process.pid, ...children]);
    let ticks = stolen - this.#stolen;
    for (const [pid, usage] of usages()) {
      if (own.has(pid) || pid === KERNEL || usage.parent === KERNEL) continue;
      const before = this.#before.get(pid);
      ticks += usage.ticks - (before?.started === usage.started ? before.ticks : 0);
    }
    return Math.max(ticks / TICKS / seconds, this.#waited());
  }

  /** As a fraction of its time. */
  #waited(): number {
    if (this.#server === undefined) return 0;
    const { pid, began, waited } = this.#server;
    return ((secondsWaited(pid) ?? waited) - waited) / secondsSince(began);
  }
}

/** @param stat - What `/proc/stat` holds. */
export function stolenTicksIn(stat: string): number {
  return Number((stat.split("\n")[0] ?? "").split(/\s+/)[8] ?? 0);
}

/** @param stat - What `/proc/PID/stat` holds. The name of the program can have spaces and parentheses in it. */
export function usageIn(stat: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [parent, user, system, started = ""] = [fields[1], fields[11], fields[12], fields[19]];
  return { parent: Number(parent), ticks: Number(user) + Number(system), started };
}

/** @param schedstat - What `/proc/PID/schedstat` holds: nanoseconds on a core, nanoseconds waiting for one, and turns. */
export function secondsWaitedIn(schedstat: string): number {
  return Number(schedstat.split(" ")[1] ?? 0) / 1e9;
}

function usages(): ReadonlyMap<number, Usage> {
  const found = new Map<number, Usage>();
  for (const pid of pids()) {
    const stat = textOf(`/proc/${pid}/stat`);
    if (stat !== undefined) found.set(pid, usageIn(stat));
  }
  return found;
}

function pids(): readonly number[] {
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

function stolenTicks(): number | undefined {
  const stat = textOf("/proc/stat");
  return stat === undefined ? undefined : stolenTicksIn(stat);
}

/** Of its main thread. */
function secondsWaited(pid: number): number | undefined {
  const schedstat = textOf(`/proc/${pid}/schedstat`);
  return schedstat === undefined ? undefined : secondsWaitedIn(schedstat);
}

function secondsSince(began: bigint): number {
  return Number(process.hrtime.bigint() - began) / 1e9;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
