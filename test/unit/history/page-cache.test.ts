import { VirtualClock } from "roomcast/testing";
import { describe, expect, it } from "vitest";
import { PageCache } from "../../../src/history/page-cache.ts";

const MEBIBYTE = 1024 * 1024;

function newCache(): { readonly cache: PageCache<string>; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { cache: new PageCache(clock), clock };
}

describe("the cache of pages", () => {
  it("has each page of each record", () => {
    const { cache } = newCache();
    const [one, other] = [{}, {}];
    cache.set(one, "0 1 5", "first", 10);
    cache.set(one, "0 2 5", "second", 10);
    cache.set(other, "0 1 5", "third", 10);
    expect(cache.get(one, "0 1 5")).toBe("first");
    expect(cache.get(one, "0 2 5")).toBe("second");
    expect(cache.get(other, "0 1 5")).toBe("third");
    expect(cache.get(other, "0 2 5")).toBeUndefined();
  });

  it("forgets pages a second after the first was made, and keeps the next ones", async () => {
    const { cache, clock } = newCache();
    const record = {};
    cache.set(record, "a", "first", 10);
    await clock.advance(999);
    cache.set(record, "b", "second", 10);
    expect(cache.get(record, "a")).toBe("first");
    await clock.advance(1);
    expect([cache.get(record, "a"), cache.get(record, "b")]).toEqual([undefined, undefined]);
    cache.set(record, "c", "third", 10);
    await clock.advance(999);
    expect(cache.get(record, "c")).toBe("third");
  });

  it("takes no more than 8 MiB: the others go for what has no room", () => {
    const { cache } = newCache();
    const record = {};
    cache.set(record, "a", "first", 5 * MEBIBYTE);
    cache.set(record, "b", "second", 3 * MEBIBYTE);
    expect(cache.get(record, "a")).toBe("first");
    cache.set(record, "c", "third", 1);
    expect([cache.get(record, "a"), cache.get(record, "b")]).toEqual([undefined, undefined]);
    cache.set(record, "d", "fourth", 8 * MEBIBYTE - 1);
    expect([cache.get(record, "c"), cache.get(record, "d")]).toEqual(["third", "fourth"]);
  });

  it("leaves no timer behind when it is cleared", async () => {
    const { cache, clock } = newCache();
    const record = {};
    cache.set(record, "a", "first", 10);
    cache.clear();
    expect(cache.get(record, "a")).toBeUndefined();
    await clock.advance(500);
    cache.set(record, "b", "second", 10);
    await clock.advance(999);
    expect(cache.get(record, "b")).toBe("second");
  });
});
