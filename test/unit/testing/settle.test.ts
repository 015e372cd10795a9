import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { hubError } from "../../support/hub-error.ts";

/** So many immediates, each begun by the one before, with promises and a tick between them. */
async function hop(hops: number): Promise<void> {
  for (let count = 0; count < hops; count++) {
    await turn();
    await Promise.resolve();
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
  }
}

test.each([0, 1, 2, 10, 1_000])("settle waits for work of %i turns of the event loop", async (hops) => {
  let over = false;
  const hopping = hop(hops).then(() => (over = true));
  await settle();
  expect(over).toBe(true);
  await hopping;
});

test("settle waits for work that begins when other work has ended", async () => {
  const log: string[] = [];
  void hop(3)
    .then(() => log.push("first"))
    .then(() => hop(3))
    .then(() => log.push("second"));
  await settle();
  expect(log).toEqual(["first", "second"]);
});

test("settle does not wait for timers", async () => {
  let fired = false;
  const timer = setTimeout(() => (fired = true), 1_000_000);
  await settle();
  clearTimeout(timer);
  expect(fired).toBe(false);
});

test("several calls at once wait for the work and not for each other", async () => {
  let over = 0;
  const hopping = hop(20).then(() => over++);
  await Promise.all([settle().then(() => over++), settle().then(() => over++), settle().then(() => over++)]);
  expect(over).toBe(4);
  await hopping;
});

test("settle fails when the work does not end", async () => {
  let endless = true;
  const run = (): void => {
    if (endless) setImmediate(run);
  };
  run();
  const settling = settle();
  await expect(settling).rejects.toThrow(hubError("ERR_HUB_TIMEOUT", "echo"));
  endless = false;
  await expect(settle()).resolves.toBeUndefined();
});
