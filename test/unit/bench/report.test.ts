import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stampOf } from "../../../bench/coordinator/machine.ts";
import { changeOf, comparisonOf } from "../../../bench/terminal/comparison.ts";
import { jsonOf, resultsIn, ResultsFileError } from "../../../bench/results-file.ts";
import type { Row } from "../../../bench/results.ts";
import { factsOf, settingsOf } from "../../../bench/facts.ts";
import { factsText, gatesText, notesText } from "../../../bench/terminal/notes.ts";
import { numberOf, quantityOf, ratioOf } from "../../../bench/numbers.ts";
import { tableOf } from "../../../bench/terminal/table.ts";
import { wrapped } from "../../../bench/terminal/text.ts";
import { scenarios } from "../../../bench/scenarios/index.ts";
import { sampleResults } from "../../support/bench/sample-results.ts";
import { sliceOf } from "./slices.ts";

const results = sampleResults();

/** Lines that a terminal of 100 columns would break. */
function tooLong(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.length > 100);
}

describe("the table of a report", () => {
  const table = tableOf(results.rows, scenarios, false);

  it("fits a terminal", () => {
    expect(tooLong(table)).toEqual([]);
  });

  it("leaves out the last figures of a row that is too wide", () => {
    const wide = { median: 123456, low: 123456, high: 234567 };
    const row: Row = {
      scenario: "slow",
      trial: "",
      case: "1 stalled",
      phase: "latency",
      load: 0.5,
      peer: "socket.io uws",
      slices: 5,
      disturbed: 0,
      headline: "p99",
      figures: { p99: wide, p50: wide, "p99.9": wide, max: wide, cpu: wide, throughput: wide, peakResident: wide },
      ratio: wide,
      verdict: "worse",
      remarks: [],
    };
    const text = tableOf([row], scenarios, false);
    expect(tooLong(text)).toEqual([]);
    expect(text).toContain("p50");
    expect(text).not.toContain("RSS");
  });

  it("has every row, under a title for its case", () => {
    for (const { scenario, case: name } of results.rows) expect(table).toContain(`${scenario}: ${name}`);
    const lines = table.split("\n").filter((line) => / (control|better|worse|same|withheld|void)( |$)/.test(line));
    expect(lines.length).toBeGreaterThanOrEqual(results.rows.length);
  });

  it("says why a row is void", () => {
    const { peer } = results.rows.find(({ verdict }) => verdict === "void") ?? {};
    expect(table).toMatch(new RegExp(`^${peer}.*: void: \\d+ \\w+`, "m"));
  });

  it("is coloured only where that is wanted, and says the same then", () => {
    const coloured = tableOf(results.rows, scenarios, true);
    expect(table).not.toContain("\u001B");
    expect(coloured).toContain("\u001B[");
    // oxlint-disable-next-line no-control-regex -- the escape sequences themselves are what is looked for
    expect(coloured.replaceAll(/\u001B\[\d+m/g, "")).toBe(table);
  });
});

describe("the text around the table of a report", () => {
  it("fits as well, and names the machine, the peers and their settings", () => {
    const facts = [...factsOf(results), ...settingsOf(results)];
    const text = [factsText(facts), notesText(results), gatesText(results.gates)].join("\n");
    expect(tooLong(text)).toEqual([]);
    expect(text).toContain(results.machine.cpu);
    for (const { name } of results.peers) expect(text).toContain(name);
    expect(text).toMatch(/took no part: /);
  });

  it("tells in which scenario a peer was missing", () => {
    const absences = [{ scenario: "multi-room", trial: "a", peer: "crossws", reason: "no unions" }] as const;
    const peers = [{ name: "crossws", settings: { library: "crossws" } }] as const;
    expect(notesText({ ...results, peers, absences })).toContain("crossws took no part in multi-room: no unions");
  });

  it("tells what has failed, and how quiet the machine was", () => {
    const slices = [
      sliceOf("ws loop", 0, {}, { disturbance: 0.16 }),
      sliceOf("ws loop", 1, {}, { disturbance: 0.14 }),
      sliceOf("hub on ws", 1, {}, { measurements: [], failure: "The server ended with status 1" }),
    ];
    const notes = notesText({ ...results, slices });
    expect(notes).toMatch(/^1 of 2 slices were disturbed: other programs used more than 15 % of a core,/);
    expect(notes).toMatch(/hub on ws, round 2 failed: The server ended/);
    expect(notesText({ ...results, slices: slices.slice(0, 2) })).not.toContain("failed");
    const { disturbance, ...unknown } = sliceOf("ws loop", 0, {});
    expect(disturbance).toBe(0);
    expect(notesText({ ...results, slices: [unknown] })).toMatch(/^Whether other programs .* is not known/);
  });

  it("counts the gates", () => {
    expect(gatesText(results.gates)).toMatch(/\n2 passed, 1 failed, 1 not measured$/);
  });

  it("names rows that have nothing", () => {
    expect(notesText(results)).not.toContain("measured nothing");
    const rows = results.rows.slice(0, 1).map((row) => Object.assign({}, row, { figures: {} }));
    expect(notesText({ ...results, rows })).toMatch(/^one-to-all, 100 members, 64 B, ws loop measured nothing/);
  });

  it("names a package by its own name", () => {
    expect(stampOf("ws", { name: "ws", version: "8.0.0" })).toEqual(["ws", "8.0.0"]);
    const repackaged = { name: "uwebsockets", version: "3.0.6" };
    expect(stampOf("uWebSockets.js", repackaged)).toEqual(["uwebsockets", "3.0.6 (uWebSockets.js)"]);
  });

  it("breaks lines between words only", () => {
    expect(wrapped("one two three", 8, "  ")).toBe("one two\n  three");
    expect(wrapped("  indented words", 10, "    ")).toBe("  indented\n    words");
    expect(wrapped("unbreakable", 4, "  ")).toBe("unbreakable");
  });

  it("shows three digits, in the unit that suits them", () => {
    expect([0, 0.05678, 1.234, 12.34, 123.4, 12345].map(numberOf)).toEqual([
      "0",
      "0.0568",
      "1.23",
      "12.3",
      "123",
      "12,300",
    ]);
    expect([0.0567, 0.123, 1.234, 12.34].map(ratioOf)).toEqual(["0.057", "0.12", "1.23", "12.3"]);
    expect(quantityOf(2_912_345, "throughput")).toBe("2.91M/s");
    expect(quantityOf(171_900, "throughput")).toBe("172K/s");
    expect(quantityOf(1536, "heapPerConnection")).toBe("1.5\u00A0KiB");
    expect([0.5, 1500, 2.5e6].map((time) => quantityOf(time, "p99"))).toEqual([
      "0.5\u00A0µs",
      "1.5\u00A0ms",
      "2.5\u00A0s",
    ]);
  });
});

describe("an earlier run", () => {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-results-"));
  const file = join(folder, "results.json");

  it("is read as it was written", () => {
    writeFileSync(file, jsonOf(results));
    expect(resultsIn(file)).toEqual(JSON.parse(JSON.stringify(results)));
  });

  it.each(["", "null", "[]", '{"version":2,"rows":[]}', '{"version":1}'])("is not %j", (text) => {
    writeFileSync(file, text);
    expect(() => resultsIn(file)).toThrow(ResultsFileError);
    expect(() => resultsIn(file)).toThrow(file);
  });

  it("has to exist", () => {
    rmSync(folder, { recursive: true });
    expect(() => resultsIn(file)).toThrow(/cannot be read/);
  });

  it("is compared row by row", () => {
    const text = comparisonOf(results.rows, results);
    const compared = results.rows.filter((row) => row.ratio !== undefined);
    expect(text.split("\n").filter((line) => line.endsWith("overlap"))).toHaveLength(compared.length);
    expect(comparisonOf([], results)).toMatch(/none of these cases/);
  });

  it("differs where the intervals are apart", () => {
    const then = { median: 2, low: 1.5, high: 2.5 };
    expect(changeOf(then, { median: 1, low: 0.9, high: 1.4 })).toBe("lower");
    expect(changeOf(then, { median: 3, low: 2.6, high: 4 })).toBe("higher");
    expect(changeOf(then, { median: 1.6, low: 1.2, high: 1.6 })).toBe("overlap");
  });
});
