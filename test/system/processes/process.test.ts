import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Installation } from "../../support/installation.ts";
import { WsClient } from "../../support/ws-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const REQUIRED = ["ws", "nanoid"];

let complete: Installation;

beforeAll(async () => {
  complete = await Installation.build([...REQUIRED, "uWebSockets.js"]);
});

afterAll(() => complete.remove());

/** Starts Node.js in the folder. If it has not ended by itself when the test has, it is killed. */
function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { cwd: complete.folder, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The first line that a program prints. */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("Without a pipe there are no lines.");
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  return line;
}

describe.each(TRANSPORTS)("a process with a hub on %s ends by itself", (transport) => {
  test("after close(), with a client connected", async () => {
    const program = `
      import { once } from "node:events";
      import { Hub } from "roomcast";
      import { WebSocket } from "ws";
      const hub = new Hub({ transport: process.argv[1] });
      const { port } = await hub.listen({ host: "127.0.0.1" });
      const client = new WebSocket("ws://127.0.0.1:" + port);
      await once(client, "message");
      await hub.close();
      console.log("closed");
    `;
    expect(await complete.run(program, transport)).toStrictEqual({ code: 0, stdout: "closed\n", stderr: "" });
  });

  test("without a word, whatever its clients do wrong", async () => {
    const program = `
      import { once } from "node:events";
      import { Hub, ReplyError } from "roomcast";
      import { WebSocket } from "ws";
      const hub = new Hub({ transport: process.argv[1], maxConnections: 1 });
      hub.handle("refuse", () => { throw new ReplyError("no", "No."); });
      hub.handle("echo", (data) => data);
      const { port } = await hub.listen({ host: "127.0.0.1" });
      const client = new WebSocket("ws://127.0.0.1:" + port);
      await once(client, "message");
      for (const message of ["nonsense", '{"event":"refuse","id":1}', '{"event":"unknown"}', '{"event":"echo","id":2}']) {
        client.send(message);
        await once(client, "message");
      }
      const other = new WebSocket("ws://127.0.0.1:" + port);
      await once(other, "error");
      client.terminate();
      await hub.drain();
    `;
    expect(await complete.run(program, transport)).toStrictEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("after a warning on stderr of a handler that failed unheard, in printable ASCII", async () => {
    const program = `
      import { once } from "node:events";
      import { Hub } from "roomcast";
      import { WebSocket } from "ws";
      const hub = new Hub({ transport: process.argv[1] });
      hub.handle("fail", (text) => { throw new Error(text); });
      const { port } = await hub.listen({ host: "127.0.0.1" });
      const client = new WebSocket("ws://127.0.0.1:" + port);
      await once(client, "message");
      for (let id = 0; id < 3; id++) {
        client.send(JSON.stringify({ event: "fail", id, data: "\\u001B[2J\\nforged" }));
        await once(client, "message");
      }
      await hub.close();
    `;
    const { code, stdout, stderr } = await complete.run(program, transport);
    expect({ code, stdout }).toStrictEqual({ code: 0, stdout: "" });
    expect(stderr.match(/Unheard failure/g)).toHaveLength(1);
    expect(stderr).toContain(String.raw`Error: \u001b[2J\u000aforged - `);
    expect(stderr).toMatch(/^[ -~\n]*$/);
  });

  test("after drain(), with a client connected whose handler never finishes", async () => {
    const program = `
      import { once } from "node:events";
      import { Hub } from "roomcast";
      import { WebSocket } from "ws";
      const hub = new Hub({ transport: process.argv[1] });
      hub.handle("endless", () => new Promise(() => {}));
      const { port } = await hub.listen({ host: "127.0.0.1" });
      const client = new WebSocket("ws://127.0.0.1:" + port);
      await once(client, "message");
      client.send('{"event":"endless","id":1}');
      client.send('{"event":"hub:nothing","id":2}');
      await once(client, "message");
      client.on("close", (code) => console.log("closed with", code));
      await hub.drain({ within: 50 });
      console.log("drained");
    `;
    const { code, stdout, stderr } = await complete.run(program, transport);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").toSorted()).toStrictEqual(["", "closed with 4200", "drained"]);
  });

  test("although a client never answers the close frame", async () => {
    const program = `
      import { Hub } from "roomcast";
      const hub = new Hub({ transport: process.argv[1] });
      hub.on("connection", () => void hub.close());
      const { port } = await hub.listen({ host: "127.0.0.1" });
      console.log(port);
    `;
    const child = start("--input-type=module", "--eval", program, "--", transport);
    const exited = once(child, "exit");
    const client = connect(Number(await firstLine(child)), "127.0.0.1");
    // However the server ends the connection is fine: this is about its process.
    client.on("error", () => {}).resume();
    client.write(
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    expect(await exited).toStrictEqual([0, null]);
  });

  test("when the hub never listened", async () => {
    const program = `
      import { Hub } from "roomcast";
      new Hub({ transport: process.argv[1] });
      await new Hub({ transport: process.argv[1] }).close();
      console.log("closed");
    `;
    expect(await complete.run(program, transport)).toStrictEqual({ code: 0, stdout: "closed\n", stderr: "" });
  });

  test("with an error when a socket's path is too long", async () => {
    const program = `
      import { Hub } from "roomcast";
      const hub = new Hub({ transport: process.argv[1] });
      await hub.listen({ socketPath: process.cwd() + "/" + "x".repeat(200) }).catch(({ name }) => console.log(name));
      await hub.close();
    `;
    expect(await complete.run(program, transport)).toStrictEqual({ code: 0, stdout: "HubError\n", stderr: "" });
  });
});

describe("without a usable uWebSockets.js", () => {
  const program = `
    import { Hub } from "roomcast";
    try {
      new Hub({ transport: "uws" });
    } catch ({ name, code, message, cause }) {
      console.log(JSON.stringify({ name, code, message, because: cause instanceof Error }));
    }
    const hub = new Hub({ transport: "ws" });
    await hub.listen({ host: "127.0.0.1" });
    await hub.close();
  `;

  async function outcome(installation: Installation): Promise<unknown> {
    try {
      const { code, stdout, stderr } = await installation.run(program);
      expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    } finally {
      installation.remove();
    }
  }

  test("the error says how to install it, and ws works", async () => {
    expect(await outcome(complete.copy(REQUIRED))).toStrictEqual({
      name: "HubError",
      code: "ERR_HUB_TRANSPORT_UNAVAILABLE",
      message: expect.stringMatching(
        /^uWebSockets\.js is not installed\..*npm install uNetworking\/uWebSockets\.js#v20/,
      ),
      because: true,
    });
  });

  test("the error says so when it was built for another Node.js", async () => {
    const installation = complete.copy(REQUIRED);
    const crippled = installation.packageFolder("uWebSockets.js");
    mkdirSync(crippled);
    for (const file of ["package.json", "uws.js", "ESM_wrapper.mjs"]) {
      cpSync(join(complete.packageFolder("uWebSockets.js"), file), join(crippled, file));
    }
    expect(await outcome(installation)).toStrictEqual({
      name: "HubError",
      code: "ERR_HUB_TRANSPORT_UNAVAILABLE",
      message: expect.stringMatching(
        /^uWebSockets\.js cannot be loaded by Node\.js [\d.]+ .*npm install uNetworking\/uWebSockets\.js#v20/,
      ),
      because: true,
    });
  });
});

describe("the program of the plain server", () => {
  const SERVER = "examples/plain/server.js";

  test.each(TRANSPORTS)("serves on %s until it is told to stop", async (transport) => {
    const child = start(SERVER, "--port", "0", "--transport", transport);
    const exited = once(child, "exit");
    const line = await firstLine(child);
    const [, port] = /^Listening at ws:\/\/localhost:(\d+) \(transport: (?:ws|uws)\)/.exec(line) ?? [];
    const client = await WsClient.connect(`ws://127.0.0.1:${port}`);
    expect(await client.nextJson()).toMatchObject({ type: "welcome" });

    // The same port again, while the first has it.
    const second = await complete.node(SERVER, "--port", String(port), "--transport", transport);
    expect(second).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(`^Cannot .*${port}.* in use.*\n$`),
    });

    child.kill("SIGTERM");
    expect((await client.closed).code).toBe(4200);
    expect(await exited).toStrictEqual([0, null]);
  });

  test("explains how it is called", async () => {
    const { code, stderr } = await complete.node(SERVER, "--colour");
    expect(code).toBe(2);
    expect(stderr).toMatch(/'--colour'.*\nUsage: node examples\/plain\/server\.js/s);
  });
});

describe.each(TRANSPORTS)("at the limit of open files, a hub on %s", (transport) => {
  test("reports it, once each time, and serves clients when it is over", async () => {
    const program = `
      import { Hub } from "roomcast";
      const hub = new Hub({ transport: process.argv[1] });
      hub.on("error", ({ code }, { source }) => console.log(code, source));
      const { port } = await hub.listen({ host: "127.0.0.1" });
      console.log(port);
    `;
    const child = spawn(
      "sh",
      [
        "-c",
        `ulimit -n 256; exec "$0" "$@"`,
        process.execPath,
        "--input-type=module",
        "--eval",
        program,
        "--",
        transport,
      ],
      {
        cwd: complete.folder,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { value } = await lines.next();
    const port = Number(value);
    for (let round = 0; round < 2; round++) {
      const clients = Array.from({ length: 300 }, () => connect(port, "127.0.0.1").on("error", () => {}));
      expect(await lines.next()).toMatchObject({ value: "EMFILE transport" });
      for (const client of clients) client.destroy();
      await expect
        .poll(() => WsClient.connect(`ws://127.0.0.1:${port}`).then((client) => client.next()), { timeout: 20_000 })
        .toContain("hub:welcome");
      // The hub looks once a second, and has to see that the limit was left.
      await delay(2_000);
    }
  });
});

describe.each(TRANSPORTS)("a worker thread with a hub on %s", (transport) => {
  const program = (end: string): string => `
    import { Worker } from "node:worker_threads";
    const worker = new Worker(\`
      import { parentPort } from "node:worker_threads";
      import { Hub } from "roomcast";
      const hub = new Hub({ transport: "${transport}" });
      await hub.listen({ host: "127.0.0.1" });
      ${end}
    \`, { eval: true });
    worker.on("message", () => worker.terminate());
    worker.on("exit", () => setTimeout(() => console.log("alive"), 100));
  `;
  const ends = [
    ["exit", "process.exit();"],
    ["be terminated", "parentPort.postMessage(1);"],
  ] as const;

  test("may end after close()", async () => {
    expect(await complete.run(program("await hub.close();"))).toMatchObject({ code: 0, stdout: "alive\n" });
  });

  test.runIf(transport === "ws").each(ends)("may %s without close()", async (_, end) => {
    expect(await complete.run(program(end))).toMatchObject({ code: 0, stdout: "alive\n" });
  });

  test.runIf(transport === "uws").each(ends)("must not %s without close(): the process ends", async (_, end) => {
    await expect(complete.run(program(end))).rejects.toThrow("SIGABRT");
  });
});
