import { expect, test } from "vitest";
import { Hub } from "roomcast";
import { MemoryEngine } from "roomcast/testing";
import { resolveHubOptions } from "../../src/hub/options.ts";
import { clusterOptions } from "../../src/cluster/options.ts";
import { codesIn, readText, sectionOf, tablesOf } from "../support/markdown.ts";

const PATH = "docs/API.md";

/** The table in a section whose first row is about this. */
function rowsOf(section: string, first: string): readonly (readonly string[])[] {
  return tablesOf(sectionOf(PATH, section)).find(([row]) => row?.[0] === `\`${first}\``) ?? [];
}

const names = (rows: readonly (readonly string[])[]): readonly string[] =>
  rows.map(([first = ""]) => codesIn(first)[0] ?? "");

/** The members of a union of literals in the source. */
function literalsOf(path: string, pattern: RegExp): readonly string[] {
  return Array.from((pattern.exec(readText(path))?.[1] ?? "").matchAll(/^ +\| "([\w-]+)"/gm), ([, name = ""]) => name);
}

test("API.md lists every option of a hub, and no other", () => {
  expect(names(rowsOf("Options", "transport")).toSorted()).toStrictEqual(Object.keys(resolveHubOptions({})).toSorted());
});

test("API.md lists every limit", () => {
  expect(names(rowsOf("Options", "messages"))).toStrictEqual(Object.keys(resolveHubOptions({}).limits));
});

test("API.md lists every figure of the statistics", () => {
  const stats = new Hub({ heartbeat: false, backplane: new MemoryEngine().backplane() }).stats();
  const recording = new Hub({ heartbeat: false, history: { rooms: { "*": { size: 1, age: 1 } } } }).stats();
  const present = new Hub({ heartbeat: false, presence: { rooms: ["*"] } }).stats();
  const figures = new Set([stats, recording, present].flatMap((each) => Object.keys(each)));
  expect(names(rowsOf("Hub", "connections")).toSorted()).toStrictEqual([...figures].toSorted());
});

test("API.md lists the reasons of refusals and the sources of errors", () => {
  const reasons = literalsOf("src/door/refusal.ts", /export type RefusalReason =\n(.*?);/s);
  expect(names(rowsOf("Options", "draining"))).toStrictEqual(reasons);
  const sources = literalsOf("src/report.ts", /export type ErrorSource =\n(.*?);/s);
  expect(names(rowsOf("Hub", "handler")).toSorted()).toStrictEqual(sources.toSorted());
});

test("API.md lists the channels", () => {
  const channels = Array.from(
    readText("src/hub/diagnostics.ts").matchAll(/channel\("([\w:]+)"\)/g),
    ([, name = ""]) => name,
  );
  expect(names(rowsOf("Hub", "roomcast:connection")).toSorted()).toStrictEqual(channels.toSorted());
});

test.each(["src/index.ts", "src/react/index.ts"])("API.md lists every export of %s", (path) => {
  const section = sectionOf(PATH, "Entry points");
  const listed = new Set(codesIn(section));
  const exported = Array.from(readText(path).matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, list = ""]) =>
    list.split(",").map((name) => name.replace(/^\s*type /, "").trim()),
  ).flat();
  expect(exported.filter((name) => name !== "" && !listed.has(name))).toStrictEqual([]);
});

/** The public members of a class in the source. */
const membersIn = (path: string): readonly string[] =>
  Array.from(readText(path).matchAll(/^ {2}(?:get |async )?([a-z]\w*)(?:<[^(]*>)?\(/gm), ([, name = ""]) => name);

test.each([
  ["Hub", "src/hub/hub.ts"],
  ["Hub", "src/hub/sender.ts"],
  ["Socket", "src/hub/socket.ts"],
  ["Target", "src/hub/target.ts"],
])("API.md lists the members of %s", (section, path) => {
  const said = sectionOf(PATH, section);
  const members = membersIn(path).filter((name) => name !== "constructor");
  expect(members.length).toBeGreaterThan(5);
  expect(members.filter((name) => !new RegExp(`\`${name}\\b`).test(said))).toStrictEqual([]);
});

test("the documents name the default times of a cluster", () => {
  const { lease, grace } = clusterOptions.cluster.default;
  const times = rowsOf("Hub", "name").filter(([name]) => name === "`lease`" || name === "`grace`");
  expect(times.map(([, time = ""]) => Number(time.replaceAll(",", "")))).toEqual([lease, grace]);
  const scaling = readText("docs/SCALING.md");
  expect(scaling).toContain("until two seconds (`cluster.grace`) after");
  expect(scaling).toContain(`, ${lease / 1_000} s by default`);
  expect(grace).toBe(2_000);
});
