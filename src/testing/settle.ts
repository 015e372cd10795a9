import { setImmediate } from "node:timers";
import { HubError } from "../errors.ts";

/** How many of our own looks are in the queue of immediates: tests that run side by side must not wait for one another. */
let looking = 0;

/** More than any test's messages take: what goes on for longer goes on for ever. */
const MOST_TURNS = 100_000;

/**
 * Resolves when nothing is left to run: what was sent in memory has arrived, and so has what was sent in answer to it.
 *
 * There is no number of turns to guess. The memory transport and the hub go on in immediates only; between two of those
 * Node runs all microtasks and ticks. So when no immediate waits, nothing does, but for timers and real input and output,
 * which are not waited for.
 *
 * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT` when it never becomes quiet.
 */
export function settle(): Promise<void> {
  return new Promise((resolve, reject) => {
    let turns = 0;
    const look = (): void => {
      looking--;
      if (waitingImmediates() <= looking) resolve();
      else if (++turns === MOST_TURNS) reject(restless());
      else lookLater();
    };
    const lookLater = (): void => {
      looking++;
      setImmediate(look);
    };
    lookLater();
  });
}

function waitingImmediates(): number {
  return process.getActiveResourcesInfo().filter((type) => type === "Immediate").length;
}

function restless(): HubError {
  return new HubError(
    "ERR_HUB_TIMEOUT",
    `After ${MOST_TURNS} turns of the event loop there is still something to do. Does a handler answer its own echo?`,
  );
}
