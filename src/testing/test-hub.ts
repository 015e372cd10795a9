import type { HubTypes } from "../event-types.ts";
import type { ErrorContext } from "../hub/events.ts";
import { Hub } from "../hub/hub.ts";
import type { HubOptions } from "../hub/options.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import type { Socket } from "../hub/socket.ts";
import { memory, type MemoryTransport } from "../transports/memory/index.ts";
import type { MemoryWebSocket } from "../transports/memory/web-socket.ts";
import { settle } from "./settle.ts";
import { TestClient } from "./test-client.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What a hub under test is made with. */
export interface TestHubBasis {
  readonly transport: MemoryTransport;
  readonly clock: VirtualClock;
}

/** {@link HubOptions}, but for those that the test hub sees to itself. */
export type TestHubOptions<T extends HubTypes = HubTypes> = Omit<HubOptions<T>, keyof TestHubBasis>;

/** How a test client connects. */
export interface TestConnectOptions {
  /** Path and query. Default: `/`. */
  readonly url?: string;
  /** Added to `host: test`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `127.0.0.1`. */
  readonly remoteAddress?: string;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** What the client speaks. Default: the `codec` of the options, or JSON. */
  readonly codec?: Codec;
}

/** What the hub's `error` event told. */
export interface TestFailure<T extends HubTypes = HubTypes> {
  readonly error: unknown;
  readonly context: ErrorContext<T>;
}

/** The class of `TestHub.WebSocket`: it takes what the browser's takes. */
export type TestWebSocketConstructor = new (
  url: string | URL,
  protocols?: string | readonly string[],
) => MemoryWebSocket & { binaryType: string };

const HOST = "test";

/**
 * A hub in memory whose time stands still until the test moves it.
 *
 * @param setUp - options of the hub, or a function that makes it, where the application has one.
 * @example
 * const stage = createTestHub();
 * stage.hub.handle("sum", ({ a, b }) => a + b);
 * const client = await stage.connect();
 * assert.equal(await client.request("sum", { a: 1, b: 2 }), 3);
 * await stage.close();
 */
export function createTestHub<T extends HubTypes = HubTypes>(
  setUp: TestHubOptions<T> | ((basis: TestHubBasis) => Hub<T>) = {},
): TestHub<T> {
  const basis = { transport: memory(), clock: new VirtualClock() };
  if (typeof setUp === "function") return new TestHub(setUp(basis), basis, jsonCodec);
  return new TestHub(new Hub<T>({ ...setUp, ...basis }), basis, setUp.codec ?? jsonCodec);
}

/** A hub in memory, its time, and the way in for its clients. Made by {@link createTestHub}. */
export class TestHub<T extends HubTypes = HubTypes> implements TestHubBasis, AsyncDisposable {
  readonly hub: Hub<T>;
  readonly transport: MemoryTransport;
  /** The hub's time; not that of library clients, which have timers of their own. */
  readonly clock: VirtualClock;
  /** What reached the hub's `error` event so far, so that a test can see that nothing did. */
  readonly errors: readonly TestFailure<T>[];
  /** For library clients: `connect("ws://test/", { WebSocket: stage.WebSocket })`. */
  readonly WebSocket: TestWebSocketConstructor;
  readonly #codec: Codec;
  readonly #clients: TestClient<T>[] = [];
  /** By the headers of their handshakes, which are an object of its own for each connection. */
  readonly #sockets = new WeakMap<object, Socket<T>>();

  /** @internal */
  constructor(hub: Hub<T>, { transport, clock }: TestHubBasis, codec: Codec) {
    this.hub = hub;
    this.transport = transport;
    this.clock = clock;
    this.#codec = codec;
    this.WebSocket = createWebSocketClass(transport);
    const errors: TestFailure<T>[] = [];
    this.errors = errors;
    hub.on("error", (error, context) => errors.push({ error, context }));
    hub.on("connection", (socket) => this.#sockets.set(socket.handshake.headers, socket));
  }

  /**
   * Connects a plain client. It is open then, and has received what the hub sends to begin with.
   *
   * @throws {TestRefusal} as a rejection, when the hub does not let it in.
   */
  async connect(options: TestConnectOptions = {}): Promise<TestClient<T>> {
    const { url, headers: given = {}, remoteAddress = "127.0.0.1", protocols = [], codec = this.#codec } = options;
    const headers = withHost(HOST, given);
    const webSocket = this.transport.connect(url, { headers, remoteAddress, protocols });
    const client = new TestClient<T>(webSocket, codec, () => this.#sockets.get(headers));
    this.#clients.push(client);
    await client.opened;
    await settle();
    return client;
  }

  /**
   * Resolves when everything that goes on in memory has run to its end: what did not arrive by then is not coming. Real
   * input and output, such as files and databases, is not waited for.
   */
  settle(): Promise<void> {
    return settle();
  }

  /** Closes the hub and with it all clients, stalled ones as well. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.resume();
    await this.hub.close();
    await settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Names are lower-case, as a hub sees them. */
function withHost(host: string, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries([["host", host], ...entries]);
}

/** A function that returns an object can be called with `new`: the transport makes the sockets. */
function createWebSocketClass(transport: MemoryTransport): TestWebSocketConstructor {
  function WebSocket(address: string | URL, protocols: string | readonly string[] = []): MemoryWebSocket {
    const { host, pathname, search } = new URL(address);
    const options = { headers: withHost(host, {}), protocols: [protocols].flat() };
    return Object.assign(transport.connect(pathname + search, options), { binaryType: "arraybuffer" });
  }
  return WebSocket as unknown as TestWebSocketConstructor;
}
