import { readFileSync } from "node:fs";

/** More than this, as a fraction of one core, and a slice is repeated. */
export const DISTURBED = 0.15;

/** Of the kernel's accounting, a second. It is the same on all systems that Node.js runs on. */
const TICKS = 100;

/** Watches how much CPU time other programs use. */
export class Disturbance {
  readonly #began = process.hrtime.bigint();
  readonly #busy = busyTicks();
  readonly #own = processTicks(process.pid);

  /**
   * The CPU time that others have used since this was made, as a fraction of one core; `undefined` where the system does
   * not say.
   *
   * @param children - Processes of the benchmark that were started since, and still run.
   */
  since(children: readonly number[]): number | undefined {
    const seconds = Number(process.hrtime.bigint() - this.#began) / 1e9;
    const busy = busyTicks();
    if (busy === undefined || this.#busy === undefined) return undefined;
    const own = children.reduce((sum, child) => sum + processTicks(child), processTicks(process.pid) - this.#own);
    return Math.max(0, (busy - this.#busy - own) / TICKS / seconds);
  }
}

/** @param stat - What `/proc/stat` holds. */
export function busyTicksIn(stat: string): number {
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = (stat.split("\n")[0] ?? "").split(/\s+/).map(Number);
  // Interrupts are left out: most of them carry the benchmark's own messages. Kernels that count them as part of the
  // process in which they happen make the disturbance look smaller by them, never larger.
  return user + nice + system + steal;
}

/** @param stat - What `/proc/PID/stat` holds. The name of the program can have spaces and parentheses in it. */
export function processTicksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [fields[11], fields[12]];
  return Number(user) + Number(system);
}

function busyTicks(): number | undefined {
  try {
    return busyTicksIn(readFileSync("/proc/stat", "utf8"));
  } catch {
    return undefined;
  }
}

function processTicks(pid: number): number {
  try {
    return processTicksIn(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return 0;
  }
}
