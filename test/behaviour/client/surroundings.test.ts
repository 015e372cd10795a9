import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, StateChange } from "roomcast/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openClient, reached, startClient, startServer } from "../../support/clients.ts";
import type { ScriptedServer } from "../../support/scripted-server.ts";

const PATIENT = { minDelay: 1_000_000, maxDelay: 1_000_000, stableAfter: 0 } as const;

/**
 * What a browser has beside the WebSocket. The real one is in `bundle.test.ts`. There `visibilitychange` is fired at the
 * document, and reaches the page.
 */
let page: EventTarget;
let screen: { visibilityState: string };

beforeEach(() => {
  page = new EventTarget();
  screen = { visibilityState: "visible" };
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.stubGlobal("document", screen);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("the client gives its connection up when the network goes, and reconnects at once when it returns", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  page.dispatchEvent(new Event("offline"));
  expect(client.state).toBe("waiting");
  expect(await change).toMatchObject({ state: "waiting", code: 1006 });
  await peer.closed;
  page.dispatchEvent(new Event("online"));
  await server.admit();
  await reached(client, "open");
  expect(client.state).toBe("open");
});

test("the client reconnects at once when the page becomes visible, and hiding the page changes nothing", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  const waiting = reached(client, "waiting");
  peer.cut();
  await waiting;
  screen.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(client.state).toBe("waiting");
  screen.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(client.state).toBe("connecting");
  await server.admit();
  await reached(client, "open");
});

test("a dead connection is found at once when the page becomes visible after a sleep", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const open = reached(client, "open");
  const peer = await server.admit({ heartbeat: 1_000_000, timeout: 1_000_000 });
  await open;
  peer.freeze();
  // As if the machine had slept: time has passed, and no timer has fired.
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
  // A delay that has passed is none: Node.js would warn of a negative one.
  const timers = vi.spyOn(globalThis, "setTimeout");
  page.dispatchEvent(new Event("visibilitychange"));
  expect(timers.mock.calls.map(([, delay]) => delay)).toEqual([0]);
  const again = await server.admit();
  await reached(client, "open");
  expect(await again.rest()).toEqual([]);
});

test("the wait that the server asked for is not cut short", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  const waiting = reached(client, "waiting");
  peer.send({ event: "hub:bye", data: { reconnect: true, after: 1_000_000 } });
  peer.close(1001);
  await waiting;
  page.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(new Event("online"));
  expect(client.state).toBe("waiting");
  expect(server.url).toContain("127.0.0.1");
});

function listening(): number {
  const types = ["online", "offline", "pagehide", "pageshow", "visibilitychange"];
  return types.flatMap((type) => getEventListeners(page, type)).length;
}

test("no listener stays on the page once the client is closed, by either end", async () => {
  const { client } = await openClient();
  expect(listening()).toBe(5);
  await client.close();
  expect(listening()).toBe(0);
  const second = await openClient();
  expect(listening()).toBe(5);
  const closed = reached(second.client, "closed");
  second.peer.close(4_000);
  await closed;
  expect(listening()).toBe(0);
});

/** An event of a page that the browser puts into its cache, or takes out of it. */
function transition(type: "pagehide" | "pageshow", persisted: boolean): Event {
  return Object.assign(new Event(type), { persisted });
}

test.each([
  ["online", () => page.dispatchEvent(new Event("online"))],
  ["visible", () => page.dispatchEvent(new Event("visibilitychange"))],
  ["shown again", () => page.dispatchEvent(transition("pageshow", true))],
])("when the page is %s, an attempt that hangs is given up for another", async (_, happen) => {
  const server = await startServer();
  const client = startClient(server.url, { reconnect: PATIENT });
  const silent = await server.accept();
  await silent.next();
  happen();
  await server.admit();
  await reached(client, "open");
  expect(await silent.closed).toMatchObject({ code: expect.any(Number) });
});

test("a page that was just loaded does not begin anew", async () => {
  const server = await startServer();
  const client = startClient(server.url, { reconnect: PATIENT });
  const peer = await server.accept();
  await peer.next();
  page.dispatchEvent(transition("pageshow", false));
  peer.welcome();
  await reached(client, "open");
  expect(await peer.rest()).toEqual([]);
});

test("a page that is put away closes its connection, and connects again when it is taken out", async () => {
  const { server, client, peer } = await openClient({ reconnect: PATIENT });
  const joined = client.join("tea");
  peer.send({ reply: (await peer.asked()).id });
  await joined;
  // The wait that a server once asked for is over.
  peer.send({ event: "hub:bye", data: { reconnect: true, after: 1 } });
  peer.close(1001);
  const second = await server.admit();
  await reached(client, "open");
  client.emit("last", 1);
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  page.dispatchEvent(transition("pagehide", true));
  expect(await change).toMatchObject({
    state: "waiting",
    previous: "open",
    code: 1006,
    reason: "The network or page was lost.",
  });
  await second.closed;
  page.dispatchEvent(transition("pageshow", true));
  const third = await server.admit();
  await reached(client, "open");
  expect(await third.rest()).toMatchObject([{ event: "hub:join", data: { rooms: ["tea"] } }]);
});

/** Puts the page away and takes it out again. Returns how many connections it made meanwhile. */
async function connectionsWhileAway(
  server: ScriptedServer,
  client: Client,
  meanwhile = (): void => {},
): Promise<number> {
  let accepted = 0;
  const admit = async (): Promise<void> => {
    const peer = await server.accept();
    accepted++;
    await peer.next();
    peer.welcome();
  };
  const admitted = admit();
  page.dispatchEvent(transition("pagehide", true));
  meanwhile();
  // Far longer than the longest wait between two attempts of this client.
  await sleep(100);
  const count = accepted;
  page.dispatchEvent(transition("pageshow", true));
  await Promise.all([admitted, reached(client, "open")]);
  return count;
}

test("a page that is put away while it connects makes no connection until it is taken out", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  await server.accept();
  expect(await connectionsWhileAway(server, client)).toBe(0);
});

test("a page that is put away while it is connected makes no connection until it is taken out", async () => {
  const { server, client } = await openClient();
  expect(await connectionsWhileAway(server, client)).toBe(0);
});

test("a page that is put away while it waits for credentials makes no connection until it is taken out", async () => {
  const server = await startServer();
  const asked: ((credentials: string) => void)[] = [];
  // Only the first attempt has to wait for them.
  const auth = (): unknown => (asked.length > 0 ? "token" : new Promise((resolve) => asked.push(resolve)));
  const client = startClient(server.url, { auth });
  await expect.poll(() => asked.length).toBe(1);
  expect(await connectionsWhileAway(server, client, () => asked[0]?.("late"))).toBe(0);
});

test("with `reconnect: false` a page that is put away closes the client", async () => {
  const { client, peer } = await openClient({ reconnect: false });
  page.dispatchEvent(transition("pagehide", true));
  expect(client.state).toBe("closed");
  await peer.closed;
});
