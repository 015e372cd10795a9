import { expect, test, vi } from "vitest";
import { Listeners } from "../../../src/hub/listeners.ts";

test("a listener for one call is removed alone, and not an equal one", () => {
  const listeners = new Listeners<{ event: [value: number] }>(["event"], 10, () => {});
  const listener = vi.fn<(value: number) => void>();
  listeners.add("event", listener, true);
  listeners.add("event", listener, false);
  for (const value of [1, 2, 3]) listeners.dispatch("event", value);
  expect(listener.mock.calls).toEqual([[1], [1], [2], [3]]);
});

test("a listener that removes itself or another does not disturb the call under way", () => {
  const listeners = new Listeners<{ event: [] }>(["event"], 10, () => {});
  const heard: string[] = [];
  const second = (): unknown => heard.push("second");
  const first = (): void => {
    heard.push("first");
    listeners.remove("event", first);
    listeners.remove("event", second);
  };
  listeners.add("event", first, false);
  listeners.add("event", second, false);
  listeners.dispatch("event");
  listeners.dispatch("event");
  expect(heard).toEqual(["first", "second"]);
});
