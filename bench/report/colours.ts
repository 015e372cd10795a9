import type { Verdict } from "../results.ts";

/** Colours a line by what it says. */
export type Paint = (line: string, as: Verdict | "title" | undefined) => string;

const CODES: Readonly<Partial<Record<Verdict | "title", number>>> = {
  title: 1,
  better: 32,
  worse: 33,
  void: 31,
  withheld: 2,
};

/** @param colours - Without them, lines stay as they are. */
export function paint(colours: boolean): Paint {
  return (line, as) => {
    const code = as === undefined || !colours ? undefined : CODES[as];
    return code === undefined ? line : `\u001B[${code}m${line}\u001B[0m`;
  };
}
