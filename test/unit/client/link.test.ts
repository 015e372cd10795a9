import type { StateChange } from "roomcast/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { json } from "../../../src/client/json.ts";
import { Link } from "../../../src/client/link.ts";
import { ClientListeners } from "../../../src/client/listeners.ts";
import type { Patience } from "../../../src/client/patience.ts";
import type { WebSocketLike } from "../../../src/client/web-socket.ts";
import { openClient, reached, startClient, startServer } from "../../support/clients.ts";

/** As if the machine had slept: the clocks have moved, and no timer has fired. */
let sleep: (ms: number) => void;

/** A connection without a network, for fake clocks. */
class SilentWebSocket implements WebSocketLike {
  static last: SilentWebSocket | undefined;
  readonly readyState = 1;
  binaryType = "";
  onopen: WebSocketLike["onopen"] = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onerror: WebSocketLike["onerror"] = null;
  onclose: WebSocketLike["onclose"] = null;

  constructor() {
    SilentWebSocket.last = this;
  }

  send(): void {}

  close(): void {}
}

const ignore = (): void => {};

/** Opens a connection that counts as dead after this time without a message. */
function openLink(limit: number, state: Patience, lost: () => void): Link & { heard(): void } {
  const parts = Object.assign(state, { WebSocket: SilentWebSocket, codec: json, url: "ws://localhost" });
  const link = new Link(parts, "hello", new ClientListeners(), {
    welcome: ignore,
    event: ignore,
    reply: ignore,
    ended: lost,
  });
  const { last } = SilentWebSocket;
  const hear = (packet: object): void => last?.onmessage?.({ data: JSON.stringify(packet) });
  hear({ event: "hub:welcome", data: { id: "id", protocol: 1, heartbeat: limit, timeout: 0 } });
  return Object.assign(link, { heard: () => hear({ event: "news" }) });
}

describe("the deadline", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    let slept = 0;
    sleep = (ms) => {
      slept += ms;
    };
    const clocks = [Date.now.bind(Date), performance.now.bind(performance)] as const;
    vi.spyOn(Date, "now").mockImplementation(() => clocks[0]() + slept);
    vi.spyOn(performance, "now").mockImplementation(() => clocks[1]() + slept);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test("passes one turn after nothing was heard for that long", () => {
    const lost = vi.fn<() => void>();
    expect(openLink(1_000, { patience: 1 }, lost)).toBeDefined();
    vi.advanceTimersByTime(999);
    expect(lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(lost).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("moves with every message, without a timer for each", () => {
    const lost = vi.fn<() => void>();
    const link = openLink(1_000, { patience: 1 }, lost);
    const setTimeouts = vi.spyOn(globalThis, "setTimeout");
    for (let n = 0; n < 100; n++) {
      vi.advanceTimersByTime(100);
      link.heard();
    }
    expect(setTimeouts.mock.calls.length).toBeLessThan(30);
    vi.advanceTimersByTime(999);
    expect(lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(lost).toHaveBeenCalledOnce();
  });

  test("waits after a sleep until what arrived meanwhile has been read", () => {
    const lost = vi.fn<() => void>();
    const link = openLink(1_000, { patience: 1 }, lost);
    sleep(3_600_000);
    link.check();
    expect(lost).not.toHaveBeenCalled();
    link.heard();
    vi.advanceTimersByTime(999);
    expect(lost).not.toHaveBeenCalled();
    sleep(3_600_000);
    link.check();
    vi.advanceTimersByTime(1);
    expect(lost).toHaveBeenCalledOnce();
  });

  test.each([3_600_000, -3_600_000])("is the same when the wall clock is set by %d ms", (step) => {
    const lost = vi.fn<() => void>();
    const link = openLink(1_000, { patience: 1 }, lost);
    vi.advanceTimersByTime(500);
    vi.setSystemTime(Date.now() + step);
    link.check();
    vi.advanceTimersByTime(499);
    expect(lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(lost).toHaveBeenCalledOnce();
  });

  test("that is longer than a timer can wait does not keep the processor busy", () => {
    const lost = vi.fn<() => void>();
    const setTimeouts = vi.spyOn(globalThis, "setTimeout");
    const link = openLink(2 ** 32, { patience: 1 }, lost);
    for (const [, ms] of setTimeouts.mock.calls) expect(ms).toBeLessThan(2 ** 31);
    link.drop();
    expect(setTimeouts).toHaveBeenCalledOnce();
  });

  test("is twice as far away after each connection on which it has passed, up to eight times", () => {
    const state = { patience: 1 };
    for (const limit of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      const lost = vi.fn<() => void>();
      const link = openLink(1_000, state, lost);
      // What comes early proves nothing.
      vi.advanceTimersByTime(100);
      link.heard();
      vi.advanceTimersByTime(limit - 1);
      expect(lost).not.toHaveBeenCalled();
      vi.advanceTimersByTime(2);
      expect(lost).toHaveBeenCalledOnce();
    }
    expect(state.patience).toBe(8);
  });

  test("is the usual one again on a connection that has lasted and is not silent", () => {
    const state = { patience: 4 };
    const lost = vi.fn<() => void>();
    const link = openLink(1_000, state, lost);
    link.check();
    expect(state.patience).toBe(4);
    vi.advanceTimersByTime(3_500);
    link.heard();
    vi.advanceTimersByTime(500);
    expect(state.patience).toBe(1);
    vi.advanceTimersByTime(499);
    expect(lost).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(lost).toHaveBeenCalledOnce();
  });

  test("never passes when it is stopped", () => {
    const link = openLink(1_000, { patience: 1 }, () => {});
    link.drop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("a ping is answered", async () => {
  const { peer } = await openClient();
  peer.send({ event: "hub:ping" });
  expect(await peer.next()).toEqual({ event: "hub:pong" });
});

test("a connection on which nothing arrives is given up without the server's help", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const changes: StateChange[] = [];
  client.on("hub:state", (change) => changes.push(change));
  const peer = await server.admit({ heartbeat: 20, timeout: 10 });
  peer.freeze();
  const next = await server.admit();
  await reached(client, "open");
  expect(changes.map(({ state }) => state)).toEqual(["open", "waiting", "connecting", "open"]);
  expect(changes[1]).toMatchObject({ code: 1006, reason: expect.any(String) });
  expect(await next.rest()).toEqual([]);
});

test("any message keeps a connection alive", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const peer = await server.admit({ heartbeat: 60, timeout: 40 });
  // Each pong takes a way there and back, and each ping is a sign of life.
  const end = Date.now() + 300;
  while (Date.now() < end) {
    peer.send({ event: "hub:ping" });
    expect(await peer.next()).toEqual({ event: "hub:pong" });
  }
  expect(client.state).toBe("open");
});
