import { describe, expect, it } from "vitest";
import type { Slice } from "../../../bench/figures.ts";
import type { Row } from "../../../bench/results.ts";
import { rowsOf } from "../../../bench/statistics/rows.ts";
import { burst } from "../../../bench/scenarios/burst.ts";
import { UNCOMPRESSED } from "../../../bench/scenarios/compressed.ts";
import { slow } from "../../../bench/scenarios/slow.ts";
import { NO_VIOLATIONS } from "../../../bench/receivers/messages.ts";
import { rounds, sliceOf } from "./slices.ts";

const SLOWER: readonly (readonly [number, number])[] = [
  [1, 2],
  [10, 20],
  [100, 210],
  [2, 4],
  [3, 6],
];

function rowOf(slices: readonly Slice[], peer = "hub on ws"): Row {
  const row = rowsOf(slices, [burst, slow], 1).find((each) => each.peer === peer);
  if (row === undefined) throw new Error(`No row for ${peer}`);
  return row;
}

describe("a row", () => {
  it("has the median of the ratios of each round, not the ratio of the medians", () => {
    const { ratio, verdict, figures, slices } = rowOf(rounds("hub on ws", SLOWER));
    expect(ratio?.median).toBe(2);
    expect(ratio).toMatchObject({ low: 2 });
    expect(verdict).toBe("worse");
    expect(figures.cpu?.median).toBe(6);
    expect(slices).toBe(5);
  });

  it("is better where less of the headline is needed in every round", () => {
    const faster = SLOWER.map(([control, own]) => [own, control] as const);
    expect(rowOf(rounds("hub on ws", faster)).verdict).toBe("better");
  });

  it("finds no difference where the interval spans 1", () => {
    const mixed = [
      [1, 0.9],
      [1, 1.1],
      [1, 0.95],
      [1, 1.05],
      [1, 1],
    ] as const;
    expect(rowOf(rounds("hub on ws", mixed)).verdict).toBe("same");
  });

  it("is void when a single message was lost, also in a slice that does not count", () => {
    const slices = [
      ...rounds("hub on ws", SLOWER),
      sliceOf("hub on ws", 0, { cpu: 9 }, { disturbance: 0.9 }, { violations: { ...NO_VIOLATIONS, missing: 1 } }),
    ];
    expect(rowOf(slices)).toMatchObject({ verdict: "void", violations: { missing: 1, duplicated: 0 }, slices: 5 });
    expect(rowOf(slices, "ws loop").verdict).toBe("control");
  });

  it("has no verdict on throughput that the receivers limit, but one on CPU", () => {
    const slices = ["slow", "burst"].flatMap((scenario) =>
      SLOWER.flatMap((_, round) => [
        sliceOf("ws loop", round, { throughput: 1, cpu: 2, receiversLoad: 0.97 }, { scenario }),
        sliceOf("hub on ws", round, { throughput: 2, cpu: 1, receiversLoad: 0.97 }, { scenario }),
      ]),
    );
    const [onThroughput, onCpu] = rowsOf(slices, [burst, slow], 1).filter(({ peer }) => peer === "hub on ws");
    expect(onThroughput).toMatchObject({ headline: "throughput", verdict: "withheld" });
    expect(onCpu).toMatchObject({ headline: "cpu", verdict: "better", remarks: ["receiver-bound"] });
  });

  it("is not called better or worse after four rounds, but has its ratio", () => {
    expect(rowOf(rounds("hub on ws", SLOWER.slice(0, 4)))).toMatchObject({ verdict: "withheld", ratio: { median: 2 } });
  });

  it("is not compared where it did not compress what it should have", () => {
    const slices = SLOWER.flatMap(([control, own], round) => [
      sliceOf("ws loop", round, { cpu: control }),
      sliceOf("hub on ws", round, { cpu: own }, {}, { remarks: [UNCOMPRESSED] }),
    ]);
    expect(rowOf(slices)).toMatchObject({ verdict: "withheld", remarks: ["not compressed"] });
  });

  it("has no ratio of what is not above 0", () => {
    expect(rowOf(rounds("hub on ws", [[1, -2]]))).not.toHaveProperty("ratio");
    expect(rowOf(rounds("hub on ws", [[-1, -2]]))).not.toHaveProperty("ratio");
  });

  it("leaves out disturbed slices, and takes the repeated ones", () => {
    const slices = [
      ...rounds("hub on ws", SLOWER.slice(0, 4)),
      sliceOf("ws loop", 4, { cpu: 1 }),
      sliceOf("hub on ws", 4, { cpu: 50 }, { disturbance: 0.5 }),
      sliceOf("hub on ws", 4, { cpu: 2 }),
    ];
    expect(rowOf(slices)).toMatchObject({ ratio: { median: 2, low: 2 }, slices: 5, disturbed: 1, remarks: [] });
  });

  it("leaves out a round that was never quiet, if most others were", () => {
    const slices = [...rounds("hub on ws", SLOWER), sliceOf("hub on ws", 5, { cpu: 7 }, { disturbance: 0.5 })];
    expect(rowOf([...slices, sliceOf("ws loop", 5, { cpu: 1 })])).toMatchObject({
      ratio: { median: 2, high: 2.1 },
      figures: { cpu: { median: 6 } },
      slices: 5,
      disturbed: 1,
      remarks: [],
    });
  });

  it("takes disturbed slices where there are hardly any others, and says so", () => {
    const slices = SLOWER.flatMap(([control, own], round) => [
      sliceOf("ws loop", round, { cpu: control }),
      sliceOf("hub on ws", round, { cpu: own }, { disturbance: round === 0 ? 0 : 0.5 }),
    ]);
    const row = rowOf(slices);
    expect(row).toMatchObject({ slices: 5, disturbed: 4 });
    expect(row.remarks.join(" ")).toContain("4 of 5 rounds");
  });

  it("pairs only rounds that both have", () => {
    const slices = [...rounds("hub on ws", SLOWER), sliceOf("ws loop", 5, { cpu: 1000 })];
    expect(rowOf(slices).ratio).toEqual(rowOf(rounds("hub on ws", SLOWER)).ratio);
  });

  it("tells the distance to bare writes, which have no row themselves", () => {
    const slices = [...rounds("hub on ws", [[4, 3]]), sliceOf("floor", 0, { cpu: 2 })];
    expect(rowOf(slices).toFloor?.median).toBe(1.5);
    expect(rowOf(slices, "ws loop").toFloor?.median).toBe(2);
    expect(rowsOf(slices, [burst], 1)).toHaveLength(2);
  });

  it("compares p99 where latency was measured, for each load by itself", () => {
    const slices = [0.5, 0.75].flatMap((load) =>
      (["ws loop", "hub on ws"] as const).map((peer, index) =>
        sliceOf(peer, 0, { p99: (index + 1) * load, cpu: 1 }, { phase: "latency" }, { phase: "latency", load }),
      ),
    );
    const rows = rowsOf(slices, [burst], 1);
    expect(rows.map(({ peer, load, headline }) => [peer, load, headline])).toEqual([
      ["ws loop", 0.5, "p99"],
      ["hub on ws", 0.5, "p99"],
      ["ws loop", 0.75, "p99"],
      ["hub on ws", 0.75, "p99"],
    ]);
    expect(rows[3]?.ratio?.median).toBe(2);
  });

  it("says so where there is no control", () => {
    const row = rowOf([sliceOf("hub on ws", 0, { cpu: 1 })]);
    expect(row).toMatchObject({ verdict: "withheld", remarks: ["no control to compare with"] });
    expect(row).not.toHaveProperty("ratio");
  });
});
