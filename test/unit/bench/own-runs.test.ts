import { describe, expect, it } from "vitest";
import { UsageError } from "../../../bench/command-line.ts";
import { runHistory } from "../../../bench/history/benchmark.ts";
import { ownRunOf } from "../../../bench/own-runs.ts";
import { runPresence } from "../../../bench/presence/benchmark.ts";
import { runRecovery } from "../../../bench/recovery/benchmark.ts";
import { runCluster } from "../../../bench/cluster/benchmark.ts";

describe("a scenario that is a run of its own", () => {
  it.each([
    ["cluster", runCluster],
    ["history", runHistory],
    ["presence", runPresence],
    ["recovery", runRecovery],
  ])("is found by its name: %s", async (name, run) => {
    expect(await ownRunOf(["--pairs", "1", "--scenario", name])).toBe(run);
    expect(await ownRunOf([`--scenario=${name}`])).toBe(run);
  });

  it("is none of the others", async () => {
    for (const args of [
      [],
      ["--scenario", "burst"],
      ["--scenario", "toString"],
      ["--scenario"],
      ["--peer", "cluster"],
    ]) {
      expect(await ownRunOf(args)).toBeUndefined();
    }
  });

  it.each([
    [runCluster, ["--peer", "nobody"], /no peer "nobody".*hub-on-ws/],
    [runRecovery, ["--peer", "nobody"], /no peer "nobody".*hub-plain-clients/],
    [runRecovery, ["--transport", "tcp"], /--transport.*"tcp"/],
    [runRecovery, ["--cut", "0"], /--cut.*"0"/],
    [runRecovery, ["--members", "many"], /--members.*"many"/],
    [runRecovery, ["--fast"], /--fast/],
    [runHistory, ["--transport", "tcp"], /--transport.*"tcp"/],
    [runHistory, ["--pairs", "0"], /--pairs.*"0"/],
    [runHistory, ["--peer", "hub"], /--peer/],
    [runPresence, ["--members", "0"], /--members.*"0"/],
    [runPresence, ["--peer", "hub"], /--peer/],
  ])("says what is wrong with its options, before it starts anything", async (run, args, message) => {
    const call = run(["--scenario", "x", ...args]);
    await expect(call).rejects.toThrow(UsageError);
    await expect(call).rejects.toThrow(message);
  });
});
