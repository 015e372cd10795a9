import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import type { Browser, Page, WebSocket } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { Hub, ReplyError } from "roomcast";
import { connect } from "roomcast/client";
import { HubProvider, useConnection, useRoom } from "roomcast/react";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { createDeferred } from "../../../src/deferred.ts";
import { blocksOf } from "../../support/markdown.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { launchBrowser } from "./browser.ts";

const source = (path: string): string => new URL(`../../../src/${path}`, import.meta.url).pathname;

/** What the tests use in the page, under names of its own. `render` puts an element into `Mode`. */
const PAGE = `
  import * as React from "react";
  import { createRoot, hydrateRoot } from "react-dom/client";
  import * as hooks from "roomcast/react";
  import { usePresence } from "roomcast/react/presence";
  import { connect } from "roomcast/client";
  import { Room as Documented } from "documented";
  const h = React.createElement;
  const strict = (element) => h(Mode, null, element);
  const root = createRoot(document.getElementById("root"));
  // A component for a hook: it shows what the hook returns, and keeps it in \`shown\`.
  const shown = {};
  const unhandled = [];
  addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
  Object.assign(globalThis, React, hooks, { usePresence, connect, Documented, h, hydrateRoot, shown, strict, unhandled }, {
    Boundary: class extends React.Component {
      state = {};
      static getDerivedStateFromError(error) { return { error }; }
      render() { return this.state.error ? ((shown.error = this.state.error), null) : this.props.children; }
    },
    Mode: React.StrictMode,
    text: () => document.getElementById("root").innerText,
    // A component that is suspended until its gate opens.
    createGate: () => {
      let open;
      const gate = new Promise((resolve) => (open = resolve));
      return Object.assign(gate, { open: () => ((gate.isOpen = true), open()) });
    },
    Waiter: ({ gate }) => { if (gate && !gate.isOpen) throw gate; return null; },
    render: (element) => root.render(strict(element)),
    unmount: () => root.unmount(),
    Room: ({ name }) => void (shown[name] = hooks.useRoom(name)),
    Connection: () => (shown.connection = hooks.useConnection()).state,
    Opener: () => void (shown.hub = hooks.useHub()),
  });
`;

/** A page as a hub's users have it, and what it reported as wrong. */
interface Opened {
  readonly page: Page;
  readonly errors: readonly string[];
  /** The WebSockets that the page has opened. */
  readonly sockets: readonly WebSocket[];
  /** Runs statements in the page; the value is that of the last one. */
  readonly run: (statements: string) => Promise<unknown>;
}

/** The versions of React that count: the one in the project, and the oldest. */
const REACTS = ["19", "18"] as const;

/** What the server sends as `/page-19.js` and so on. */
const scripts = new Map<string, string>();

let browser: Browser;
let server: Server;
let html = "";

/** What reached the hub, in order. */
let heard: string[];
let hub: Hub;
let url: string;
/** Holds the answers of `joinable` and of the request `slow` until it resolves. */
let gate: Promise<void> | undefined;

/** Bundles the page with a version of React. */
async function bundle(version: (typeof REACTS)[number]): Promise<string> {
  const own = version === "19" ? import.meta.dirname : await install(`react@${version}`, `react-dom@${version}`);
  const require = createRequire(join(own, "package.json"));
  const { outputFiles } = await esbuild.build({
    stdin: { contents: PAGE, resolveDir: import.meta.dirname },
    alias: {
      react: dirname(require.resolve("react")),
      "react-dom": dirname(require.resolve("react-dom")),
      "roomcast/client": source("client/index.ts"),
      "roomcast/react/presence": source("react/presence.ts"),
      "roomcast/react": source("react/index.ts"),
    },
    bundle: true,
    // The development build of React: only there does strict mode mount everything twice.
    define: { "process.env.NODE_ENV": '"development"' },
    jsx: "automatic",
    plugins: [{ name: "documented", setup: addDocumented }],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Installs packages into a new folder, and returns its path. */
async function install(...packages: readonly string[]): Promise<string> {
  const folder = new TemporaryFolder("roomcast-react-");
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--no-save", ...packages], {
    cwd: folder.path,
  });
  return folder.path;
}

/** Makes the example of rooms in docs/REACT.md the module `documented`. */
function addDocumented(build: esbuild.PluginBuild): void {
  const example = blocksOf("docs/REACT.md").find(({ text }) => text.includes("useRoom(name)"));
  build.onResolve({ filter: /^documented$/ }, ({ path }) => ({ path, namespace: "docs" }));
  build.onLoad({ filter: /./, namespace: "docs" }, () => ({
    contents: example?.text ?? "",
    loader: "tsx",
    resolveDir: import.meta.dirname,
  }));
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const script = scripts.get(request.url ?? "");
    if (script !== undefined) response.setHeader("Content-Type", "text/javascript").end(script);
    else {
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><title>Hooks</title><link rel="icon" href="data:,">
        <div id="root"></div><div id="hydrated">${html}</div><script src="${request.url}.js"></script>`);
    }
  }).listen(0, "127.0.0.1");
  [browser] = await Promise.all([launchBrowser(), once(server, "listening")]);
});

afterAll(async () => {
  await browser.close();
  server.close();
});

beforeEach(async () => {
  heard = [];
  gate = undefined;
  html = "";
  hub = new Hub({
    transport: "ws",
    origins: "*",
    presence: { rooms: ["tea", "music"], grace: 0 },
    authenticate: ({ auth }) => ({ id: typeof auth === "string" ? auth : "page" }),
    async joinable(room) {
      heard.push(`join ${room}`);
      await gate;
      if (room === "cellar") throw new ReplyError("locked", "The cellar is locked.");
      return true;
    },
  });
  hub.on("connection", (socket) => heard.push(`connection ${String(socket.handshake.auth)}`));
  hub.on("disconnection", (_, { code }) => heard.push(`disconnection ${code}`));
  hub.handle("say", (text: string) => {
    heard.push(`say ${text}`);
    if (text === "") throw new ReplyError("empty", "Say something.");
    return text.toUpperCase();
  });
  hub.handle("slow", async () => {
    heard.push("slow");
    await gate;
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  url = `ws://127.0.0.1:${port}`;
  onTestFinished(() => hub.close());
});

/** The rooms that sockets of the hub are in, with their numbers. */
const rooms = (): unknown => Object.fromEntries(Array.from(hub.rooms, ([name, { size }]) => [name, size]));

/** The same as the page's, for the server. */
function Status(): string {
  return `${useConnection().state} ${useRoom("tea").state}`;
}

describe.each(REACTS)("with React %s", (version) => {
  beforeAll(async () => {
    scripts.set(`/react-${version}.js`, await bundle(version));
  }, 120_000);

  async function open(): Promise<Opened> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    const sockets: WebSocket[] = [];
    page.on("websocket", (socket) => sockets.push(socket));
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    onTestFinished(() => context.close());
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/react-${version}`);
    await page.evaluate(`url = "${url}"`);
    return { page, errors, sockets, run: (statements) => page.evaluate(statements) };
  }

  test("the page has this version", async () => {
    const { run } = await open();
    expect(await run("version.split('.')[0]")).toBe(version);
  });

  test("a provider connects once under strict mode, with the latest auth, and closes when it is unmounted", async () => {
    const { run, errors, sockets } = await open();
    await run(`
      asked = 0;
      app = (who, at = url) => h(HubProvider, { url: at, options: { auth: () => (asked++, who) } }, h(Connection));
      render(app("Ada"));
    `);
    await expect.poll(() => run("shown.connection.state")).toBe("open");
    await expect.poll(() => heard).toEqual(["connection Ada"]);
    expect(await run("asked")).toBe(1);
    expect(sockets).toHaveLength(1);

    await run(`render(app("Ben"))`);
    for (const socket of hub.sockets.values()) socket.close(4200, "again");
    await expect.poll(() => heard).toEqual(["connection Ada", "disconnection 4200", "connection Ben"]);

    await run(`render(app("Cleo", url + "/?second"))`);
    await expect.poll(() => heard.slice(3).toSorted()).toEqual(["connection Cleo", "disconnection 1000"]);
    await expect.poll(() => run("shown.connection.state")).toBe("open");
    await run("unmount()");
    await expect.poll(() => heard.slice(5)).toEqual(["disconnection 1000"]);
    expect(hub.sockets.size).toBe(0);
    expect(errors).toEqual([]);
  });

  test("a provider leaves a client that it is given to the program, and start: false to useHub().open()", async () => {
    const { run, errors } = await open();
    await run(`
      client = connect(url, { auth: "mine" });
      render([
        h(HubProvider, { key: 1, client }, h(Room, { name: "tea" })),
        h(HubProvider, { key: 2, url, options: { auth: "later", start: false } }, h(Connection), h(Opener)),
      ]);
    `);
    await expect.poll(() => run("shown.tea?.state")).toBe("joined");
    expect(heard).toEqual(["connection mine", "join tea"]);
    expect(await run("[shown.connection.state, shown.hub.state]")).toEqual(["closed", "closed"]);
    await run("shown.hub.open()");
    await expect.poll(() => run("shown.connection.state")).toBe("open");
    await run("render(null)");
    await expect.poll(() => heard).toContain("disconnection 1000");
    expect(await run("[client.state, shown.hub.state]")).toEqual(["open", "closed"]);
    await expect.poll(rooms).toEqual({});
    expect(errors).toEqual([]);
  });

  test("useConnection tells every state, with the reason", async () => {
    const { run, errors } = await open();
    await run(`
      states = [];
      Recorder = () => { const { state, reason } = useConnection(); useEffect(() => { states.push([state, reason]) }, [state]); };
      render(h(HubProvider, { url, options: { reconnect: { minDelay: 1, maxDelay: 1 } } }, h(Recorder)));
    `);
    await expect.poll(() => run("states.at(-1)[0]")).toBe("open");
    for (const socket of hub.sockets.values()) socket.close(4150, "one moment");
    await expect.poll(() => heard).toHaveLength(3);
    await expect.poll(() => run("states.at(-1)[0]")).toBe("open");
    for (const socket of hub.sockets.values()) socket.close(4001, "go away");
    await expect.poll(() => run("states.at(-1)")).toEqual(["closed", "go away"]);
    expect(await run("states")).toContainEqual(["waiting", "one moment"]);
    expect(await run("states.slice(0, 2).map(([state]) => state)")).toEqual(["connecting", "connecting"]);
    expect(errors).toEqual([]);
  });

  test("useEvent calls the handler of the latest rendering without subscribing anew", async () => {
    const { run, errors } = await open();
    await run(`
      client = connect(url);
      added = 0;
      for (const name of ["on", "off"]) {
        const original = client[name];
        client[name] = function (event, listener) { if (event === "news") added += name === "on" ? 1 : -1; return original.call(this, event, listener); };
      }
      said = [];
      Listener = ({ word }) => {
        useEvent("news", (data, { room }) => said.push([word, data, room]));
        useEvent("news", (data) => said.push([word + " in tea", data]), { room: "tea" });
      };
      app = (word) => h(HubProvider, { client }, h(Room, { name: "tea" }), word && h(Listener, { word }));
      render(app("first"));
    `);
    await expect.poll(() => run("shown.tea?.state")).toBe("joined");
    const subscriptions = await run("added");
    hub.emit("news", 1);
    await expect.poll(() => run("said")).toEqual([["first", 1, undefined]]);
    await run(`render(app("second"))`);
    hub.to("tea").emit("news", 2);
    await expect
      .poll(() => run("said.slice(1)"))
      .toEqual([
        ["second", 2, "tea"],
        ["second in tea", 2],
      ]);
    expect(subscriptions).toBe(1);
    expect(await run("added")).toBe(1);
    await run("render(app(undefined))");
    await expect.poll(() => run("added")).toBe(0);
    hub.to("tea").emit("news", 3);
    await run(`client.request("say", "done")`);
    expect(await run("said.length")).toBe(3);
    expect(errors).toEqual([]);
  });

  test("useRoom is in the room from the first component to the last, and does not leave it in between", async () => {
    const { run, errors } = await open();
    await run(`
      app = (...rooms) => h(HubProvider, { url }, rooms.map(([key, name]) => h(Room, { key, name })));
      render(app(["a", "tea"], ["b", "tea"]));
    `);
    await expect.poll(() => run("shown.tea?.state")).toBe("joined");
    expect(rooms()).toEqual({ tea: 1 });

    const left: string[] = [];
    hub.on("room", ({ type, room }) => {
      if (type === "left") left.push(room);
    });
    // Another component takes over in the commit in which the last one goes.
    await run(`render(app(["b", "tea"]))`);
    await run(`render(app(["c", "tea"]))`);
    await run(`render(app(["c", "music"]))`);
    await expect.poll(rooms).toEqual({ music: 1 });
    expect(left).toEqual(["tea"]);
    await expect.poll(() => run("shown.music.state")).toBe("joined");
    await run("render(app())");
    await expect.poll(rooms).toEqual({});
    expect(errors).toEqual([]);
  });

  test("usePresence shows who is in the room, and begins anew in another one", async () => {
    const { run, errors } = await open();
    await run(`
      People = ({ room }) => {
        const { count, users } = usePresence(useHub(), room);
        useRoom(room);
        return count + ":" + [...users].map(([id, data]) => id + "=" + data).sort();
      };
      app = (room) => h(HubProvider, { url }, h(People, { room }));
      render(app("tea"));
    `);
    await expect.poll(() => run("text()")).toBe("1:page=null");
    const client = connect(url, { WebSocket: WsWebSocket, auth: "ann" });
    onTestFinished(() => client.close());
    await client.join("tea");
    await expect.poll(() => run("text()")).toBe("2:ann=null,page=null");
    hub.sockets
      .get(client.id ?? "")
      ?.presence("tea")
      .set("typing");
    await expect.poll(() => run("text()")).toBe("2:ann=typing,page=null");
    await run(`render(app("music"))`);
    await expect.poll(() => run("text()")).toBe("1:page=null");
    expect(errors).toEqual([]);
  });

  test("useRoom shows that it joins again after a lost connection, a refusal, and another room at once", async () => {
    const { run, errors } = await open();
    await run(`
      seen = [];
      Recorder = ({ name }) => { const { state, error } = useRoom(name); seen.push([name, state, error?.reason]); };
      app = (...names) => h(HubProvider, { url, options: { reconnect: { minDelay: 1, maxDelay: 1 } } }, names.map((name, key) => h(Recorder, { key, name })));
      render(app("tea"));
      states = () => seen.filter((each, index) => String(each) !== String(seen[index - 1]));
    `);
    await expect
      .poll(() => run("states()"))
      .toEqual([
        ["tea", "joining", undefined],
        ["tea", "joined", undefined],
      ]);
    const opened = createDeferred();
    gate = opened.promise;
    for (const socket of hub.sockets.values()) socket.close(4150, "one moment");
    await expect.poll(() => heard.filter((each) => each === "join tea").length).toBeGreaterThan(1);
    expect(await run("states().at(-1)[1]")).toBe("joining");
    opened.resolve();
    await expect.poll(() => run("states().at(-1)[1]")).toBe("joined");

    await run(`seen.length = 0; render(app("cellar"))`);
    await expect
      .poll(() => run("states()"))
      .toEqual([
        ["cellar", "joining", undefined],
        ["cellar", "refused", "locked"],
      ]);
    const asked = heard.length;
    for (const socket of hub.sockets.values()) socket.close(4150, "one moment");
    await expect.poll(() => heard.slice(asked)).toHaveLength(2);
    expect(await run("states().at(-1)[1]")).toBe("refused");
    expect(heard.slice(asked)).not.toContain("join cellar");
    await run(`render(app(""))`);
    await expect.poll(() => run("seen.at(-1).slice(0, 2)")).toEqual(["", "refused"]);
    expect(errors).toEqual([]);
  });

  test("useRoom goes on when the server does not answer in time, and after the client was closed", async () => {
    const { page, run, errors } = await open();
    const answered = createDeferred();
    gate = answered.promise;
    await page.clock.install();
    await run(`
      render(h(HubProvider, { url }, h(Room, { name: "tea" }), h(Opener)));
    `);
    await expect.poll(() => heard).toContain("join tea");
    await page.clock.runFor(10_000);
    expect(await run("shown.tea.state")).toBe("joining");
    answered.resolve();
    await expect.poll(() => run("shown.tea.state")).toBe("joined");

    await run("shown.hub.close()");
    await expect.poll(() => run("shown.tea.state")).toBe("joining");
    await expect.poll(rooms).toEqual({});
    await run("shown.hub.open()");
    await expect.poll(() => run("shown.tea.state")).toBe("joined");
    expect(rooms()).toEqual({ tea: 1 });
    expect(errors).toEqual([]);
  });

  test("useRequest has the reply, the error, and whether one is awaited, and a rejection need not be handled", async () => {
    const { run, errors } = await open();
    await run(`
      log = [];
      Asker = ({ first }) => {
        const { send, ...state } = useRequest("say", { idempotent: true });
        log.push([state.data, state.error?.reason, state.isPending]);
        shown.send = send;
        (sends = globalThis.sends ?? new Set()).add(send);
        return h(Child, { send, first });
      };
      // Its effect comes before those of the components above it.
      Child = ({ send, first }) => useEffect(() => { if (first) void send(first); }, [send, first]);
      app = (props) => h(HubProvider, { url }, h(Asker, props));
      render(app({ first: "hello" }));
      states = () => log.filter((each, index) => String(each) !== String(log[index - 1]));
    `);
    await expect
      .poll(() => run("states()"))
      .toEqual([
        [undefined, undefined, false],
        [undefined, undefined, true],
        ["HELLO", undefined, false],
      ]);
    await run(`void shown.send("")`);
    await expect
      .poll(() => run("states().slice(3)"))
      .toEqual([
        ["HELLO", undefined, true],
        ["HELLO", "empty", false],
      ]);
    expect(await run(`shown.send("again")`)).toBe("AGAIN");
    await expect.poll(() => run("states().at(-1)")).toEqual(["AGAIN", undefined, false]);
    expect(await run("shown.send('').catch(({ reason }) => reason)")).toBe("empty");
    expect(await run("unhandled")).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("useRequest aborts what is pending when it is unmounted, and shows the latest call", async () => {
    const { run, errors } = await open();
    await run(`
      Asker = () => void (shown.slow = useRequest("slow"));
      app = (mounted) => h(HubProvider, { url }, mounted && h(Asker), h(Connection));
      render(app(true));
    `);
    await expect.poll(() => run("shown.connection.state")).toBe("open");
    const answered = createDeferred();
    gate = answered.promise;
    await run(`first = shown.slow.send(); second = shown.slow.send(); undefined`);
    await expect.poll(() => heard.filter((each) => each === "slow").length).toBe(2);
    expect(await run("shown.slow.isPending")).toBe(true);
    await run(`ends = Promise.allSettled([first, second]); render(app(false))`);
    expect(await run(`ends.then((all) => all.map(({ reason }) => reason.name))`)).toEqual(["AbortError", "AbortError"]);
    expect(await run("unhandled")).toEqual([]);
    answered.resolve();
    expect(errors).toEqual([]);
  });

  test.each(["StrictMode", "Fragment"])(
    "a Suspense boundary above the provider hides and disturbs nothing, %s",
    async (mode) => {
      const { run, errors, sockets } = await open();
      await run(`
      Mode = ${mode};
      Asker = () => void (shown.slow = useRequest("slow"));
      app = (gate) => h(Suspense, { fallback: "hidden" },
        h(HubProvider, { url }, h(Connection), h(Opener), h(Asker), h(Room, { name: "tea" })), h(Waiter, { gate }));
      render(app());
    `);
      await expect.poll(() => run("shown.tea?.state")).toBe("joined");
      const answered = createDeferred();
      gate = answered.promise;
      await run(`
      reply = shown.slow.send().then(() => "replied", String);
      gate = createGate();
      render(app(gate));
    `);
      await expect.poll(() => run("text()")).toBe("hidden");
      expect(await run(`shown.hub.request("say", "hello").catch(String)`)).toBe("HELLO");
      await run("gate.open()");
      await expect.poll(() => run("text()")).toBe("open");
      answered.resolve();
      expect(await run("reply")).toBe("replied");
      await expect.poll(() => run("shown.tea.state")).toBe("joined");
      expect(sockets).toHaveLength(1);
      expect(heard.filter((each) => each.startsWith("disconnection"))).toEqual([]);

      // The hooks go on hearing of changes, and a boundary opens nothing that the program has closed.
      await run("shown.hub.close()");
      await expect.poll(() => run("text()")).toBe("closed");
      await run("gate = createGate(); render(app(gate))");
      await expect.poll(() => run("text()")).toBe("hidden");
      await run("gate.open()");
      await expect.poll(() => run("text()")).toBe("closed");
      expect(await run("shown.hub.state")).toBe("closed");
      await run("shown.hub.open()");
      await expect.poll(() => run("text()")).toBe("open");
      await run("unmount()");
      await expect.poll(() => run("shown.hub.state")).toBe("closed");
      expect(sockets).toHaveLength(2);
      expect(errors).toEqual([]);
    },
  );

  test("a provider that is unmounted while a Suspense boundary hides it closes", async () => {
    const { run, errors } = await open();
    await run(`
      app = (gate) => h(Suspense, { fallback: "hidden" }, h(HubProvider, { url }, h(Connection), h(Opener)), h(Waiter, { gate }));
      render(app());
    `);
    await expect.poll(() => run("text()")).toBe("open");
    await run("render(app(createGate()))");
    await expect.poll(() => run("text()")).toBe("hidden");
    expect(await run("shown.hub.state")).toBe("open");
    await run("render(null)");
    await expect.poll(() => run("shown.hub.state")).toBe("closed");
    expect(errors).toEqual([]);
  });

  test("useConnection follows a client that was given, through a boundary, and the client is listened to once", async () => {
    const { run, errors } = await open();
    await run(`
      client = connect(url);
      listeners = 0;
      for (const [name, step] of [["on", 1], ["off", -1]]) {
        const original = client[name];
        client[name] = function (...args) { listeners += step; return original.apply(this, args); };
      }
      app = (gate, key = 1) => h(Suspense, { fallback: "hidden" },
        h(HubProvider, { key, client }, h(Connection)), h(Waiter, { gate }));
      render(app());
    `);
    await expect.poll(() => run("text()")).toBe("open");
    const listeners = await run("listeners");
    await run("gate = createGate(); render(app(gate))");
    await expect.poll(() => run("text()")).toBe("hidden");
    await run("gate.open()");
    await expect.poll(() => run("text()")).toBe("open");
    for (const socket of hub.sockets.values()) socket.close(4001, "go away");
    await expect.poll(() => run("text()")).toBe("closed");
    expect(await run("shown.connection.reason")).toBe("go away");
    for (let key = 2; key < 5; key++) {
      // Another provider knows the reason, too.
      await run(`shown.connection = undefined; render(app(undefined, ${key}))`);
      await expect.poll(() => run("shown.connection?.reason")).toBe("go away");
    }
    await run("client.open()");
    await expect.poll(() => run("text()")).toBe("open");
    await expect.poll(() => run("listeners")).toBe(listeners);
    expect(errors).toEqual([]);
  });

  test.runIf(version !== "18").each(["StrictMode", "Fragment"])(
    "a hidden Activity is as if it were unmounted, %s",
    async (mode) => {
      const { run, errors, sockets } = await open();
      await run(`
        Mode = ${mode};
        // The elements stay the same, so that React does not render the components anew when it shows them.
        elements = [true, false].map((start) =>
          h(HubProvider, { url, options: { start } }, h(Connection), h(Opener), h(Room, { name: "tea" })));
        app = (mode, start) => h(Activity, { mode, key: start }, elements[start ? 0 : 1]);
        render(app("visible", true));
      `);
      await expect.poll(() => run("shown.tea?.state")).toBe("joined");
      await run(`render(app("hidden", true))`);
      await expect.poll(() => run("shown.hub.state")).toBe("closed");
      expect(await run("text()")).toBe("");
      await run(`render(app("visible", true))`);
      await expect.poll(() => run("text()")).toBe("open");
      await expect.poll(() => run("shown.tea.state")).toBe("joined");
      expect(sockets).toHaveLength(2);

      await run(`render(app("visible", false))`);
      await expect.poll(() => run("text()")).toBe("closed");
      await run("shown.hub.open()");
      await expect.poll(() => run("text()")).toBe("open");
      await run(`render(app("hidden", false))`);
      await expect.poll(() => run("shown.hub.state")).toBe("closed");
      await run(`render(app("visible", false))`);
      await expect.poll(() => run("text()")).toBe("closed");
      expect(await run("shown.hub.state")).toBe("closed");
      await run("shown.hub.open()");
      await expect.poll(() => run("text()")).toBe("open");
      expect(errors).toEqual([]);
    },
  );

  test("an option that is wrong is an error for the boundary above the provider", async () => {
    const { run } = await open();
    await run(`render(h(Boundary, undefined, h(HubProvider, { url, options: { conectTimeout: 1 } }, h(Connection))))`);
    await expect.poll(() => run("shown.error?.code")).toBe("ERR_CLIENT_OPTION");
    expect(await run("shown.error.message")).toContain('"conectTimeout" must be');
  });

  test("useRoom asks once for each attempt to connect, and not in between", async () => {
    const { page, run, errors } = await open();
    await page.clock.install();
    await run(`
      joins = 0;
      client = connect(url, { reconnect: { minDelay: 86_400_000, maxDelay: 86_400_000 } });
      const { room } = client;
      client.room = (name) => {
        const made = room.call(client, name);
        const { join } = made;
        made.join = () => (joins++, join.call(made));
        return made;
      };
      render(h(HubProvider, { client }, h(Connection), h(Room, { name: "tea" })));
    `);
    await expect.poll(() => run("shown.tea?.state")).toBe("joined");
    await run("joins = 0");
    for (const socket of hub.sockets.values()) socket.close(4150, "one moment");
    await expect.poll(() => run("text()")).toBe("waiting");
    await page.clock.runFor(100_000);
    expect(await run("joins")).toBeLessThan(2);
    expect(await run("shown.tea.state")).toBe("joining");
    await run("joins = 0; client.reconnect()");
    await expect.poll(() => run("shown.tea.state")).toBe("joined");
    expect(await run("joins")).toBe(1);
    expect(rooms()).toEqual({ tea: 1 });
    expect(errors).toEqual([]);
  });

  test("useRequest begins anew with another event or client, and aborts what is pending", async () => {
    const { run, errors } = await open();
    await run(`
      Asker = ({ event }) => { shown.asker = useRequest(event); return (({ data, error, isPending }) => JSON.stringify([data, error?.message, isPending]))(shown.asker); };
      app = (event, at = url) => h(HubProvider, { url: at }, h(Asker, { event }), h(Opener));
      render(app("say"));
    `);
    const fresh = "[null,null,false]";
    await expect.poll(() => run("text()")).toBe(fresh);
    await run(`shown.asker.send("hello")`);
    await expect.poll(() => run("text()")).toBe('["HELLO",null,false]');
    const answered = createDeferred();
    gate = answered.promise;
    await run(`render(app("slow"))`);
    await expect.poll(() => run("text()")).toBe(fresh);
    await run(`first = shown.asker.send().catch(({ name }) => name); undefined`);
    await expect.poll(() => run("text()")).toBe("[null,null,true]");
    await run(`render(app("say"))`);
    expect(await run("first")).toBe("AbortError");
    await expect.poll(() => run("text()")).toBe(fresh);

    await run(`render(app("slow"))`);
    await expect.poll(() => run("text()")).toBe(fresh);
    await run(`before = shown.hub; second = shown.asker.send().catch(({ code }) => code); undefined`);
    await expect.poll(() => run("text()")).toBe("[null,null,true]");
    await run(`render(app("slow", url + "/?second"))`);
    expect(await run("second")).toBe("ERR_CLIENT_CLOSED");
    await expect.poll(() => run("before.state")).toBe("closed");
    await expect.poll(() => run("text()")).toBe(fresh);
    answered.resolve();
    expect(await run(`shown.asker.send().then(() => "replied")`)).toBe("replied");
    await expect.poll(() => run("text()")).toBe(fresh);
    expect(await run("unhandled")).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("useRequest sends what is asked for after the component was unmounted", async () => {
    const { run, errors } = await open();
    await run(`
      Asker = () => { shown.say = useRequest("say"); return "asker"; };
      render(h(HubProvider, { url }, h(Asker)));
    `);
    await expect.poll(() => run("text()")).toBe("asker");
    await run(`render(h(HubProvider, { url }))`);
    await expect.poll(() => run("text()")).toBe("");
    expect(await run(`shown.say.send("bye")`)).toBe("BYE");
    expect(errors).toEqual([]);
  });

  test("the example of rooms in REACT.md never shows a room the history of another", async () => {
    const opened = createDeferred();
    hub.handle("history", async ({ room }: { readonly room: string }) => {
      heard.push(`history ${room}`);
      if (room === "b") await opened.promise;
      return `history of ${room}`;
    });
    const { run, errors } = await open();
    await run(`
      app = (name) => h(HubProvider, { url }, h(Documented, { name }));
      render(app("a"));
    `);
    await expect.poll(() => run("text()")).toBe('joined: "history of a"');
    await run(`render(app("b"))`);
    await expect.poll(() => heard).toContain("history b");
    expect(await run("text()")).toBe("joined: undefined");
    opened.resolve();
    await expect.poll(() => run("text()")).toBe('joined: "history of b"');
    expect(errors).toEqual([]);
  });

  test("a hook without a provider says so", async () => {
    const { run, errors } = await open();
    await run(`
      render(h(Boundary, undefined, h(Connection)));
    `);
    await expect.poll(() => run("shown.error?.code")).toBe("ERR_CLIENT_ARGUMENT");
    expect(await run("shown.error.message")).toBe("There is no HubProvider above this component.");
    expect(errors).not.toEqual([]);
  });

  test.each([
    ["and connects then", "{ url }"],
    ["also by a client that is connected already", "{ client }"],
  ])("what a server has rendered is taken over without a difference, %s", async (_, props) => {
    html = renderToString(createElement(HubProvider, { url: "/socket" }, createElement(Status)));
    expect(html).toBe("connecting joining");
    const { page, run, errors } = await open();
    await run(`client = connect(url); client.request("say", "ready")`);
    await run(`
      Status = () => \`\${useConnection().state} \${useRoom("tea").state}\`;
      hydrateRoot(document.getElementById("hydrated"), strict(h(HubProvider, ${props}, h(Status))));
    `);
    await page.getByText("open joined", { exact: true }).waitFor();
    expect(heard).toContain("join tea");
    expect(errors).toEqual([]);
  });
});
