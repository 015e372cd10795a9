/** A platform that the client is tested on, as `docs/API.md` lists it. */
export interface Platform {
  readonly name: string;
  readonly webSocket: "its own" | "that of `ws`" | "an imitation";
  /** What the platform tells of a connection that could not be opened. Nothing is told of the others. */
  readonly tells: readonly Told[];
  /** What runs the scenario: a browser, or a program with its arguments before the script's and behind them. */
  readonly runner: "Chromium" | "Firefox" | CommandLine;
}

/** A failure to connect: nothing listens, no hub at the path, no subprotocol. */
export type Told = "address" | "status" | "subprotocol";

/** A program that runs the scenario. */
export interface CommandLine {
  /** The package of the registry that has the program, with its version; without one it is the Node.js of the tests. */
  readonly package?: string;
  /** The program in the folder of its package. */
  readonly program?: string;
  readonly before?: readonly string[];
  readonly behind?: readonly string[];
}

const EVERYTHING: readonly Told[] = ["address", "status", "subprotocol"];

const node = (version: number): CommandLine => ({ package: `node@${version}`, program: "bin/node" });

const imitation = (...behind: readonly string[]): CommandLine => ({
  before: ["--import", "./react-native.mjs"],
  behind,
});

/** All of them. A test compares them with the table. */
export const PLATFORMS: readonly Platform[] = [
  { name: "Chromium", webSocket: "its own", tells: [], runner: "Chromium" },
  { name: "Firefox", webSocket: "its own", tells: [], runner: "Firefox" },
  {
    name: "Node.js 20",
    webSocket: "that of `ws`",
    tells: EVERYTHING,
    runner: { ...node(20), behind: ["ws"] },
  },
  { name: "Node.js 22", webSocket: "its own", tells: ["subprotocol"], runner: node(22) },
  { name: "Node.js 24", webSocket: "its own", tells: [], runner: node(24) },
  { name: "Node.js 26", webSocket: "its own", tells: [], runner: node(26) },
  {
    name: "Bun",
    webSocket: "its own",
    tells: EVERYTHING,
    runner: { package: "bun@1.4.5", program: "../.bin/bun" },
  },
  {
    name: "Deno",
    webSocket: "its own",
    tells: EVERYTHING,
    runner: {
      package: "deno@2.9.6",
      program: "../.bin/deno",
      before: ["run", "--allow-all", "--node-modules-dir=manual"],
    },
  },
  { name: "React Native", webSocket: "an imitation", tells: EVERYTHING, runner: imitation() },
  { name: "React Native, older", webSocket: "an imitation", tells: EVERYTHING, runner: imitation("older") },
];
