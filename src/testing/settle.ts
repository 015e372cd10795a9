import { setImmediate } from "node:timers";
import { HubError } from "../errors.ts";

/** The number of immediates in the queue that are our own: tests that run side by side must not wait for each other. */
let ownImmediates = 0;

/** A number of turns that no test needs: activity that goes on for longer never ends. */
const MAX_TURNS = 100_000;

/**
 * Resolves when nothing is left to run: messages in memory have arrived, and so have the messages sent in answer to
 * them.
 *
 * It does not guess a number of turns. The memory transport and the hub continue in immediates only, and between two of
 * those Node.js runs all microtasks and ticks. So if no immediate waits, nothing is left to run, except timers and real
 * input and output, for which this function does not wait.
 *
 * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT` when there is always something left to run.
 */
export function settle(): Promise<void> {
  return new Promise((resolve, reject) => {
    let turns = 0;
    const check = (): void => {
      ownImmediates--;
      if (waitingImmediates() <= ownImmediates) resolve();
      else if (++turns === MAX_TURNS) reject(neverSettled());
      else checkLater();
    };
    const checkLater = (): void => {
      ownImmediates++;
      setImmediate(check);
    };
    checkLater();
  });
}

function waitingImmediates(): number {
  return process.getActiveResourcesInfo().filter((type) => type === "Immediate").length;
}

function neverSettled(): HubError {
  return new HubError(
    "ERR_HUB_TIMEOUT",
    `After ${MAX_TURNS} turns of the event loop there is still something to do. Does a handler answer its own echo?`,
  );
}
