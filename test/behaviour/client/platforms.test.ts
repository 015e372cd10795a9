import type { Client, StateChange, WebSocketConstructor, WebSocketLike } from "roomcast/client";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { openClient, reached, rejection, startClient, startServer } from "../../support/clients.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

type Handler = (event: object) => void;

/**
 * Makes a class of WebSockets that fire their events as a platform does: `undefined` for an event that it leaves out.
 *
 * @param protocol - the subprotocol that was agreed on; older versions of React Native do not tell it.
 */
function imitate(
  events: (type: "open" | "error" | "close", event: object) => object | undefined,
  protocol?: string,
): WebSocketConstructor {
  return class Imitation implements WebSocketLike {
    readonly #socket: WebSocket;
    onopen: Handler | null = null;
    onmessage: Handler | null = null;
    onerror: Handler | null = null;
    onclose: Handler | null = null;
    readonly protocol = protocol;

    constructor(url: string, protocols: string[]) {
      const socket = new WebSocket(url, protocols);
      this.#socket = socket;
      socket.addEventListener("open", () => this.#fire("open", {}));
      socket.addEventListener("message", ({ data }) => this.onmessage?.({ data }));
      socket.addEventListener("error", ({ message }) => this.#fire("error", { message }));
      socket.addEventListener("close", ({ code, reason }) => this.#fire("close", { code, reason }));
    }

    get readyState(): number {
      return this.#socket.readyState;
    }

    get binaryType(): string {
      return this.#socket.binaryType;
    }

    set binaryType(type) {
      this.#socket.binaryType = type as "arraybuffer";
    }

    send(data: string | Uint8Array): void {
      this.#socket.send(data);
    }

    close(code?: number, reason?: string): void {
      this.#socket.close(code, reason);
    }

    #fire(type: "open" | "error" | "close", event: object): void {
      const imitation = events(type, event);
      if (imitation !== undefined) this[`on${type}`]?.(imitation);
    }
  };
}

const isLost = (event: object): boolean => "code" in event && event.code === 1006;

/** What each of them does otherwise than the standard says; everything else is as the standard says. */
const PLATFORMS: Readonly<Record<string, WebSocketConstructor>> = {
  "Deno, which reports the code 0 after a lost connection": imitate((type, event) =>
    type === "close" && isLost(event) ? { code: 0, reason: "" } : event,
  ),
  "React Native, which reports neither code nor reason of a lost connection": imitate((type, event) =>
    type === "close" && isLost(event) ? {} : event,
  ),
  "a platform whose code is null": imitate((type, event) =>
    type === "close" && isLost(event) ? { code: null, reason: null } : event,
  ),
  "a platform whose code is not one of a close frame": imitate((type, event) =>
    type === "close" && isLost(event) ? { code: 5_006, reason: "" } : event,
  ),
  "Node.js 22, which fires no close after an error": imitate((type, event) =>
    type === "close" && isLost(event) ? undefined : event,
  ),
};

describe.each(Object.entries(PLATFORMS))("on %s,", (name, platform) => {
  test.runIf(!name.includes("fires no close"))(
    "a lost connection is 1006, after which the client reconnects",
    async () => {
      const { server, client, peer } = await openClient({ WebSocket: platform });
      const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
      peer.cut();
      expect(await change).toMatchObject({ state: "waiting", code: 1006, reason: "The connection was lost." });
      await server.admit();
      await reached(client, "open");
    },
  );

  test("a connection that cannot be opened is over at once", async () => {
    const client = startClient("ws://127.0.0.1:1", { WebSocket: platform, connectTimeout: 1_000_000 });
    const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
    expect(await change).toMatchObject({
      state: "waiting",
      code: 1006,
      reason: expect.stringContaining("Nothing listens"),
    });
  });

  test("the server's code counts as it is", async () => {
    const { client, peer } = await openClient({ WebSocket: platform });
    const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
    peer.close(4_003, "kicked");
    expect(await change).toMatchObject({ state: "closed", code: 4_003, reason: "kicked" });
  });

  test("the client closes with its own code", async () => {
    const { client, peer } = await openClient({ WebSocket: platform });
    await client.close(4_321, "enough");
    expect(await peer.closed).toEqual({ code: 4_321, reason: "enough" });
  });
});

/** What every WebSocket has that has not opened. */
class Unopened {
  readyState = 0;
  binaryType = "blob";
  onopen: Handler | null = null;
  onmessage: Handler | null = null;
  onerror: Handler | null = null;
  onclose: Handler | null = null;
}

/** Makes a class of WebSockets that never get through and are closed as a platform closes them. */
function closing(close: (socket: WebSocketLike) => void): WebSocketConstructor {
  return class Unanswered extends Unopened implements WebSocketLike {
    send(): void {
      throw new Error("It is not open.");
    }

    close(): void {
      if (this.readyState > 1) return;
      this.readyState = 2;
      close(this);
    }
  };
}

const fire = (socket: WebSocketLike, type: "onerror" | "onclose", event: object): void =>
  (socket[type] as Handler | null)?.(event);

test.each([
  ["Node.js 22, which fires an error within `close()`", closing((socket) => fire(socket, "onerror", {}))],
  [
    "Node.js 24, which fires an error and a close within `close()`",
    closing((socket) => {
      fire(socket, "onerror", {});
      fire(socket, "onclose", { code: 1006, reason: "" });
    }),
  ],
])("closing while connecting is one change, and resolves, on %s", async (_, platform) => {
  const client = startClient("ws://127.0.0.1:1", { WebSocket: platform });
  const changes: StateChange[] = [];
  client.on("hub:state", (change) => changes.push(change));
  await new Promise(setImmediate);
  await client.close(4_321, "enough");
  expect(changes).toEqual([{ state: "closed", previous: "connecting", code: 4_321, reason: "enough" }]);
});

/** A WebSocket that no `close` keeps from opening before it is open, as in React Native. */
class Late extends Unopened implements WebSocketLike {
  static made: Late[] = [];
  readonly sent: unknown[] = [];
  isClosed = false;

  constructor() {
    super();
    Late.made.push(this);
  }

  send(message: unknown): void {
    this.sent.push(message);
  }

  close(): void {
    this.isClosed = this.readyState === 1;
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.({});
  }
}

test.each([
  ["closed", (client: Client): unknown => client.close()],
  ["replaced", (client: Client): unknown => client.reconnect()],
])("a connection that opens although it was %s is closed, and says nothing", async (_, end) => {
  Late.made = [];
  const client = startClient("ws://127.0.0.1:1", { WebSocket: Late });
  await new Promise(setImmediate);
  const ended = end(client);
  await new Promise(setImmediate);
  for (const socket of Late.made.slice(0, 1)) socket.open();
  expect(Late.made[0]).toMatchObject({ sent: [], isClosed: true });
  await ended;
});

test("what React Native says of a failure in `close` is explained", async () => {
  const platform = imitate((type, event) => {
    if (type === "error") return {};
    return isLost(event) ? { code: 1_006, reason: "Failed to connect to /127.0.0.1:1" } : event;
  });
  const client = startClient("ws://127.0.0.1:1", { WebSocket: platform, reconnect: false });
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  expect((await change).reason).toBe(
    "Nothing listens at this address: is the server running, and the port right? Failed to connect to /127.0.0.1:1",
  );
});

test("a close frame whose missing reason is null has an empty one", async () => {
  const platform = imitate((type, event) => (type === "close" ? { ...event, reason: null } : event));
  const { client, peer } = await openClient({ WebSocket: platform });
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  peer.close(4_003);
  expect(await change).toMatchObject({ code: 4_003, reason: "" });
});

test("a connection without the subprotocol that opens nevertheless, as on Deno, is explained", async () => {
  const server = await startServer();
  const platform = imitate((_, event) => event, "");
  const client = startClient(server.url, { WebSocket: platform, reconnect: false });
  const change = new Promise<StateChange>((resolve) => void client.once("hub:state", resolve));
  expect((await change).reason).toMatch(
    /^No subprotocol was agreed on: is this a roomcast hub, and does the proxy pass Sec-WebSocket-Protocol\?.*TROUBLESHOOTING/,
  );
});

test("the end is reported once where an error is followed by a close", async () => {
  const platform = imitate((_, event) => event);
  const client = startClient("ws://127.0.0.1:1", { WebSocket: platform, reconnect: false });
  const changes: StateChange[] = [];
  client.on("hub:state", (change) => changes.push(change));
  await reached(client, "closed");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(changes).toHaveLength(1);
});

test("without `crypto` an idempotent request says what it needs, and everything else works", async () => {
  const { client, peer } = await openClient();
  vi.stubGlobal("crypto", undefined);
  expect(await rejection(client.request("pay", 1, { idempotent: true }))).toMatchObject({
    code: "ERR_CLIENT_ARGUMENT",
    message: expect.stringContaining("crypto.getRandomValues"),
  });
  const reply = client.request("ask");
  peer.send({ reply: (await peer.asked()).id, data: 1 });
  expect(await reply).toBe(1);
});

test("a signal without `throwIfAborted` and without a reason aborts nevertheless", async () => {
  const { client, peer } = await openClient();
  const target = new EventTarget();
  const signal = Object.assign(target, { aborted: false }) as unknown as AbortSignal;
  const pending = rejection(client.request("ask", undefined, { signal }));
  await peer.asked();
  Object.assign(target, { aborted: true });
  target.dispatchEvent(new Event("abort"));
  for (const error of [await pending, await rejection(client.request("ask", undefined, { signal }))]) {
    expect(error).toMatchObject({ code: "ERR_CLIENT_DROPPED", message: expect.stringContaining('"ask"') });
  }
});

test("a `URL` that adds a slash, as in React Native, does not change an absolute URL", async () => {
  const server = await startServer();
  class SlashingURL {
    readonly href: string;

    constructor(url: string) {
      this.href = `${url}/`;
    }
  }
  vi.stubGlobal("URL", SlashingURL);
  startClient(`${server.url}/chat?a=b`);
  expect((await server.accept()).request.url).toBe("/chat?a=b");
});

test("the client works without `performance`, `document` and `addEventListener`", async () => {
  vi.stubGlobal("performance", undefined);
  const { server, client, peer } = await openClient();
  peer.cut();
  await server.admit();
  await reached(client, "open");
  expect(client.state).toBe("open");
});
