import { describe, expect, it } from "vitest";
import { busyTicksIn, processTicksIn } from "../../bench/coordinator/disturbance.ts";
import { commandOn, numbersIn } from "../../bench/coordinator/pinning.ts";
import { orderOf } from "../../bench/coordinator/rounds.ts";
import { segmentsIn } from "../../bench/coordinator/segments.ts";

describe("what Linux tells", () => {
  it("is how busy all cores were: user, nice, system and steal, without interrupts", () => {
    const stat = "cpu  1000 20 300 4000 50 6 7 80 9 10\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 12";
    expect(busyTicksIn(stat)).toBe(1000 + 20 + 300 + 80);
  });

  it("is what one process used, whatever its name is", () => {
    const fields = "S 1 2 3 0 -1 4 5 6 7 8 123 45 9 10 20 0 11 0 12 13";
    expect(processTicksIn(`99 (node) ${fields}`)).toBe(168);
    expect(processTicksIn(`99 (a) S 1 (b) ${fields}`)).toBe(168);
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

it("starts a program on its cores with all of its threads", () => {
  expect(commandOn([0, 2], ["/node", "--expose-gc"])).toEqual({
    execPath: "taskset",
    execArgv: ["-c", "0,2", "/node", "--expose-gc"],
  });
  expect(commandOn(undefined, ["/node", "--expose-gc"])).toEqual({ execPath: "/node", execArgv: ["--expose-gc"] });
});

it("gives every peer the same average place", () => {
  const peers = ["a", "b", "c"];
  const places = peers.map((peer) => orderOf(peers, 0).indexOf(peer) + orderOf(peers, 1).indexOf(peer));
  expect(places).toEqual([2, 2, 2]);
});
