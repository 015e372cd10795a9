import { OpenLoopSchedule } from "../open-loop-schedule.ts";
import { now } from "../stamp.ts";
import type { Churning } from "./churning.ts";
import type { Credit } from "./credit.ts";
import { Measurement } from "./measurement.ts";
import type { Load, OpenLoop, Saturating, ServerFigures } from "./messages.ts";
import type { Source } from "./source.ts";

/** How long to wait for credit that does not come, in milliseconds. */
const PATIENCE = 1_000;

/** Where a load comes from and goes to. */
export interface Broadcast {
  readonly source: Source;
  readonly credit: Credit;
  readonly churning: Churning | undefined;
}

/**
 * Sends a load and tells what it has cost.
 *
 * What was sent is not written yet: a hub writes at the end of the turn, and where the operating system does not take it
 * all, libraries write the rest later. So the end is a few turns after the last message; where as much was sent as goes,
 * it is when the receivers have it, or else those who keep most in their own buffers would look cheapest.
 */
export async function broadcast({ seconds, pace }: Load, parts: Broadcast): Promise<ServerFigures> {
  const { source, credit, churning } = parts;
  const saturating = pace.kind === "saturating";
  const measurement = new Measurement(source);
  await measurement.settle();
  const ended = await (saturating ? saturate(pace, seconds, parts) : sendOnSchedule(pace, seconds, parts));
  await turns(2);
  if (saturating) await credit.settled(source.deliveries, PATIENCE);
  const figures = await measurement.figures(ended, churning?.joins ?? 0);
  churning?.end();
  return figures;
}

/** @returns when the last turn was. */
function saturate(
  { perTurn, inFlight }: Saturating,
  seconds: number,
  { source, credit, churning }: Broadcast,
): Promise<number> {
  return new Promise((resolve) => {
    let over = false;
    let time = now();
    const turn = (): void => {
      if (over) return;
      if (source.deliveries - credit.received > inFlight) {
        credit.onNext(turn);
        return;
      }
      churning?.step();
      time = now();
      for (let message = 0; message < perTurn; message++) source.send(time);
      setImmediate(turn);
    };
    // Not looked up in a turn: a server that loses messages gets no credit for them, and may never have one again.
    setTimeout(() => {
      over = true;
      resolve(time);
    }, seconds * 1000);
    turn();
  });
}

/** @returns when it had sent the last message, which is later than intended where the server does not keep up. */
function sendOnSchedule({ rate }: OpenLoop, seconds: number, { source, churning }: Broadcast): Promise<number> {
  const schedule = new OpenLoopSchedule(now(), rate, seconds, { spinning: true });
  return new Promise((resolve) => {
    let index = 0;
    const turn = (): void => {
      const time = now();
      let due = schedule.intended(index);
      if (due <= time) churning?.step();
      while (due <= time && index < schedule.length) {
        source.send(due);
        due = schedule.intended(++index);
      }
      if (index === schedule.length) {
        resolve(now());
        return;
      }
      const sleep = schedule.sleep(index, now());
      if (sleep > 0) setTimeout(turn, sleep);
      else setImmediate(turn);
    };
    turn();
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
