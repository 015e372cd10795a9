import { describe, expect, it } from "vitest";
import { secondsWaitedIn, stolenTicksIn, usageIn } from "../../../bench/coordinator/disturbance.ts";
import { commandOn, numbersIn } from "../../../bench/coordinator/pinning.ts";
import { orderOf } from "../../../bench/coordinator/rounds.ts";
import { segmentsIn } from "../../../bench/coordinator/segments.ts";

describe("what Linux tells", () => {
  it("is what other machines took", () => {
    const stat = "cpu  1000 20 300 4000 50 6 7 80 9 10\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 12";
    expect(stolenTicksIn(stat)).toBe(80);
  });

  it("is how long a process waited for its core", () => {
    expect(secondsWaitedIn("921309 2500000000 17\n")).toBe(2.5);
  });

  it("is what one process used, whatever its name is", () => {
    const fields = "S 1 2 3 0 -1 4 5 6 7 8 123 45 9 10 20 0 11 0 12 13";
    const usage = { parent: 1, ticks: 168, started: "12" };
    expect(usageIn(`99 (node) ${fields}`)).toEqual(usage);
    expect(usageIn(`99 (a) S 1 (b) ${fields}`)).toEqual(usage);
  });

  it("is how many segments with new data were sent", () => {
    const netstat = "TcpExt: SyncookiesSent TCPOrigDataSent Other\nTcpExt: 1 4711 3\nIpExt: A\nIpExt: 5\n";
    expect(segmentsIn(netstat)).toBe(4711);
    expect(segmentsIn(netstat.replace("TCPOrigDataSent", "Unknown"))).toBeUndefined();
    expect(segmentsIn("")).toBeUndefined();
  });

  it("is a list of cores", () => {
    expect(numbersIn("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(numbersIn("5")).toEqual([5]);
    expect(numbersIn("")).toEqual([]);
  });
});

it("pinning starts a program on its cores with all of its threads", () => {
  expect(commandOn([0, 2], ["/node", "--expose-gc"])).toEqual({
    execPath: "taskset",
    execArgv: ["-c", "0,2", "/node", "--expose-gc"],
  });
  expect(commandOn(undefined, ["/node", "--expose-gc"])).toEqual({ execPath: "/node", execArgv: ["--expose-gc"] });
});

it("the order of a round gives every peer the same average place", () => {
  const peers = ["a", "b", "c"];
  const places = peers.map((peer) => orderOf(peers, 0).indexOf(peer) + orderOf(peers, 1).indexOf(peer));
  expect(places).toEqual([2, 2, 2]);
});
