import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codesIn, readText, sectionOf, tablesOf } from "../support/markdown.ts";
import { exists, proofsIn } from "../support/proofs.ts";

const PATH = "ARCHITECTURE.md";

interface Wall {
  readonly files: readonly string[];
  readonly rules: {
    readonly "no-restricted-imports"?: readonly [
      string,
      { readonly patterns: readonly { readonly group: string[] }[] },
    ];
  };
}

const { overrides, rules } = JSON.parse(readText(".oxlintrc.json")) as {
  readonly overrides: readonly Wall[];
  readonly rules: Readonly<Record<string, unknown>>;
};

/** The rooms of `src`, without the face of the package. */
const ROOMS = readdirSync(new URL("../../src", import.meta.url))
  .map((name) => name.replace(/\.ts$/, ""))
  .filter((name) => name !== "index");

/** The patterns that the linter applies to the files of a room. */
function groupsOf(room: string): readonly (readonly string[])[] {
  return overrides
    .filter(({ files }) => files.some((glob) => glob === `src/${room}.ts` || glob.startsWith(`src/${room}/`)))
    .flatMap((wall) => wall.rules["no-restricted-imports"]?.[1].patterns ?? [])
    .map(({ group }) => group);
}

/** What a group of patterns lets through from outside the room: rooms, and single files of others. */
function allowedBy(group: readonly string[]): readonly string[] {
  return group
    .filter((pattern) => /^!(?:\.\.?\/)+/.test(pattern))
    .map((pattern) => pattern.replace(/^!(?:\.\.?\/)+/, "").replace(/\/\*\*$|\.ts$/, ""));
}

const MEMBERS = "members";

/** What the table says of each room. */
const table = new Map(
  (tablesOf(sectionOf(PATH, "What a room may import"))[0] ?? []).flatMap(([names = "", allowed = ""]) =>
    codesIn(names).map((room) => [room, allowed] as const),
  ),
);

function statedFor(room: string): readonly string[] {
  const cell = table.get(room) ?? "";
  const named = codesIn(cell.replace(/; no `node:`/, ""));
  return cell.startsWith("what `members` may") ? [...statedFor(MEMBERS), ...named] : named;
}

test("the table has a row for every room, and no other", () => {
  expect([...table.keys()].toSorted()).toStrictEqual(ROOMS.toSorted());
  expect(ROOMS.length).toBeLessThanOrEqual(27);
});

test("the linter counts type imports as imports in circles", () => {
  expect(rules["import/no-cycle"]).toStrictEqual(["error", { ignoreTypes: false }]);
});

describe.each(ROOMS.filter((room) => room !== "hub" && room !== "testing"))("the room %s", (room) => {
  const own =
    room === "transports" ? ["transport", "frame", "shared"] : room === "backplanes" ? ["backplane", "shared"] : [];

  test("may import by the linter what the table says", () => {
    const groups = groupsOf(room);
    expect(groups).not.toHaveLength(0);
    for (const group of groups) {
      const allowed = allowedBy(group).filter((name) => !own.includes(name));
      expect(allowed.toSorted()).toStrictEqual([...new Set(statedFor(room))].toSorted());
      expect(group.some((pattern) => pattern === "../**" || pattern === "./*")).toBe(true);
    }
  });

  test("may use Node.js by the linter exactly if the table does not exclude it", () => {
    for (const group of groupsOf(room)) {
      expect(group.includes("node:*")).toBe(/no `node:`/.test(table.get(room) ?? ""));
    }
  });
});

test("no room below hub may import it", () => {
  const rooms = ROOMS.filter((room) => room !== "hub" && room !== "testing");
  expect(rooms.filter((room) => statedFor(room).includes("hub"))).toStrictEqual([]);
  for (const room of ["client", "msgpack", "react", "testing"]) expect(groupsOf("hub")[0]).toContain(`../${room}/**`);
});

/** The files of `src`, as paths from the root of the project. */
const sources = readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => `src/${path}`);

const roomOf = (path: string): string => /^src\/([\w-]+)/.exec(path)?.[1] ?? "";

test("every import leads to a lower floor of the picture", () => {
  const picture = /```\n(9 .*?)```/s.exec(readText(PATH))?.[1] ?? "";
  const floors = new Map<string, number>();
  for (const [, floor = "", line = ""] of picture.matchAll(/^(\d) +(.*)$/gm)) {
    for (const [, name = ""] of line.matchAll(/([\w-]+)(?:\/|\.ts)(?= |$)/g)) floors.set(name, Number(floor));
  }
  expect([...floors.keys()].toSorted()).toStrictEqual([...ROOMS, "index"].toSorted());
  const upwards = sources.flatMap((path) =>
    Array.from(readText(path).matchAll(/(?:from|import\() ?"(\.[^"]+)"/g), ([, specifier = ""]) => {
      return new URL(specifier, `file:///${path}`).pathname.slice(1);
    })
      .filter((target) => roomOf(target) !== roomOf(path))
      .filter((target) => (floors.get(roomOf(target)) ?? 0) >= (floors.get(roomOf(path)) ?? 0))
      .map((target) => `${path} -> ${target}`),
  );
  expect(upwards).toStrictEqual([]);
});

test("only Delivery writes to members", () => {
  const writers = sources.filter((path) => {
    return !/^src\/(?:transports|testing)\//.test(path) && /\bconnection\.write\(/.test(readText(path));
  });
  // A newcomer is no member yet.
  expect(writers.toSorted()).toStrictEqual(["src/delivery/delivery.ts", "src/door/newcomer.ts"]);
});

describe("what runs by itself", () => {
  const server = sources.filter((path) => !/^src\/(?:client|react|testing)\/|^src\/guard\.ts$/.test(path));
  const DECISION = "docs/decisions/0028-one-guard.md";

  test("is listed with its guard", () => {
    const listed: readonly string[] = (tablesOf(sectionOf(DECISION, "What runs by itself"))[0] ?? []).flatMap(
      ([file = ""]) => codesIn(file),
    );
    const guarded = server.filter((path) => /from "[./]+\/guard(?:ed-\w+)?\.ts"/.test(readText(path)));
    expect(listed.toSorted()).toStrictEqual(guarded.toSorted());
    expect(guarded.length).toBeGreaterThan(20);
  });

  test("is scheduled by src/guard.ts alone", () => {
    const free = /^src\/(?:time\/clock|transports\/memory\/(?:pipe|web-socket))\.ts$/;
    const wild = /(?<![.\w])(?:setImmediate|setInterval|setTimeout|queueMicrotask)\(|nextTick|node:timers/;
    expect(server.filter((path) => !free.test(path) && wild.test(readText(path)))).toStrictEqual([]);
  });
});

test("every file that the page names exists", () => {
  const named = Array.from(readText(PATH).matchAll(/`((?:src|test)\/[\w./-]+)`/g), ([, name = ""]) => name);
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((name) => !existsSync(new URL(`../../${name}`, import.meta.url)))).toStrictEqual([]);
});

const invariants = (tablesOf(sectionOf(PATH, "Invariants"))[0] ?? []).map(([what = "", guards = ""]) => ({
  what,
  proofs: proofsIn(guards),
}));

test.each(invariants)("the test of the invariant exists: $what", ({ proofs }) => {
  expect(proofs).not.toHaveLength(0);
  expect(proofs.filter((proof) => !exists(proof))).toStrictEqual([]);
});
