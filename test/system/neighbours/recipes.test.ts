import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { RawClient, rawRequest } from "../../../src/testing/raw-client.ts";
import { WsClient } from "../../support/ws-client.ts";
import { Neighbourhood, recipes, type Running } from "./neighbourhood.ts";

/** Programs start on a busy machine. */
const PATIENCE = 120_000;

/** npm installs many packages. */
const INSTALLING = 300_000;

let neighbourhood: Neighbourhood;

beforeAll(async () => {
  neighbourhood = await Neighbourhood.build();
  return () => neighbourhood.remove();
}, INSTALLING);

afterEach(() => neighbourhood.stop());

async function connect(port: number, path: string, protocols: readonly string[] = []): Promise<WsClient> {
  const client = await WsClient.connect(`ws://127.0.0.1:${port}${path}`, {}, protocols);
  onTestFinished(() => client.vanish());
  return client;
}

/** A client of the hub, which is let in. */
async function member({ port }: Running): Promise<WsClient> {
  const client = await connect(port, "/chat?name=ann");
  expect(await client.nextJson()).toMatchObject({ event: "hub:welcome" });
  return client;
}

/** Proves that the hub still handles what this client sends, and nothing has ended. */
async function expectServed(client: WsClient): Promise<void> {
  client.send({ event: "nobody handles it", id: 1 });
  expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "unknown-event" } });
  expect(neighbourhood.isAlive).toBe(true);
}

async function textOf({ port }: Running, path = "/"): Promise<string> {
  return fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text());
}

/** Connects clients of the hub before, beside and after one of the neighbour's. */
async function expectBoth(running: Running, neighbour: () => Promise<void>): Promise<void> {
  const first = await member(running);
  await neighbour();
  const second = await member(running);
  await neighbour();
  await expectServed(first);
  await expectServed(second);
  expect(running.output()).not.toMatch(/ERR_HUB/);
}

test("every recipe is tried", () => {
  const tried = ["express", "express-ws", "fastify", "hono", "socket.io", "ws", "vite"];
  expect(recipes()).toStrictEqual(tried);
});

test("Express answers everything but the hub's path, `Upgrade: h2c` included", async () => {
  const running = await neighbourhood.run("express");
  await expectBoth(running, async () => {
    expect(await textOf(running)).toBe("Express");
    const client = await RawClient.connect(running.port);
    onTestFinished(() => client.vanish());
    const h2c = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };
    for (const path of ["/", "/"]) {
      client.write(rawRequest(path, h2c));
      const response = await client.response();
      expect(response).toMatchObject({ status: 200, body: "Express" });
      expect(response?.headers.get("x-powered-by")).toBe("Express");
    }
  });
});

describe.each([
  ["express-ws", "Express", { code: 1005, report: "ERR_HUB_PATH_TAKEN\n" }],
  ["fastify", "Fastify", { code: 1006, report: "ERR_HUB_PATH_TAKEN\n" }],
  // The hub does not see that the client was cut.
  ["hono", "Hono", { code: 1006, report: "" }],
  ["ws", "HTTP", undefined],
])("the recipe beside %s", (recipe, page, loss) => {
  test("serves the clients of both", { timeout: PATIENCE }, async () => {
    const running = await neighbourhood.run(recipe);
    await expectBoth(running, async () => {
      const client = await connect(running.port, "/echo");
      client.send("hello");
      expect(await client.next()).toBe("hello");
      expect(await textOf(running)).toBe(page);
    });
  });

  test.runIf(loss !== undefined)(
    "is needed: attached to the same server, the hub loses its clients",
    { timeout: PATIENCE },
    async () => {
      const running = await neighbourhood.run(recipe, (text) =>
        text
          .replace(/const theirs = createServer\(\);.*\n/, "")
          .replace("{ options: { server: theirs } }", "{}")
          .replace("injectWebSocket(theirs);\n", "")
          .replace(/expressWs\(app, theirs\);\n/, "const server = createServer(app);\nexpressWs(app, server);\n")
          .replace(/(const server = createServer\(app\);\n)((?:.*\n)*)const server = createServer\(app\);\n/, "$1$2")
          .replace(/\S+\.on\("upgrade"(?:.*\n)*?\}\);\n/, "")
          .replace(/const hub = .*\n/, "")
          .replace(/await app\.listen.*\n/, "")
          .concat(attached(recipe)),
      );
      const ending = await new Promise((resolve) => {
        const client = new WebSocket(`ws://127.0.0.1:${running.port}/chat`);
        client.on("close", resolve).on("error", () => {});
      });
      expect(ending).toBe(loss?.code);
      await expect.poll(running.output).toBe(loss?.report);
      expect(neighbourhood.isAlive).toBe(true);
    },
  );
});

/** The end of a recipe in which hub and neighbour have the same server. */
function attached(recipe: string): string {
  // A hub that comes after an awaited listen() would miss the first client.
  if (recipe === "fastify") return `${hubOn("app.server")}await app.listen({ port: 8080 });\n`;
  const inject = recipe === "hono" ? "injectWebSocket(server);\n" : "";
  return inject + hubOn("server");
}

/** A hub on a server, which prints what it reports. */
function hubOn(server: string): string {
  const hub = `const hub = new Hub({ transport: ws({ server: ${server} }), path: "/chat" });\n`;
  return `${hub}hub.on("error", ({ code }) => console.log(code));\n`;
}

describe("the recipe beside Socket.IO", () => {
  interface IoSocket {
    emit(event: string, text: string, reply: (text: string) => void): void;
    disconnect(): void;
  }

  function connectIo(port: number): IoSocket {
    const { io } = neighbourhood.load("socket.io-client") as { io: (url: string, options: object) => IoSocket };
    const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"] });
    onTestFinished(() => socket.disconnect());
    return socket;
  }

  test("serves the clients of both", { timeout: PATIENCE }, async () => {
    const running = await neighbourhood.run("socket.io");
    const socket = connectIo(running.port);
    await expectBoth(running, async () => {
      const reply = await new Promise((resolve) => socket.emit("echo", "hello", resolve));
      expect(reply).toBe("hello");
    });
  });

  test("lets authenticate take longer than a second", { timeout: PATIENCE }, async () => {
    const slowly = "authenticate: () => new Promise((resolve) => setTimeout(resolve, 1_500, { id: 'ann' })), ";
    const running = await neighbourhood.run("socket.io", (text) => text.replace('path: "/chat"', `${slowly}$&`));
    await expectServed(await member(running));
    expect(running.output()).toBe("");
  });
});

const vitePage = (text: string): string => `import.meta.hot.accept();\nexport const text = "${text}";\n`;

/** Waits for a message of a development server that matches. */
async function told(client: WsClient, pattern: RegExp): Promise<string> {
  for (;;) {
    const message = await client.next();
    if (pattern.test(message)) return message;
  }
}

async function expectUpdates(running: Running): Promise<void> {
  const ours = await member(running);
  const client = await textOf(running, "/@vite/client");
  const token = /wsToken = "([^"]+)"/.exec(client)?.[1] ?? "";
  const hot = await connect(running.port, `/?token=${token}`, ["vite-hmr"]);
  await told(hot, /"connected"/);
  expect(await textOf(running, "/page.js")).toContain("before");
  neighbourhood.write("page.js", vitePage("after"));
  expect(await told(hot, /"update"/)).toContain("/page.js");
  expect(await textOf(running, "/page.js")).toContain("after");
  await expectServed(ours);
  await expectServed(await member(running));
}

describe("Vite's development server goes on to update pages", () => {
  beforeEach(() => {
    neighbourhood.write("index.html", '<script type="module" src="/page.js"></script>');
    neighbourhood.write("page.js", vitePage("before"));
  });

  test("by the recipe", { timeout: PATIENCE }, async () => {
    const running = await neighbourhood.run("vite");
    expect(await textOf(running)).toContain("/page.js");
    await expectUpdates(running);
    expect(running.output()).not.toMatch(/ERR_HUB|HubWarning/);
  });

  test("in middleware mode", { timeout: PATIENCE }, async () => {
    const vite = `
      import { createServer as createViteServer } from "vite";
      const vite = await createViteServer({ configFile: false, server: { middlewareMode: true, hmr: { server } } });
      app.use(vite.middlewares);
    `;
    const running = await neighbourhood.run("express", (text) => text.replace("server.listen", `${vite}$&`));
    await expectUpdates(running);
    expect(running.output()).not.toMatch(/ERR_HUB|HubWarning/);
  });
});

const pathless = (text: string): string => text.replace(', path: "/chat"', "");

describe("without the path of the recipe", () => {
  test.each(["socket.io", "vite"])(
    "the hub beside %s is an error that names it",
    { timeout: PATIENCE },
    async (recipe) => {
      await expect(neighbourhood.run(recipe, pathless)).rejects.toThrow(/ERR_HUB_PATH_TAKEN|option "path"/);
    },
  );
});
