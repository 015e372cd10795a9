import { setImmediate as turn } from "node:timers/promises";
import { VirtualClock } from "roomcast/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { hubError } from "../../support/hub-error.ts";

let clock: VirtualClock;
let log: string[];

beforeEach(() => {
  clock = new VirtualClock();
  log = [];
});

/** Sets a timer that writes down its name and the time. */
function set(name: string, delay: number): void {
  clock.setTimeout(() => log.push(`${name} ${elapsed()}`), delay);
}

function elapsed(): number {
  return clock.now();
}

describe("the time of a virtual clock", () => {
  test("begins with the year 2000 and stands still", async () => {
    expect(new Date(clock.wall()).toISOString()).toBe("2000-01-01T00:00:00.000Z");
    await turn();
    expect(elapsed()).toBe(0);
  });

  test("begins at the given time", () => {
    expect(new VirtualClock(12_345).wall()).toBe(12_345);
  });

  test("passes by as much as the clock is advanced", async () => {
    await clock.advance(0);
    expect(elapsed()).toBe(0);
    await clock.advance(1_500);
    await clock.advance(0.5);
    expect(elapsed()).toBe(1_500.5);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, undefined, "soon"])(
    "cannot be advanced by %s",
    async (wrong) => {
      await expect(clock.advance(wrong as number)).rejects.toThrow(hubError("ERR_HUB_ARGUMENT", String(wrong)));
      expect(elapsed()).toBe(0);
    },
  );

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])("cannot begin at %s", (wrong) => {
    expect(() => new VirtualClock(wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", String(wrong)));
  });

  test("cannot be advanced twice at once", async () => {
    const first = clock.advance(10);
    await expect(clock.advance(5)).rejects.toThrow(hubError("ERR_HUB_ARGUMENT", "Await"));
    await first;
    await clock.advance(5);
    expect(elapsed()).toBe(15);
  });
});

describe("timers of a virtual clock", () => {
  test("fire at their time and not earlier", async () => {
    set("a", 100);
    await clock.advance(99);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(["a 100"]);
    await clock.advance(1_000);
    expect(log).toEqual(["a 100"]);
  });

  test("fire in the order of their times, and in the order of setting where these are equal", async () => {
    set("late", 300);
    set("first", 100);
    set("b", 200);
    set("c", 200);
    await clock.advance(50);
    set("d", 150);
    await clock.advance(1_000);
    expect(log).toEqual(["first 100", "b 200", "c 200", "d 200", "late 300"]);
    expect(elapsed()).toBe(1_050);
  });

  test("that are set meanwhile fire as well if they are due", async () => {
    clock.setTimeout(() => {
      set("soon", 50);
      set("later", 400);
    }, 100);
    set("between", 120);
    await clock.advance(200);
    expect(log).toEqual(["between 120", "soon 150"]);
    await clock.advance(300);
    expect(log).toEqual(["between 120", "soon 150", "later 500"]);
  });

  test("that are set by the work of another timer count from its time", async () => {
    clock.setTimeout(() => void turn().then(() => set("reply", 10)), 100);
    await clock.advance(1_000);
    expect(log).toEqual(["reply 110"]);
  });

  test("that are set by earlier work count from the beginning", async () => {
    void turn().then(() => set("early", 10));
    await clock.advance(1_000);
    expect(log).toEqual(["early 10"]);
  });

  test("see the effects of earlier timers", async () => {
    const later = clock.setTimeout(() => log.push("never"), 100);
    clock.setTimeout(() => void turn().then(() => later.cancel()), 99);
    await clock.advance(100);
    expect(log).toEqual([]);
  });

  test("wait at least a millisecond, so that a timer that sets itself again comes to an end", async () => {
    let count = 0;
    const again = (): void => {
      count++;
      clock.setTimeout(again, 0);
    };
    again();
    await clock.advance(10);
    expect(count).toBe(11);
  });

  test("can be cancelled, before and after", async () => {
    const never = clock.setTimeout(() => log.push("never"), 10);
    const once = clock.setTimeout(() => log.push("once"), 10);
    never.cancel();
    await clock.advance(20);
    once.cancel();
    never.cancel();
    expect(log).toEqual(["once"]);
  });

  test("are counted", async () => {
    const timer = clock.setTimeout(() => {}, 10);
    clock.setTimeout(() => {}, 20);
    expect(clock.timers).toBe(2);
    timer.cancel();
    expect(clock.timers).toBe(1);
    await clock.advance(20);
    expect(clock.timers).toBe(0);
  });

  test.each([-1, Number.NaN, 2 ** 31])("cannot wait %s milliseconds", (wrong) => {
    expect(() => clock.setTimeout(() => {}, wrong)).toThrow(hubError("ERR_HUB_ARGUMENT", String(wrong)));
  });

  test("that throw are reported, and time goes on from there", async () => {
    clock.setTimeout(() => {
      throw new Error("broken");
    }, 100);
    set("after", 100);
    await expect(clock.advance(1_000)).rejects.toThrow("broken");
    expect(elapsed()).toBe(100);
    expect(log).toEqual([]);
    await clock.advance(900);
    expect(log).toEqual(["after 100"]);
    expect(elapsed()).toBe(1_000);
  });
});

describe("the wall clock of a virtual clock", () => {
  test("goes with the time, and can be set without any time passing", async () => {
    set("a", 100);
    await clock.advance(50);
    clock.setWall(1_000);
    expect([clock.wall(), clock.now()]).toEqual([1_000, 50]);
    await clock.advance(49);
    expect(log).toEqual([]);
    clock.setWall(5);
    await clock.advance(1);
    expect(log).toEqual(["a 100"]);
    expect([clock.wall(), clock.now()]).toEqual([6, 100]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined])("cannot be set to %s", (wrong) => {
    expect(() => clock.setWall(wrong as number)).toThrow(hubError("ERR_HUB_ARGUMENT", String(wrong)));
  });
});
