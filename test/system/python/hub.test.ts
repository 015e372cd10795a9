import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { TransportName } from "roomcast";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CallStep, SeenStep } from "../../support/vectors/vectors.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { checkPython, PythonSubject } from "./python-subject.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** A server in a process of its own. The first one takes orders and never answers. */
const PROGRAM = `
import { Hub } from "roomcast";
const [transport, isFirst, beats] = process.argv.slice(1);
const hub = new Hub({
  transport,
  path: "/chat",
  heartbeat: beats === "true" && { interval: 1_000, timeout: 900 },
  authenticate: ({ auth }) => (auth?.name === undefined ? undefined : { id: auth.name }),
  joinable: () => true,
  history: { rooms: { log: { size: 100, age: 60_000 } } },
});
hub.on("disconnection", () => hub.to("log").emit("chat", { text: "missed" }));
hub.handle("sum", ({ a, b }) => a + b);
hub.handle("quiz", async (_, socket) => ({ right: (await socket.request("question", "6 * 7")) === 42 }));
hub.handle("chat", ({ room, text }) => hub.to(room).emit("chat", { text }));
hub.handle("order", () => (isFirst === "true" ? new Promise(() => {}) : "served"));
hub.handle("drain", () => void hub.drain({ within: 2_000, spread: 30 }));
hub.handle("kick me", (_, socket) => {
  socket.emit("goodbye");
  socket.close(4003, "Kicked");
});
console.log((await hub.listen({ host: "127.0.0.1" })).port);
`;

/** What stands in front of the servers: the address that stays while one follows the other. */
class Front {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  port = 0;

  constructor() {
    this.#server = createServer((client) => {
      const hub = createConnection({ port: this.port, host: "127.0.0.1" });
      for (const [from, to] of [
        [client, hub],
        [hub, client],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/chat`;
  }

  /** Ends the connections there are; new ones work. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

const servers: ChildProcess[] = [];
let front: Front;
let url: string;
let client: PythonSubject | undefined;

async function start(transport: TransportName, beats = false): Promise<ChildProcess> {
  const isFirst = String(servers.length === 0);
  const args = ["--input-type=module", "-e", PROGRAM, transport, isFirst, String(beats)];
  const server = spawn(process.execPath, args, { cwd: PROJECT, stdio: ["ignore", "pipe", "inherit"] });
  servers.push(server);
  front.port = Number(await once(server.stdout, "data"));
  return server;
}

/** Sends a request, and returns what has become of it. */
async function ask(step: Extract<CallStep, { readonly as: string }>): Promise<SeenStep | undefined> {
  client?.perform(step);
  return client?.see({ outcome: step.as });
}

/** What the application hears next. */
function hear(): Promise<SeenStep | undefined> | undefined {
  return client?.see({ hears: { text: "" } });
}

beforeAll(checkPython);

beforeEach(async () => {
  front = new Front();
  url = await front.listen();
});

afterEach(async () => {
  await client?.close();
  client = undefined;
  front.close();
  for (const server of servers.splice(0)) server.kill("SIGKILL");
});

describe.each(TRANSPORTS)("the client in Python and a hub on %s", (transport) => {
  test("talk, and go on after the server was killed or has drained, until the client is kicked", async () => {
    const first = await start(transport);
    client = new PythonSubject({ url, auth: { name: "Ann" }, stableAfter: 0 });
    client.perform({ call: "handle", event: "question", data: 42 });
    expect(await ask({ call: "join", as: "tea", room: "tea" })).toEqual({ outcome: "tea" });
    expect(await ask({ call: "request", as: "sum", event: "sum", data: { a: 1, b: 2 } })).toMatchObject({ data: 3 });
    expect(await ask({ call: "request", as: "quiz", event: "quiz" })).toMatchObject({ data: { right: true } });
    expect(await hear()).toMatchObject({ hears: { event: "question" } });
    const refused = { outcome: "dance", fails: "remote", code: "unknown-event" };
    expect(await ask({ call: "request", as: "dance", event: "dance" })).toEqual(refused);

    client.perform({ call: "request", as: "lost", event: "order" });
    client.perform({ call: "request", as: "order", event: "order", idempotent: true });
    expect(await ask({ call: "request", as: "sum", event: "sum", data: { a: 2, b: 2 } })).toMatchObject({ data: 4 });
    first.kill("SIGKILL");
    expect(await client.see({ returns: "back-off" })).toEqual({ returns: "back-off" });
    client.perform({ call: "emit", event: "chat", data: { room: "tea", text: "Milk?" } });
    await start(transport);
    const chat = { hears: { event: "chat", room: "tea", data: { text: "Milk?" } } };
    expect(await hear()).toEqual(chat);
    expect(await client.see({ outcome: "lost" })).toMatchObject({ fails: "disconnected" });
    expect(await client.see({ outcome: "order" })).toEqual({ outcome: "order", data: "served" });

    // The next server is there before this one sends its clients away.
    await start(transport);
    client.perform({ call: "emit", event: "drain" });
    const soon = { returns: { from: 0, to: 30 } } as const;
    expect(await client.see(soon)).toEqual(soon);
    client.perform({ call: "emit", event: "chat", data: { room: "tea", text: "Milk?" } });
    expect(await hear()).toEqual(chat);

    client.perform({ call: "emit", event: "kick me" });
    expect(await hear()).toEqual({ hears: { event: "goodbye" } });
    expect(await client.see({ returns: "never" })).toEqual({ returns: "never" });
  });

  test("make up for what was missed, and tell of a gap when nobody has it any more", async () => {
    const first = await start(transport);
    client = new PythonSubject({ url, auth: { name: "Ann" }, stableAfter: 0 });
    expect(await ask({ call: "join", as: "log", room: "log" })).toEqual({ outcome: "log" });
    for (const text of ["one", "two"]) {
      client.perform({ call: "emit", event: "chat", data: { room: "log", text } });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await hear()).toEqual({ hears: { event: "chat", room: "log", data: { text } } });
      front.cut();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await hear()).toEqual({ hears: { event: "chat", room: "log", data: { text: "missed" } } });
    }
    await start(transport);
    first.kill("SIGKILL");
    expect(await hear()).toEqual({ hears: { gap: "epoch", room: "log" } });
  });

  test("answer each other's heartbeat", async () => {
    await start(transport, true);
    client = new PythonSubject({ url, auth: { name: "Ann" }, stableAfter: 0 });
    expect(await ask({ call: "join", as: "tea", room: "tea" })).toEqual({ outcome: "tea" });
    // Each has asked the other meanwhile, and would have missed the answer.
    await sleep(3_000);
    expect(await ask({ call: "leave", as: "no tea", room: "tea" })).toEqual({ outcome: "no tea" });
    expect(await client.rest(new Set())).toEqual([]);
  });

  test("part for good when the credentials are refused", async () => {
    await start(transport);
    client = new PythonSubject({ url, auth: {} });
    expect(await hear()).toEqual({ hears: { error: "unauthorized" } });
    expect(await client.see({ returns: "never" })).toEqual({ returns: "never" });
  });
});
