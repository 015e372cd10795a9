import type { Backplane } from "roomcast";
import { MemoryEngine } from "roomcast/testing";
import { expect, test } from "vitest";
import { settle } from "../../../src/testing/settle.ts";
import { Transit } from "../../../src/testing/suite/cluster/transit.ts";

const HANDLERS = { message: () => {}, refused: () => {}, up: () => {}, down: () => {} };
const ENVELOPE = new Uint8Array([1]);

/** Two backplanes on an engine; one of them is subscribed to a channel. */
async function connected(): Promise<[Transit, MemoryEngine, Backplane, Backplane]> {
  const transit = new Transit();
  const engine = new MemoryEngine();
  const [one, two] = [transit.watch(engine.backplane()), transit.watch(engine.backplane())];
  for (const backplane of [one, two]) backplane.start(HANDLERS);
  await two.subscribe("a");
  await settle();
  return [transit, engine, one, two];
}

test("an envelope is on its way until it has arrived, as often as it was published", async () => {
  const [transit, , one] = await connected();
  expect(transit.isOver).toBe(true);
  const published = [one.publish("a", ENVELOPE), one.publish("a", ENVELOPE)];
  expect(transit.isOver).toBe(false);
  await Promise.all(published);
  await settle();
  expect(transit.isOver).toBe(true);
});

test("what nobody else has subscribed to is not on its way", async () => {
  const [transit, , one, two] = await connected();
  const published = [one.publish("b", ENVELOPE), two.publish("a", ENVELOPE)];
  expect(transit.isOver).toBe(true);
  await Promise.all(published);
});

test.each([
  ["was unsubscribed from", (_: MemoryEngine, two: Backplane): void => two.unsubscribe("a")],
  ["was closed", (_: MemoryEngine, two: Backplane): void => void two.close()],
  ["was disconnected", (engine: MemoryEngine): void => engine.stop()],
] as const)("nothing is awaited that %s meanwhile", async (_what, end) => {
  const [transit, engine, one, two] = await connected();
  one.publish("a", ENVELOPE).catch(() => {});
  end(engine, two);
  await settle();
  expect(transit.isOver).toBe(true);
});
