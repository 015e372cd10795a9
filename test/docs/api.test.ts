import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { Hub } from "roomcast";
import { MemoryEngine } from "roomcast/testing";
import { clusterOptions } from "../../src/cluster/options.ts";
import { resolveHubOptions } from "../../src/hub/options.ts";
import { commentOf, propertyComments } from "../support/doc-comments.ts";
import { codesIn, readText, sectionOf, tablesOf } from "../support/markdown.ts";

/** The ways in which doc comments write a value. */
function written(value: unknown): readonly string[] {
  if (typeof value !== "number") return [`\`${JSON.stringify(value)}\``];
  const [kib, mib] = [value / 1024, Math.floor(value / 1024 / 1024)];
  const odd = kib % 1024;
  return [value.toLocaleString("en"), `${kib} KiB`, odd === 0 ? `${mib} MiB` : `${mib} MiB and ${odd} KiB`];
}

/** Whether a comment says a value; of an object, each of its values. */
function says(comment: string, value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).every((part) => says(comment, part));
  const text = comment.replaceAll("_", ",");
  return written(value).some((form) => text.includes(form));
}

/** The comments of options with their defaults, which are beside the parts that obey them. */
function optionComments(): ReadonlyMap<string, string> {
  const paths = readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => path.endsWith(".ts")).map((path) => `src/${path}`);
  return new Map(
    files.flatMap((path) => {
      const names = Array.from(
        readText(path).matchAll(/^(?:export )?interface (\w*Settings)\b/gm),
        ([, name = ""]) => name,
      );
      return names.flatMap((name) =>
        [...propertyComments(path, name)].filter(([, comment]) => comment.includes("Default: ")),
      );
    }),
  );
}

/** The options whose default is no plain value: their comments tell it in words. */
const IN_WORDS = new Set(["clock", "codec", "codecs", "maxPendingBytes", "protocols"]);

test("the doc comment of every option of a hub names its default", () => {
  const comments = optionComments();
  const { limits: _limits, cluster: _cluster, ...options } = resolveHubOptions({});
  const wrong = Object.entries(options).filter(([name, value]) => {
    const [, stated = ""] = /Default: (.*)/.exec(comments.get(name) ?? "") ?? [];
    return value === undefined || IN_WORDS.has(name) ? stated === "" : !says(stated, value);
  });
  expect(wrong).toStrictEqual([]);
});

test("the doc comment of every limit names its default", () => {
  const { limits } = resolveHubOptions({});
  const comments = propertyComments("src/limits/limits.ts", "Limits");
  expect([...comments.keys()]).toStrictEqual(Object.keys(limits));
  expect(Object.entries(limits).filter(([name, value]) => !says(comments.get(name) ?? "", value))).toStrictEqual([]);
});

test("the doc comment of every option of a cluster names its default", () => {
  const { name, ...numbers } = clusterOptions.cluster.default;
  const comments = propertyComments("src/cluster/options.ts", "ClusterOptions");
  expect([...comments.keys()].toSorted()).toStrictEqual(Object.keys({ name, ...numbers }).toSorted());
  expect(Object.entries(numbers).filter(([key, value]) => !says(comments.get(key) ?? "", value))).toStrictEqual([]);
});

test("every figure of the statistics has a doc comment", () => {
  const stats = new Hub({ heartbeat: false, backplane: new MemoryEngine().backplane() }).stats();
  const recording = new Hub({ heartbeat: false, history: { rooms: { "*": { size: 1, age: 1 } } } }).stats();
  const comments = new Map([
    ...propertyComments("src/counters.ts", "Counters"),
    ...propertyComments("src/hub/statistics.ts", "HubStatistics"),
  ]);
  const figures = Object.keys({ ...stats, ...recording });
  expect(figures.filter((name) => (comments.get(name) ?? "") === "")).toStrictEqual([]);
});

test.each([
  ["src/counters.ts", "DropReason"],
  ["src/door/refusal.ts", "RefusalReason"],
  ["src/report.ts", "ErrorSource"],
])("the doc comment in %s explains every %s", (path, name) => {
  const [, union = ""] = new RegExp(`export type ${name} =(.*?);`, "s").exec(readText(path)) ?? [];
  const words = Array.from(union.matchAll(/"([\w-]+)"/g), ([, word = ""]) => word);
  const explained = Array.from(commentOf(path, name).matchAll(/ - `([\w-]+)`: /g), ([, word = ""]) => word);
  expect(words).not.toHaveLength(0);
  expect(explained).toStrictEqual(words);
});

test("API.md lists the channels", () => {
  const channels = Array.from(
    readText("src/hub/diagnostics.ts").matchAll(/channel\("([\w:]+)"\)/g),
    ([, name = ""]) => name,
  );
  const table = tablesOf(sectionOf("docs/API.md", "Hub")).find(([row]) => row?.[0] === "`roomcast:connection`") ?? [];
  expect(table.map(([first = ""]) => codesIn(first)[0] ?? "").toSorted()).toStrictEqual(channels.toSorted());
});

const { exports } = JSON.parse(readText("package.json")) as {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>;
};

test("API.md lists every entry point", () => {
  const entries = Object.keys(exports).filter((entry) => entry !== "./package.json");
  const listed = (tablesOf(sectionOf("docs/API.md", "Entry points"))[0] ?? []).map(
    ([first = ""]) => codesIn(first)[0] ?? "",
  );
  expect(listed.toSorted()).toStrictEqual(entries.map((entry) => entry.replace(".", "roomcast")).toSorted());
});

test("every entry point says by which name it is imported, for the reference", () => {
  const entries = Object.entries(exports).filter(
    ([entry, { types }]) => types !== undefined && !entry.endsWith("/bundle"),
  );
  const unnamed = entries.filter(([entry, { types = "" }]) => {
    const source = types.replace("./dist/", "src/").replace(".d.ts", ".ts");
    return !readText(source).includes(` * @module ${entry.replace(".", "roomcast")}\n */\n`);
  });
  expect(entries.length).toBeGreaterThan(5);
  expect(unnamed).toStrictEqual([]);
});

test("SCALING.md names the default times of a cluster", () => {
  const { lease, grace } = clusterOptions.cluster.default;
  const scaling = readText("docs/SCALING.md");
  expect(scaling).toContain("until two seconds (`cluster.grace`) after");
  expect(scaling).toContain(`, ${lease / 1_000} s by default`);
  expect(grace).toBe(2_000);
});
