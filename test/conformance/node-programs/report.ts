import * as fc from "fast-check";
import { Driver } from "./driver.ts";
import { program } from "./program.ts";

/**
 * Runs random programs. Resolves with a report of the shortest program that contradicts the promises, or with an empty
 * text.
 */
export async function reportOf(seed: number, numRuns: number): Promise<string> {
  const property = fc.asyncProperty(program, async (steps) => {
    const complaints = await new Driver(steps).run();
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  });
  return (await fc.asyncDefaultReportMessage(await fc.check(property, { seed, numRuns }))) ?? "";
}
