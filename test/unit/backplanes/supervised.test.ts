import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Appended, BackplaneLog } from "../../../src/backplanes/backplane.ts";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import type { Connect, Session, SessionReport } from "../../../src/backplanes/shared/session.ts";
import { SupervisedBackplane } from "../../../src/backplanes/shared/supervised.ts";
import { ScriptedSession } from "./scripted-session.ts";

/** A call of the connecting function, and what has become of its session. */
interface Attempt {
  /** When it was made, in milliseconds. */
  readonly at: number;
  readonly report: SessionReport;
  readonly signal: AbortSignal;
  readonly connected: Deferred<Session>;
}

let attempts: Attempt[];
let log: string[];
let backplane: SupervisedBackplane;

const connect: Connect = (report, signal) => {
  const connected = createDeferred<Session>();
  attempts.push({ at: Date.now(), report, signal, connected });
  return connected.promise;
};

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ["Date", "setTimeout", "clearTimeout"] });
  attempts = [];
  log = [];
  backplane = new SupervisedBackplane(true, connect);
  backplane.start({
    message: () => {},
    up: () => log.push("up"),
    down: () => log.push("down"),
    refused: (channel) => log.push(`refused ${channel}`),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** The last attempt to connect. */
function last(): Attempt {
  return attempts.at(-1) as Attempt;
}

/** Lets time pass. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await turn();
}

/** Lets the last attempt succeed. */
async function succeed(session = new ScriptedSession()): Promise<ScriptedSession> {
  last().connected.resolve(session);
  await pass(0);
  return session;
}

/** Lets time pass until the next attempt. Resolves with how long that took. */
async function nextAttempt(): Promise<number> {
  const { length } = attempts;
  const start = Date.now();
  while (attempts.length === length) {
    await vi.advanceTimersToNextTimerAsync();
    await turn();
  }
  return Date.now() - start;
}

test.each([
  ["shortest", 0, 0.5],
  ["longest", 1 - Number.EPSILON, 1.5],
])("the delay before another attempt doubles from 0.1 s to 3 s, at its %s", async (_which, random, factor) => {
  vi.spyOn(Math, "random").mockReturnValue(random);
  const delays: number[] = [];
  for (let index = 0; index < 7; index++) {
    last().connected.reject(new Error("down"));
    delays.push(await nextAttempt());
  }
  expect(delays.map((delay) => Math.round(delay / factor / 10) * 10)).toEqual([
    100, 200, 400, 800, 1_600, 3_000, 3_000,
  ]);
  expect(log).toEqual(["down"]);
  // Afterwards it begins anew.
  await succeed();
  last().report.fault(new Error("broken"));
  expect(Math.round((await nextAttempt()) / factor / 10) * 10).toBe(100);
  expect(log).toEqual(["down", "up", "down"]);
  vi.restoreAllMocks();
});

test("an attempt that hangs ends after 5 s", async () => {
  await pass(4_999);
  expect([last().signal.aborted, log]).toEqual([false, []]);
  await pass(1);
  expect([last().signal.aborted, log]).toEqual([true, ["down"]]);
});

test("the engine is pinged 2 s after each answer, and has 4 s for the next", async () => {
  const session = new ScriptedSession();
  const pings: number[] = [];
  session.pong = async () => pings.push(Date.now());
  await succeed(session);
  await pass(6_000);
  expect(pings).toEqual([2_000, 4_000, 6_000]);
  session.pong = () => new Promise(() => {});
  await pass(5_999);
  expect([last().signal.aborted, log]).toEqual([false, ["up"]]);
  await pass(1);
  expect([last().signal.aborted, log]).toEqual([true, ["up", "down"]]);
});

test("a session that breaks while it subscribes is given up at once, whether or not it answers", async () => {
  const fine = backplane.subscribe("fine");
  const silent = new ScriptedSession();
  silent.answer = () => new Promise(() => {});
  await succeed(silent);
  const { report, signal } = last();
  report.fault(new Error("broken"));
  expect(await nextAttempt()).toBeLessThanOrEqual(150);
  expect([signal.aborted, log]).toEqual([true, ["down"]]);
  await succeed();
  await fine;
  expect(log).toEqual(["down", "up"]);
});

test("what an engine has answered before its session broke is forgotten", async () => {
  await succeed();
  const deaf = backplane.subscribe("no");
  await expect(deaf).rejects.toThrow("no");
  const fine = backplane.subscribe("fine");
  last().report.fault(new Error("broken"));
  await nextAttempt();
  const { report } = last();
  const breaking = new ScriptedSession();
  breaking.answer = async () => report.fault(new Error("broken again"));
  await succeed(breaking);
  expect(breaking.calls).toEqual([2]);
  await nextAttempt();
  expect(log).toEqual(["up", "refused no", "down"]);
  await succeed();
  await fine;
  expect(log).toEqual(["up", "refused no", "down", "refused no", "up"]);
});

test.each(Array.from({ length: 20 }, (_, index) => index))(
  "what is subscribed to %i ticks after the engine has answered is in place when the backplane is up",
  async (ticks) => {
    const session = new ScriptedSession();
    const subscribed = ["before"];
    backplane.subscribe("before").catch(() => {});
    const subscribeLate = async (): Promise<void> => {
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      subscribed.push("late");
      backplane.subscribe("late").catch(() => {});
    };
    session.answer = async () => {
      session.answer = () => Promise.resolve();
      subscribeLate().catch(() => {});
    };
    const seen: unknown[] = [];
    vi.spyOn(log, "push").mockImplementation(() => seen.push([...subscribed], [...session.heard]));
    await succeed(session);
    expect(seen[1]).toEqual(seen[0]);
    expect([...session.heard]).toEqual(["before", "late"]);
  },
);

test("a ping that is answered while the backplane closes begins nothing", async () => {
  const session = new ScriptedSession();
  await succeed(session);
  const [pong, taken] = [createDeferred(), createDeferred()];
  session.pong = () => pong.promise;
  session.taken = () => taken.promise;
  await pass(2_000);
  const published = backplane.publish("a", new Uint8Array(1));
  const closed = backplane.close();
  pong.resolve();
  await pass(0);
  taken.resolve();
  await Promise.all([published, closed]);
  expect([last().signal.aborted, vi.getTimerCount()]).toEqual([true, 0]);
});

test("an attempt that succeeds while the backplane closes is ended, and the hub is not told", async () => {
  const session = new ScriptedSession();
  session.taken = () => new Promise(() => {});
  await succeed(session);
  backplane.publish("a", new Uint8Array(1)).catch(() => {});
  last().report.fault(new Error("broken"));
  await nextAttempt();
  const closed = backplane.close();
  await succeed();
  await pass(2_000);
  await closed;
  expect([last().signal.aborted, vi.getTimerCount(), log]).toEqual([true, 0, ["up", "down"]]);
});

const gone = (): Promise<never> => Promise.reject(new Error("gone"));

class LogSession extends ScriptedSession {
  readonly log: BackplaneLog;
  constructor(append: BackplaneLog["append"]) {
    super();
    this.log = { append, read: gone, heads: gone, forget: gone };
  }
}

test("an append needs a session, and the end of the backplane waits for it", async () => {
  backplane = new SupervisedBackplane(true, connect, true);
  backplane.start({ message: () => {}, up: () => {}, down: () => {}, refused: () => {} });
  const append = (): Promise<readonly Appended[]> | undefined =>
    backplane.log?.append("a", [], { size: 1, age: 1 }, undefined);
  await expect(append()).rejects.toThrow("not connected");
  await expect(backplane.log?.read("a", { epoch: "", at: 0 }, 1)).rejects.toThrow("not connected");
  const taken = createDeferred<readonly Appended[]>();
  await succeed(new LogSession(() => taken.promise));
  const appended = append();
  const closed = backplane.close();
  await pass(0);
  expect(last().signal.aborted).toBe(false);
  taken.resolve(["unknown"]);
  expect(await appended).toEqual(["unknown"]);
  await closed;
  expect(last().signal.aborted).toBe(true);
});

test("an entry of a log is handed over for channels that are subscribed to, until the end", async () => {
  const heard: string[] = [];
  backplane = new SupervisedBackplane(true, connect, true);
  backplane.start({
    message: () => {},
    recorded: (channel) => heard.push(channel),
    up: () => {},
    down: () => {},
    refused: () => {},
  });
  backplane.subscribe("a").catch(() => {});
  await succeed();
  const record = { origin: "o", number: 1, envelope: new Uint8Array(1), epoch: "e", at: 1, previous: 0 };
  for (const channel of ["a", "b"]) last().report.recorded(channel, record);
  await backplane.close();
  last().report.recorded("a", record);
  expect(heard).toEqual(["a"]);
});
