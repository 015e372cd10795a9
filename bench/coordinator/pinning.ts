import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Numbers of processor cores, as the system counts them. */
export type Cores = readonly number[];

/** Which processes run where. */
export interface Pinning {
  /** Absent where the system decides. */
  readonly server?: Cores;
  /** The receivers' and the coordinator's. */
  readonly others?: Cores;
  /** For people. */
  readonly description: string;
}

/**
 * Gives the server a core of its own and puts this process on the others, where that is possible: a server that moves
 * between cores, or shares one with those who measure it, is slower from one slice to the next for no reason of its own.
 */
export function pin(wanted: boolean): Pinning {
  if (!wanted) return { description: "not pinned, as asked" };
  const cores = allowedCores();
  if (cores === undefined) return { description: "not pinned: no /proc here" };
  const [core] = cores;
  if (core === undefined || cores.length < 2) return { description: "not pinned: one core only" };
  const siblings = siblingsOf(core);
  const distant = cores.filter((candidate) => !siblings.includes(candidate));
  const others = distant.length > 0 ? distant : cores.filter((candidate) => candidate !== core);
  try {
    // All threads of this process, the ones that V8 and libuv have started before.
    execFileSync("taskset", ["-acp", others.join(","), String(process.pid)], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    return { description: `not pinned: ${String(error).split("\n").at(0)}` };
  }
  const shared = distant.length > 0 || siblings.length < 2 ? "" : " (threads of one core)";
  return {
    server: [core],
    others,
    description: `server on core ${core}, receivers and coordinator on ${rangesOf(others)}${shared}`,
  };
}

/** How to start a program on these cores only, with all threads that it will have. */
export function commandOn(
  cores: Cores | undefined,
  [program, ...args]: readonly [program: string, ...args: string[]],
): { readonly execPath: string; readonly execArgv: string[] } {
  if (cores === undefined) return { execPath: program, execArgv: args };
  return { execPath: "taskset", execArgv: ["-c", cores.join(","), program, ...args] };
}

/** The numbers in `0-3,8`. */
export function numbersIn(list: string): number[] {
  return list
    .trim()
    .split(",")
    .filter((range) => range !== "")
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Those that this process may use, which in a container are not always all, nor the first. */
function allowedCores(): Cores | undefined {
  const status = textOf("/proc/self/status");
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? "")?.[1];
  return list === undefined ? undefined : numbersIn(list);
}

function siblingsOf(core: number): Cores {
  return numbersIn(textOf(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`) ?? String(core));
}

function rangesOf(cores: Cores): string {
  const first = cores[0] ?? 0;
  const last = cores.at(-1) ?? first;
  if (cores.length > 2 && last - first === cores.length - 1) return `${first}-${last}`;
  return cores.join(", ");
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
