import { getEventListeners } from "node:events";
import type { StateChange } from "roomcast/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openClient, reached, startClient, startServer } from "../../support/clients.ts";

const PATIENT = { minDelay: 1_000_000, maxDelay: 1_000_000, stableAfter: 0 } as const;

/** What a browser has beside the WebSocket. The real one is in `bundle.test.ts`. */
let page: EventTarget;
let screen: EventTarget & { visibilityState: string };

beforeEach(() => {
  page = new EventTarget();
  screen = Object.assign(new EventTarget(), { visibilityState: "visible" });
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
  screen.dispatchEvent(new Event("visibilitychange"));
  expect(client.state).toBe("waiting");
  screen.visibilityState = "visible";
  screen.dispatchEvent(new Event("visibilitychange"));
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
  screen.dispatchEvent(new Event("visibilitychange"));
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
  screen.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(new Event("online"));
  expect(client.state).toBe("waiting");
  expect(server.url).toContain("127.0.0.1");
});

function listening(): number {
  const listeners = ["online", "offline"].flatMap((type) => getEventListeners(page, type));
  return [...listeners, ...getEventListeners(screen, "visibilitychange")].length;
}

test("no listener stays on the page once the client is closed, by either end", async () => {
  const { client } = await openClient();
  expect(listening()).toBe(3);
  await client.close();
  expect(listening()).toBe(0);
  const second = await openClient();
  expect(listening()).toBe(3);
  const closed = reached(second.client, "closed");
  second.peer.close(4_000);
  await closed;
  expect(listening()).toBe(0);
});
