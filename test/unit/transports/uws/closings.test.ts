import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RAISING } from "../../../support/raising.ts";
import { Closings, CURT, POLITE, type Closing } from "../../../../src/transports/uws/closings.ts";

const SECOND = 1_000;

/** A connection that is closing. `told` says what it was told, with the second. */
class FakeConnection implements Closing {
  outstanding = 0;
  readonly told: string[] = [];
  readonly #began = performance.now();

  drained(): void {
    this.#note("drained");
  }

  terminate(): void {
    this.#note("terminated");
  }

  freed(): void {
    this.#note("freed");
  }

  #note(what: string): void {
    this.told.push(`${what} ${(performance.now() - this.#began) / SECOND}`);
  }
}

function holding(outstanding: number): FakeConnection {
  const connection = new FakeConnection();
  connection.outstanding = outstanding;
  return connection;
}

/** Passes seconds one by one, and calls `each` before each of them. */
function pass(seconds: number, each: () => void = () => {}): void {
  for (let second = 0; second < seconds; second++) {
    each();
    vi.advanceTimersByTime(SECOND);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a connection that drains", () => {
  it("is told when nothing is outstanding any more", () => {
    const closings = new Closings(RAISING);
    const connection = holding(100);
    closings.drain(connection, POLITE);
    pass(3);
    connection.outstanding = 0;
    pass(1);
    expect(connection.told).toEqual(["drained 4"]);
  });

  it.each([
    ["politely", POLITE, "terminated 6"],
    ["curtly", CURT, "terminated 2"],
  ] as const)("%s is terminated without progress", (_name, patience, told) => {
    const closings = new Closings(RAISING);
    const connection = holding(100);
    closings.drain(connection, patience);
    pass(10);
    expect(connection.told[0]).toBe(told);
  });

  it.each([
    ["politely", POLITE, "terminated 31"],
    ["curtly", CURT, "terminated 2"],
  ] as const)("%s is terminated in the end, however steadily it takes a little", (_name, patience, told) => {
    const closings = new Closings(RAISING);
    const connection = holding(1_000_000);
    closings.drain(connection, patience);
    pass(40, () => (connection.outstanding -= 1));
    expect(connection.told[0]).toBe(told);
  });

  it("may pause for seconds as long as it goes on", () => {
    const closings = new Closings(RAISING);
    const connection = holding(100);
    closings.drain(connection, POLITE);
    let second = 0;
    pass(28, () => {
      if (second++ % 5 === 0) connection.outstanding -= 1;
    });
    expect(connection.told).toEqual([]);
  });

  it("makes no progress by having more to take", () => {
    const closings = new Closings(RAISING);
    const connection = holding(100);
    closings.drain(connection, POLITE);
    pass(6, () => (connection.outstanding += 1));
    expect(connection.told).toEqual(["terminated 6"]);
  });
});

describe("a connection that has ended", () => {
  it.each([
    ["with nothing outstanding", false, "freed 6"],
    ["with something outstanding", true, "freed 31"],
  ])("%s is freed once", (_name, isLingering, told) => {
    const closings = new Closings(RAISING);
    const connection = holding(100);
    closings.drain(connection, POLITE);
    closings.ended(connection, isLingering);
    pass(60);
    expect(connection.told).toEqual([told]);
  });

  it("is freed at once with all others", () => {
    const closings = new Closings(RAISING);
    const [ended, draining] = [new FakeConnection(), holding(1)];
    closings.ended(ended, false);
    closings.drain(draining, POLITE);
    closings.allFreed();
    expect([ended.told, draining.told]).toEqual([["freed 0"], []]);
    expect(closings.isDraining(draining)).toBe(true);
    closings.freed(draining);
    expect(closings.isDraining(draining)).toBe(false);
  });
});

it("a connection that fails harms no other", () => {
  const errors: unknown[] = [];
  const closings = new Closings({ error: (error) => errors.push(error) });
  const broken = holding(100);
  const failure = new Error("injected");
  broken.terminate = () => {
    throw failure;
  };
  const other = holding(100);
  closings.drain(broken, CURT);
  closings.drain(other, CURT);
  pass(2);
  expect(errors).toEqual([failure]);
  expect(other.told).toEqual(["terminated 2"]);
});

it("one timer serves all connections, and runs only while there are any", () => {
  const closings = new Closings(RAISING);
  expect(vi.getTimerCount()).toBe(0);
  for (let index = 0; index < 100; index++) closings.ended(new FakeConnection(), index % 2 === 0);
  expect(vi.getTimerCount()).toBe(1);
  pass(31);
  expect(vi.getTimerCount()).toBe(0);
  closings.ended(new FakeConnection(), false);
  pass(6);
  expect(vi.getTimerCount()).toBe(0);
});
