import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { PLATFORMS, type Platform, type Told } from "./platforms.ts";
import { startRunner, type Runner } from "./runners.ts";
import { ScenarioServer } from "./scenario-server.ts";

/** How each reason begins on a platform that tells it. The others say no more than that there was no connection. */
const REASONS: Readonly<Record<Told, string>> = {
  address: "Nothing listens at this address",
  status: "Nothing takes WebSocket connections at this path",
  subprotocol: "No subprotocol was agreed on",
};

/** What the journal has to be: the same on all platforms, but for what a platform does not have or tell. */
function journalOn({ name, tells }: Platform): object {
  const attempt = (told: Told): object => ({
    states: ["waiting", "connecting", "waiting"],
    code: 1006,
    reason: expect.stringMatching(`^${tells.includes(told) ? REASONS[told] : "The connection was not opened"}`),
    delayed: true,
  });
  return {
    welcome: {
      handshake: { url: "/chat?a=b", auth: { name: "ann" } },
      id: "string",
      states: ["connecting", "open"],
    },
    events: true,
    requests: {
      reply: 3,
      confirmed: true,
      unknown: { code: "ERR_CLIENT_REMOTE", reason: "unknown-event" },
      timeout: { code: "ERR_CLIENT_TIMEOUT" },
      aborted: true,
    },
    rooms: { news: 1, room: "lobby", refused: { code: "ERR_CLIENT_REMOTE", reason: "not-joinable" } },
    binary: { at: 7, bytes: [0, 255], big: String(2n ** 60n), raw: true },
    "lost connection": {
      lost: { code: "ERR_CLIENT_DISCONNECTED" },
      states: [
        // A busy machine may see that the connection was reset, which some platforms tell.
        { state: "waiting", code: 1006, reason: expect.stringMatching(/^The connection was lost\.$|ECONNRESET/) },
        { state: "connecting" },
        { state: "open" },
      ],
      news: "back",
    },
    // React Native has no random numbers for the key of the request.
    "repeated request": name.startsWith("React Native") ? { code: "ERR_CLIENT_ARGUMENT" } : 5,
    "server restarts": {
      first: { state: "waiting", code: 1001, reason: "The server is going away" },
      news: "back",
    },
    "refused credentials": { states: [{ state: "closed", code: 4001, reason: "unauthorized" }], attempts: 1 },
    kicked: {
      pending: { code: "ERR_CLIENT_CLOSED" },
      states: [{ state: "closed", code: 4003, reason: "kicked" }],
    },
    "no connection": {
      nowhere: attempt("address"),
      elsewhere: attempt("status"),
      foreign: attempt("subprotocol"),
    },
    "closed while connecting": { states: ["closed"], left: 0 },
    "clean close": { state: "closed", told: { code: 4321, reason: "enough" }, sum: 3, isAnother: true },
  };
}

const CASES = PLATFORMS.map((platform) => ({ name: platform.name, platform }));

describe.each(CASES)("on $name", { timeout: 120_000 }, ({ name, platform }) => {
  let runner: Runner | string;

  beforeAll(async () => {
    runner = await startRunner(platform);
    if (typeof runner !== "string") return;
    console.warn(`\nNOT TESTED: the client on ${name}, which does not run on this machine:\n${runner}\n`);
    // The registry may take minutes for a platform that is not installed yet.
  }, 600_000);

  afterAll(async () => {
    if (typeof runner === "object") await runner.close();
  });

  test.for(TRANSPORTS)("the client does what it does everywhere, with a hub on %s", async (transport, context) => {
    if (typeof runner === "string") {
      context.skip(`${name} does not run on this machine`);
      return;
    }
    const server = await ScenarioServer.start(transport);
    onTestFinished(() => server.stop());
    expect(await runner.play(server.urls)).toEqual(journalOn(platform));
  });
});
