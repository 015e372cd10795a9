import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Installation } from "../../support/installation.ts";
import { WsClient } from "../../support/ws-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const SERVER = "examples/chat/server.js";
const PUBLIC = fileURLToPath(new URL("../../../examples/chat/public", import.meta.url));

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.build(["ws", "nanoid", "uWebSockets.js"]);
  cpSync(PUBLIC, join(installation.folder, "examples/chat/public"), { recursive: true });
});

afterAll(() => installation.remove());

/** What `npm run demo -- …` starts. If it has not ended by itself when the test has, it is killed. */
function demo(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [SERVER, ...args], {
    cwd: installation.folder,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The address and the transport that it prints. */
async function announced({ stdout }: ChildProcess): Promise<{ url: string; transport: string }> {
  if (stdout === null) throw new Error("Without a pipe there are no lines.");
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  const [, url = "", transport = ""] = /^The chat is open at (http:\S+) \(transport: (\w+)\)\./.exec(line) ?? [];
  return { url, transport };
}

describe.each(TRANSPORTS)("the demo on %s", (transport) => {
  it.each(["SIGTERM", "SIGINT"] as const)("serves the chat until %s", async (signal) => {
    const child = demo(["--port", "0", "--transport", transport]);
    const exited = once(child, "exit");
    const { url, transport: used } = await announced(child);
    expect(used).toBe(transport);

    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<title>roomcast chat</title>");
    const client = await WsClient.connect(`${url.replace("http", "ws")}/socket`);
    expect(await client.nextJson()).toMatchObject({ event: "hub:welcome" });

    child.kill(signal);
    expect((await client.closed).code).toBe(4200);
    expect(await exited).toStrictEqual([0, null]);
  });

  it("takes the transport from the environment", async () => {
    const child = demo(["--port=0"], { ROOMCAST_TRANSPORT: transport });
    expect((await announced(child)).transport).toBe(transport);
  });

  it("explains what to do when the port is in use", async () => {
    const { port } = new URL((await announced(demo(["--port", "0"]))).url);
    expect(await installation.node(SERVER, "--port", port, "--transport", transport)).toStrictEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${port} is in use. Stop what listens there, or take a free port: npm run demo -- --port 0\n`,
    });
  });
});

describe("the demo's command line", () => {
  it.each([
    [["--colour"], "'--colour'"],
    [["tea"], "'tea'"],
    [["--transport"], "'--transport <value>'"],
    [["--transport", "smoke"], 'The transport must be "ws" or "uws", not "smoke".'],
    [["--port", "http"], 'The port must be a number from 0 to 65535, not "http".'],
    [["--port", "65536"], 'The port must be a number from 0 to 65535, not "65536".'],
  ])("refuses %j and explains how it is called", async (args, problem) => {
    const { code, stdout, stderr } = await installation.node(SERVER, ...args);
    expect({ code, stdout }).toStrictEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(problem);
    expect(stderr).toContain("Usage: npm run demo -- [options]");
  });

  it("says what to install when uWebSockets.js is missing", async () => {
    const bare = installation.copy(["ws", "nanoid"]);
    onTestFinished(() => bare.remove());
    cpSync(join(installation.folder, "examples"), join(bare.folder, "examples"), { recursive: true });

    const { code, stderr } = await bare.node(SERVER, "--port", "0", "--transport", "uws");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The chat cannot start: uWebSockets\.js is not installed\. .*npm install .*\n$/);
  });
});
