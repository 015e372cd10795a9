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

test("what has happened is told to those who listened then, and still do", () => {
  const listeners = new Listeners<{ event: [value: number] }>(["event"], 10, () => {});
  const heard: string[] = [];
  const [first, removed] = ["first", "removed"].map((name) => (value: number) => heard.push(`${name} ${value}`));
  if (first === undefined || removed === undefined) throw new Error("There are two.");
  listeners.add("event", first, false);
  listeners.add("event", removed, false);
  listeners.add("event", (value) => heard.push(`once ${value}`), true);
  const happened = [1, 2].map((value) => listeners.dispatcherOf("event", value));
  listeners.add("event", (value) => heard.push(`later ${value}`), false);
  listeners.remove("event", removed);
  for (const dispatch of happened) dispatch();
  listeners.dispatch("event", 3);
  expect(heard).toEqual(["first 1", "once 1", "first 2", "first 3", "later 3"]);
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
