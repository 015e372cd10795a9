import { readFileSync } from "node:fs";
import type { Results } from "./results.ts";

/** This file cannot be compared with; the message says why. */
export class ResultsFileError extends Error {}

export function jsonOf(results: Results): string {
  return `${JSON.stringify(results)}\n`;
}

/** @throws ResultsFileError - It cannot be read, or holds something else. */
export function resultsIn(path: string): Results {
  let results: Partial<Results> | null;
  try {
    results = JSON.parse(readFileSync(path, "utf8")) as Partial<Results> | null;
  } catch (error) {
    throw new ResultsFileError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (results?.version !== 1 || !Array.isArray(results.rows)) {
    throw new ResultsFileError(`${path} was not written by --json of this benchmark`);
  }
  return results as Results;
}
