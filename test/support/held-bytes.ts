import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate as nextTurn } from "node:timers/promises";

setFlagsFromString("--expose-gc");

/** Collects garbage. What was referenced in the present turn may be left until the next. */
export const collectGarbage: () => void = runInNewContext("gc") as () => void;

/** Returns the number of bytes that this process holds, after garbage collection. */
export async function heldBytes(): Promise<number> {
  collectGarbage();
  await nextTurn();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
