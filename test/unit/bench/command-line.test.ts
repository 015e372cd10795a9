import { describe, expect, it } from "vitest";
import { optionsOf, UsageError, type Options } from "../../../bench/command-line.ts";
import { helpText } from "../../../bench/terminal/help.ts";
import { PEERS } from "../../../bench/peers/index.ts";
import { OWN_RUNS } from "../../../bench/own-runs.ts";
import { scenarios } from "../../../bench/scenarios/index.ts";

function parsed(...args: readonly string[]): Options {
  const options = optionsOf(args);
  if (options === "help") throw new Error("Only help was asked for");
  return options;
}

describe("the command line", () => {
  it("asks for the quick set by itself", () => {
    expect(parsed()).toEqual({
      scenarios: ["burst"],
      peers: ["ws loop", "uws publish", "hub on ws", "hub on uws", "socket.io ws", "socket.io uws", "crossws"],
      rounds: 5,
      trial: { full: false, seed: 1 },
      loads: [],
      pinned: true,
      gate: false,
    });
  });

  it("asks for everything", () => {
    const { scenarios: asked, loads, trial } = parsed("--full");
    expect(asked).toEqual(scenarios.map(({ name }) => name));
    expect(loads).toEqual([0.25, 0.5, 0.75, 0.9]);
    expect(trial).toEqual({ full: true, seed: 1 });
  });

  it("takes names again and again or in a list, with dashes or without", () => {
    const { scenarios: asked, trial, loads } = parsed("--scenario", "chat,idle", "--scenario", "burst");
    expect(loads).toEqual([0.75]);
    expect(asked).toEqual(["burst", "chat", "idle"]);
    expect(trial).not.toHaveProperty("seconds");
    expect(parsed("--peer", "hub-on-uws, Socket.IO ws", "--peer=socket-io-uws").peers).toEqual([
      "ws loop",
      "hub on uws",
      "socket.io ws",
      "socket.io uws",
    ]);
    expect(parsed("--peer", "drops").peers).toEqual(["ws loop", "drops"]);
  });

  it("restricts the hub to one transport, and nobody else", () => {
    expect(parsed("--transport", "uws").peers).toEqual([
      "ws loop",
      "uws publish",
      "hub on uws",
      "socket.io ws",
      "socket.io uws",
      "crossws",
    ]);
  });

  it("takes numbers", () => {
    const args = ["--size", "64,1024", "--members=10", "--members", "20", "--rate", "1,16", "--rooms", "7"];
    const { trial, rounds, pinned } = parsed(...args, "--duration", "0.5", "--seed", "3", "--pairs", "2", "--no-pin");
    expect(trial).toEqual({
      full: false,
      sizes: [64, 1024],
      members: [10, 20],
      rates: [1, 16],
      rooms: 7,
      seconds: 0.5,
      seed: 3,
    });
    expect([rounds, pinned]).toEqual([2, false]);
  });

  it.each([
    [["--scenario", "brust"], /no scenario "brust".*burst/],
    [["--peer", "hub"], /no peer "hub".*hub-on-ws/],
    [["--peer", ","], /--peer needs a name/],
    [["--transport", "tcp"], /--transport.*"tcp"/],
    [["--size", "63"], /--size.*64.*"63"/],
    [["--members", "1.5"], /--members.*"1.5"/],
    [["--members", "0"], /--members.*"0"/],
    [["--rate", ""], /--rate needs a number/],
    [["--pairs", "many"], /--pairs.*"many"/],
    [["--duration", "-1"], /--duration/],
    [["--duration=0"], /--duration.*"0"/],
    [["--fast"], /--fast/],
    [["burst"], /burst/],
    [["--json"], /--json/],
  ])("says what is wrong with %j", (args, message) => {
    expect(() => optionsOf(args)).toThrow(UsageError);
    expect(() => optionsOf(args)).toThrow(message);
  });
});

describe("the help", () => {
  it("is asked for whatever else is", () => {
    expect(optionsOf(["--full", "--help"])).toBe("help");
    expect(optionsOf(["-h"])).toBe("help");
  });

  it("names every option, scenario and peer, and fits a terminal", () => {
    const text = helpText();
    const options = "full scenario peer transport size members rooms rate pairs duration no-pin seed".split(" ");
    for (const option of [...options, "json", "html", "gate", "baseline"]) expect(text).toContain(`--${option}`);
    for (const { name } of scenarios) expect(text).toContain(`\n  ${name} `);
    for (const name of OWN_RUNS) expect(text).toContain(`--scenario ${name}`);
    for (const peer of Object.keys(PEERS)) expect(text).toContain(`\n  ${peer.replaceAll(/[ .]/g, "-")} `);
    expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });
});
