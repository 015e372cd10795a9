import { expect, it } from "vitest";
import type { Slice } from "../../../bench/figures.ts";
import { gatesOf } from "../../../bench/gate.ts";
import type { Gate } from "../../../bench/results.ts";
import { NO_VIOLATIONS } from "../../../bench/receivers/messages.ts";
import { rounds, sliceOf } from "./slices.ts";

const SIXTEEN = "CPU for a delivery, 16 a turn: hub on ws / ws loop";

function gate(slices: readonly Slice[], name: string): Gate | undefined {
  return gatesOf(slices, 1).find((each) => each.name === name);
}

it("a gate holds the cost of a batch to its limit", () => {
  expect(gate(rounds("hub on ws", [[100, 8]]), SIXTEEN)).toMatchObject({ limit: 0.08, passed: true });
  expect(gate(rounds("hub on ws", [[100, 8.1]]), SIXTEEN)).toMatchObject({ passed: false });
});

it("a gate fails where a message was lost, however cheap the others were", () => {
  const violations = { ...NO_VIOLATIONS, missing: 1 };
  const slices = [
    ...rounds("hub on ws", [[100, 1]]),
    sliceOf("hub on ws", 0, { cpu: 1 }, { disturbance: 0.9 }, { violations }),
  ];
  expect(gate(slices, SIXTEEN)).toMatchObject({ passed: false });
});

it("a gate takes nothing else for what was promised", () => {
  const parameters = { members: 100, size: 64, perTurn: 16 };
  const others = [
    sliceOf("ws loop", 0, { cpu: 100 }, {}, { parameters }),
    sliceOf("hub on ws", 0, { cpu: 50 }, {}, { parameters }),
    ...rounds("hub on uws", [[100, 50]]),
  ];
  expect(gate(others, SIXTEEN)).toEqual({ name: SIXTEEN, limit: 0.08, passed: undefined });
});

it("a gate compares hubs with other libraries than the control, round by round", () => {
  const slices = [1, 2, 3].flatMap((speed, round) => [
    sliceOf("uws publish", round, { cpu: speed }),
    sliceOf("hub on uws", round, { cpu: 1.1 * speed }),
  ]);
  const found = gate(slices, "CPU for a delivery, 16 a turn: hub on uws / uws publish");
  expect(found?.measured?.median).toBeCloseTo(1.1);
  expect(found?.passed).toBe(false);
});

it("a gate compares the memory of idle connections by difference, where there are most of them", () => {
  const slices = [1_000, 10_000].flatMap((members) =>
    (["ws loop", "hub on ws"] as const).map((peer) =>
      sliceOf(
        peer,
        0,
        { residentPerConnection: peer === "ws loop" ? 7 * 1024 : (members === 1_000 ? 11 : 8) * 1024 },
        { scenario: "idle", trial: `${members}` },
        { case: `${members}`, parameters: { members } },
      ),
    ),
  );
  const found = gate(slices, "idle connection, resident KiB: hub on ws - ws loop");
  expect(found).toMatchObject({ limit: 1.5, measured: { median: 1 }, passed: true });
});

it("a gate compares small rooms with large ones of the same peer", () => {
  const slices = [
    { members: 10, perTurn: 16, cpu: 1.2 },
    { members: 160, perTurn: 1, cpu: 1 },
  ].map(({ members, perTurn, cpu }) =>
    sliceOf(
      "hub on ws",
      0,
      { cpu },
      { scenario: "many-rooms" },
      { case: `${perTurn}`, parameters: { members, size: 64, perTurn } },
    ),
  );
  const found = gate(slices, "CPU for a delivery, small rooms / large ones: hub on ws");
  expect(found).toMatchObject({ limit: 1.15, measured: { median: 1.2 }, passed: false });
});

it("a gate compares latency at three quarters of the control's capacity only", () => {
  const name = "p99 at 75 % load: hub on ws / ws loop";
  expect(gate([...latencies(0.75, 90), ...latencies(0.9, 300)], name)?.passed).toBe(true);
  expect(gate([...latencies(0.75, 110), ...latencies(0.5, 10)], name)?.passed).toBe(false);
});

/** The p99 of a hub, at a load, beside the control's of 100 µs. */
function latencies(load: number, own: number): readonly Slice[] {
  return (["ws loop", "hub on ws"] as const).map((peer) =>
    sliceOf(
      peer,
      0,
      { p99: peer === "ws loop" ? 100 : own },
      { phase: "latency" },
      { phase: "latency", load, parameters: { members: 400, size: 64 } },
    ),
  );
}
