import { describe, expect, test } from "vitest";
import { MapView, SetView } from "../../../src/hub/views.ts";

interface Inner {
  readonly id: number;
}

const [one, two, three] = [{ id: 1 }, { id: 2 }, { id: 3 }] as const;

/** Everything that can be called or read on an object, its prototypes included. */
function members(object: object): Set<string | symbol> {
  const names = new Set<string | symbol>();
  for (let at: object = object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const key of Reflect.ownKeys(at)) names.add(key);
  }
  return names;
}

describe("SetView", () => {
  const byId = new Map<string, Inner>([one, two, three].map((inner) => [`#${inner.id}`, inner]));

  function viewOf(source: () => ReadonlySet<Inner> | undefined): SetView<string> {
    return SetView.of(
      source,
      ({ id }) => `#${id}`,
      (outer) => byId.get(outer),
    );
  }

  test("shows the elements of the set in their order, as the view presents them", () => {
    const view = viewOf(() => new Set([two, one]));
    expect([...view]).toEqual(["#2", "#1"]);
    expect([...view.values()]).toEqual(["#2", "#1"]);
    expect(view.size).toBe(2);
    expect(view.has("#1")).toBe(true);
    expect(view.has("#3")).toBe(false);
    expect(view.has("what nobody is called")).toBe(false);
    const visited: string[] = [];
    // oxlint-disable-next-line unicorn/no-array-for-each -- this is the method under test, of no array
    view.forEach((item) => visited.push(item));
    expect(visited).toEqual(["#2", "#1"]);
  });

  test("follows the changes of the set", () => {
    let source: Set<Inner> | undefined;
    const view = viewOf(() => source);
    expect([view.size, [...view], view.has("#1")]).toEqual([0, [], false]);
    source = new Set([one]);
    expect([view.size, [...view], view.has("#1")]).toEqual([1, ["#1"], true]);
    source.add(two);
    expect([...view]).toEqual(["#1", "#2"]);
    source.delete(one);
    expect([view.size, [...view], view.has("#1")]).toEqual([1, ["#2"], false]);
    source = undefined;
    expect(view.size).toBe(0);
  });

  test("can be iterated while the set shrinks and grows", () => {
    const source = new Set<Inner>([one, two]);
    const seen: string[] = [];
    for (const item of viewOf(() => source)) {
      seen.push(item);
      if (item === "#1") {
        source.delete(two);
        source.add(three);
      }
    }
    expect(seen).toEqual(["#1", "#3"]);
  });

  test("cannot be written to", () => {
    const names = members(viewOf(() => new Set([one])));
    expect([...names].map(String).toSorted()).toEqual(
      ["constructor", "forEach", "has", "size", "toJSON", "values", "Symbol(Symbol.iterator)"].toSorted(),
    );
  });
});

function create(): { readonly source: Map<string, Inner>; readonly view: MapView<string> } {
  const source = new Map<string, Inner>([
    ["b", two],
    ["a", one],
  ]);
  return { source, view: MapView.of(source, ({ id }, key) => `${key}=${id}`) };
}

describe("MapView", () => {
  test("shows the entries of the map in their order, as the view presents them", () => {
    const { view } = create();
    expect([...view]).toEqual([
      ["b", "b=2"],
      ["a", "a=1"],
    ]);
    expect([...view.entries()]).toEqual([...view]);
    expect([...view.keys()]).toEqual(["b", "a"]);
    expect([...view.values()]).toEqual(["b=2", "a=1"]);
    expect(view.size).toBe(2);
    expect([view.has("a"), view.has("c")]).toEqual([true, false]);
    expect([view.get("a"), view.get("c")]).toEqual(["a=1", undefined]);
    const visited: string[] = [];
    // oxlint-disable-next-line unicorn/no-array-for-each -- this is the method under test, of no array
    view.forEach((value, key) => visited.push(`${key}: ${value}`));
    expect(visited).toEqual(["b: b=2", "a: a=1"]);
  });

  test("follows the changes of the map", () => {
    const { source, view } = create();
    source.delete("b");
    source.set("c", three);
    expect([...view.values()]).toEqual(["a=1", "c=3"]);
    source.clear();
    expect([view.size, [...view.keys()], view.get("a")]).toEqual([0, [], undefined]);
  });

  test("cannot be written to", () => {
    const names = members(create().view);
    expect([...names].map(String).toSorted()).toEqual(
      [
        "constructor",
        "entries",
        "forEach",
        "get",
        "has",
        "keys",
        "size",
        "toJSON",
        "values",
        "Symbol(Symbol.iterator)",
      ].toSorted(),
    );
  });
});
