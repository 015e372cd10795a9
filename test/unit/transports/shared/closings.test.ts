import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Closings, type Closing, type Ended } from "../../../../src/transports/shared/closings.ts";
import { RAISING } from "../../../support/raising.ts";

const SECOND = 1_000;
const KIB = 1024;
const MIB = 1024 * KIB;

/** A connection that is closing. `told` says what it was told, with the second. */
class FakeConnection implements Closing, Ended {
  outstanding: number;
  readonly told: string[] = [];
  readonly #closings: Closings;
  readonly #began = performance.now();

  constructor(closings: Closings, outstanding: number) {
    this.#closings = closings;
    this.outstanding = outstanding;
  }

  unanswered(): void {
    this.#note("unanswered");
    this.#closings.delete(this);
  }

  terminate(): void {
    this.#note("terminated");
    this.#closings.delete(this);
  }

  freed(): void {
    this.#note("freed");
  }

  #note(what: string): void {
    this.told.push(`${what} ${(performance.now() - this.#began) / SECOND}`);
  }
}

let closings: Closings;

beforeEach(() => {
  vi.useFakeTimers();
  closings = new Closings(RAISING);
});
afterEach(() => void vi.useRealTimers());

function closing(outstanding: number, unconfirmed = 0): FakeConnection {
  const connection = new FakeConnection(closings, outstanding);
  closings.close(connection, unconfirmed);
  return connection;
}

function expelled(outstanding: number): FakeConnection {
  const connection = new FakeConnection(closings, outstanding);
  closings.expel(connection);
  return connection;
}

/** Passes seconds one by one, and calls `each` before each of them. */
function pass(seconds: number, each: (second: number) => void = () => {}): void {
  for (let second = 0; second < seconds; second++) {
    each(second);
    vi.advanceTimersByTime(SECOND);
  }
}

/** Whether the promise has resolved. The clock does not move. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  return await Promise.race([promise.then(() => true), Promise.resolve().then(() => Promise.resolve(false))]);
}

describe("a connection that is closing", () => {
  it("is terminated after 30 seconds without progress, however much its client has not read", () => {
    const connections = [closing(100), closing(100, 8 * MIB)];
    pass(29);
    expect(connections.map(({ told }) => told)).toEqual([[], []]);
    pass(2);
    expect(connections.map(({ told }) => told)).toEqual([["terminated 31"], ["terminated 31"]]);
  });

  it("may pause for 29 seconds as long as it goes on", () => {
    const connection = closing(100, MIB);
    pass(90, (second) => {
      if (second % 29 === 0) connection.outstanding -= 1;
    });
    expect(connection.told).toEqual([]);
  });

  it("makes no progress by having more to take", () => {
    const connection = closing(100);
    pass(31, () => (connection.outstanding += 1));
    expect(connection.told).toEqual(["terminated 31"]);
  });

  it.each([
    ["nothing", 0, "unanswered 6"],
    ["160 KiB", 160 * KIB, "unanswered 16"],
    ["4 MiB", 4 * MIB, "unanswered 262"],
    ["more than a system holds", 100 * MIB, "unanswered 262"],
  ])("has, with %s unread, five seconds to answer and the time to read that", (_name, unconfirmed, told) => {
    const connection = closing(0, unconfirmed);
    pass(300);
    expect(connection.told).toEqual([told]);
  });

  it("has the time to answer from when everything is taken", () => {
    const connection = closing(100);
    pass(20);
    connection.outstanding = 0;
    pass(10);
    expect(connection.told).toEqual(["unanswered 26"]);
  });

  it.each([
    ["as long as 16 KiB a second take", MIB, MIB, "terminated 159"],
    ["30 seconds for little", 10 * KIB, 0, "terminated 32"],
  ])("that takes a byte now and then has %s", (_name, outstanding, unconfirmed, told) => {
    const connection = closing(outstanding, unconfirmed);
    pass(200, () => (connection.outstanding -= 1));
    expect(connection.told).toEqual([told]);
  });

  it("that has taken everything when its time is over is not terminated, but has not answered", () => {
    const connection = closing(1);
    pass(32, (second) => (connection.outstanding = second < 30 ? 100 - second : 0));
    expect(connection.told).toEqual(["unanswered 32"]);
  });

  it("is forgotten when it has ended", () => {
    const connection = closing(100);
    expect(closings.has(connection)).toBe(true);
    closings.delete(connection);
    expect(closings.has(connection)).toBe(false);
    pass(100);
    expect(connection.told).toEqual([]);
  });
});

describe("a connection that is expelled", () => {
  it.each([
    ["does not take what is outstanding", 100, () => {}, "terminated 2"],
    ["takes a little", MIB, (connection: FakeConnection) => (connection.outstanding -= 1), "terminated 2"],
    ["does not answer", 0, () => {}, "unanswered 2"],
  ])("and %s has a second", (_name, outstanding, each, told) => {
    const connection = expelled(outstanding);
    pass(10, () => each(connection));
    expect(connection.told).toEqual([told]);
  });

  it("has no more time for having been closed before", () => {
    const connection = closing(100, MIB);
    pass(3);
    closings.expel(connection);
    pass(3);
    expect(connection.told).toEqual(["terminated 5"]);
  });
});

describe("finishing", () => {
  it("is done at once without connections", async () => {
    await closings.finish();
    await closings.finish(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is done when the last connection has ended", async () => {
    const [one, other] = [closing(100), closing(100)];
    const finished = closings.finish();
    closings.delete(one);
    expect(await isSettled(finished)).toBe(false);
    closings.delete(other);
    await finished;
  });

  it("gives a client that has little to read one second to answer, and others theirs", async () => {
    const before = closing(0);
    vi.advanceTimersByTime(700);
    const [light, heavy, taking] = [closing(0, 64 * KIB), closing(0, 128 * KIB), closing(10)];
    const finished = closings.finish();
    vi.advanceTimersByTime(900);
    expect([before.told, light.told]).toEqual([[], []]);
    taking.outstanding = 0;
    const late = closing(0);
    pass(20);
    expect([before, light, heavy, taking, late].map(({ told }) => told)).toEqual([
      ["unanswered 1.7"],
      ["unanswered 1"],
      ["unanswered 14"],
      ["unanswered 2"],
      ["unanswered 1.1"],
    ]);
    await finished;
  });

  it("terminates what is left after the time that it is given", async () => {
    const connections = [closing(100), closing(0, MIB)];
    const finished = closings.finish(5_500);
    pass(10);
    expect(connections.map(({ told }) => told)).toEqual([["terminated 5.5"], ["terminated 5.5"]]);
    await finished;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a connection that has ended", () => {
  it.each([5, 30])("is free once, after %d seconds", (seconds) => {
    const connection = closing(100);
    closings.delete(connection);
    closings.ended(connection, seconds);
    pass(60);
    expect(connection.told).toEqual([`freed ${seconds + 1}`]);
  });

  it("is free at once with all others", () => {
    const [ended, other] = [new FakeConnection(closings, 0), closing(1)];
    closings.ended(ended, 5);
    closings.allFreed();
    expect([ended.told, other.told]).toEqual([["freed 0"], []]);
    expect(closings.has(other)).toBe(true);
  });
});

it("a connection that fails harms no other", () => {
  const errors: unknown[] = [];
  closings = new Closings({ error: (error) => errors.push(error) });
  const broken = expelled(100);
  const failure = new Error("injected");
  broken.terminate = () => {
    closings.delete(broken);
    throw failure;
  };
  const other = expelled(100);
  pass(2);
  expect(errors).toEqual([failure]);
  expect(other.told).toEqual(["terminated 2"]);
});

it("one timer serves all connections, and runs only while there are any", () => {
  expect(vi.getTimerCount()).toBe(0);
  for (let index = 0; index < 100; index++) {
    if (index % 2 === 0) closing(index);
    else closings.ended(new FakeConnection(closings, 0), 5);
  }
  expect(vi.getTimerCount()).toBe(1);
  pass(32);
  expect(vi.getTimerCount()).toBe(0);
  expelled(0);
  pass(2);
  expect(vi.getTimerCount()).toBe(0);
});
