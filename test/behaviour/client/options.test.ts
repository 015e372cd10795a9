import { connect, ClientError, type ConnectOptions } from "roomcast/client";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { startClient, startServer, thrown } from "../../support/clients.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The URL that a WebSocket is made for. None is: what is in the URL would be looked up. */
function resolved(url: string | URL): Promise<string> {
  return new Promise((resolve) => {
    class NoWebSocket extends WebSocket {
      constructor(given: string) {
        resolve(given);
        super("");
      }
    }
    startClient(url, { WebSocket: NoWebSocket, reconnect: false });
  });
}

/** A call that should throw; if it does not, its client must not outlive the test. */
function attempt(url: unknown, options: unknown = { WebSocket }): () => void {
  return () => {
    const client = connect(url as string, options as ConnectOptions);
    onTestFinished(() => client.close());
  };
}

test.each([
  ["WebSocket", "ws"],
  ["WebSocket", {}],
  ["codec", { encode: () => "", decode: () => undefined }],
  ["codec", { protocol: "roomcast.v1.json" }],
  ["codec", null],
  ["connectTimeout", -1],
  ["connectTimeout", "1"],
  ["connectTimeout", Number.NaN],
  ["connectTimeout", Infinity],
  ["contract", {}],
  ["reconnect", { minDelay: "1" }],
  ["reconnect", { maxDelay: 2 ** 31 }],
  ["reconnect", { minDelays: 1 }],
  ["queue", false],
  ["queue", { maxBytes: -1 }],
  ["queue", { policy: "drop" }],
  ["queue", { policies: "reject" }],
  ["conectTimeout", 1],
  ["constructor", 1],
])("%s: %j is refused by name", (name, value) => {
  const error = thrown(attempt("ws://127.0.0.1:1", { WebSocket, [name]: value }));
  expect(error).toBeInstanceOf(ClientError);
  expect(error.code).toBe("ERR_CLIENT_OPTION");
  const inner = typeof value === "object" && value !== null ? Object.keys(value) : [];
  expect([name, ...inner].some((word) => error.message.includes(word))).toBe(true);
});

test("an option that is undefined counts as absent", async () => {
  const server = await startServer();
  startClient(server.url, {
    auth: undefined,
    codec: undefined,
    contract: undefined,
    connectTimeout: undefined,
    reconnect: { minDelay: undefined },
    queue: { maxBytes: undefined, policy: undefined },
  });
  expect(await (await server.accept()).next()).toEqual({ event: "hub:hello", data: { protocol: 1 } });
});

test.each(["", "example.org", "/chat", "ftp://example.org", "ws://", 5, undefined, null, {}])(
  "%j is not a URL",
  (url) => {
    const error = thrown(attempt(url));
    expect(error).toMatchObject({ name: "ClientError", code: "ERR_CLIENT_OPTION" });
    expect(error.message).toContain("wss://");
  },
);

test.each([
  ["ws://example.org/chat?a=b", "ws://example.org/chat?a=b"],
  ["wss://example.org", "wss://example.org"],
  ["http://example.org:81/chat", "ws://example.org:81/chat"],
  ["https://example.org/http", "wss://example.org/http"],
  ["HTTPS://example.org/", "wss://example.org/"],
  ["ws://example.org/#part", "ws://example.org/"],
  [new URL("https://example.org/chat"), "wss://example.org/chat"],
])("%s means %s", async (url, expected) => {
  expect(await resolved(url)).toBe(expected);
});

test("a URL may be relative in a page", async () => {
  vi.stubGlobal("location", { href: "https://example.org/rooms/tea.html?x" });
  expect(await resolved("/socket")).toBe("wss://example.org/socket");
  expect(await resolved("socket")).toBe("wss://example.org/rooms/socket");
  expect(await resolved("//other.org/socket")).toBe("wss://other.org/socket");
});

test("the error says which WebSocket to pass where there is none", () => {
  vi.stubGlobal("WebSocket", undefined);
  const error = thrown(attempt("ws://127.0.0.1:1", {}));
  expect(error.code).toBe("ERR_CLIENT_OPTION");
  expect(error.message).toMatch(/WebSocket.*\bws\b/);
});
