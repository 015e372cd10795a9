import type { HubTypes, User } from "../event-types.ts";
import type { ErrorContext } from "../hub/events.ts";
import { Hub, type Authenticated } from "../hub/hub.ts";
import type { HubOptions } from "../hub/options.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import type { Socket } from "../hub/socket.ts";
import { memory, type MemoryTransport } from "../transports/memory/index.ts";
import type { MemoryWebSocket } from "../transports/memory/web-socket.ts";
import { settle } from "./settle.ts";
import { TestClient } from "./test-client.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** The transport and the clock of a hub under test. */
export interface TestHubBasis {
  readonly transport: MemoryTransport;
  readonly clock: VirtualClock;
}

/** The options of a hub, without those that the test hub sets itself. */
export type TestHubOptions<T extends HubTypes = HubTypes> = Omit<HubOptions<T>, keyof TestHubBasis>;

/** Options of a test client. */
export interface TestConnectOptions {
  /** The path and the query. Default: `/`. */
  readonly url?: string;
  /** Headers that are added to `host: test`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address as the hub sees it. Default: `127.0.0.1`. */
  readonly remoteAddress?: string;
  /** The subprotocols that the client offers. Default: none. */
  readonly protocols?: readonly string[];
  /** The codec of the client. Default: the `codec` of the test hub's options, or JSON. */
  readonly codec?: Codec;
}

/** The arguments of the hub's `error` event. */
export interface TestFailure<T extends HubTypes = HubTypes> {
  readonly error: unknown;
  readonly context: ErrorContext<T>;
}

/** The class of `TestHub.WebSocket`, whose constructor takes the arguments of the browser's `WebSocket`. */
export type TestWebSocketConstructor = new (
  url: string | URL,
  protocols?: string | readonly string[],
) => MemoryWebSocket & { binaryType: string };

const HOST = "test";

type Create<T extends HubTypes> = (basis: TestHubBasis) => Hub<T>;

type TestHubArguments<T extends HubTypes> = T extends { user: User }
  ? [setUp: (TestHubOptions<T> & Authenticated<T>) | Create<T>]
  : [setUp?: TestHubOptions<T> | Create<T>];

/**
 * Creates a hub in memory whose time stands still until the test advances it.
 *
 * @param setUp - options of the hub, or a function of the application that creates the hub.
 * @example
 * const stage = createTestHub();
 * stage.hub.handle("sum", ({ a, b }) => a + b);
 * const client = await stage.connect();
 * assert.equal(await client.request("sum", { a: 1, b: 2 }), 3);
 * await stage.close();
 */
export function createTestHub<T extends HubTypes = HubTypes>(...[setUp = {}]: TestHubArguments<T>): TestHub<T> {
  const basis = { transport: memory(), clock: new VirtualClock() };
  if (typeof setUp === "function") return new TestHub(setUp(basis), basis, jsonCodec);
  // The arguments have made sure of `authenticate` already.
  const create = Hub as new (options: HubOptions<T>) => Hub<T>;
  const hub = new create({ ...(setUp as TestHubOptions<T>), ...basis });
  return new TestHub(hub, basis, setUp.codec ?? jsonCodec);
}

/** A hub in memory with a virtual clock, and its clients. Made by {@link createTestHub}. */
export class TestHub<T extends HubTypes = HubTypes> implements TestHubBasis, AsyncDisposable {
  readonly hub: Hub<T>;
  readonly transport: MemoryTransport;
  /** The clock of the hub. Library clients do not use it: they have timers of their own. */
  readonly clock: VirtualClock;
  /** The errors that the hub has reported so far. A test can check that there are none. */
  readonly errors: readonly TestFailure<T>[];
  /** A class for library clients: `connect("ws://test/", { WebSocket: stage.WebSocket })`. */
  readonly WebSocket: TestWebSocketConstructor;
  readonly #codec: Codec;
  readonly #clients: TestClient<T>[] = [];
  /** The sockets by the headers of their handshakes, which are a different object for each connection. */
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
    // Who connects in a test hears of the refusal: a warning would say the same again.
    hub.on("refusal", () => {});
    hub.on("error", (error, context) => errors.push({ error, context }));
    hub.on("connection", (socket) => this.#sockets.set(socket.handshake.headers, socket));
  }

  /**
   * Connects a plain client.
   *
   * @returns a promise of the client, which is open and has received the first messages of the hub.
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
   * Waits until everything in memory has run to its end: a message that has not arrived by then will not arrive. It
   * does not wait for real input and output, such as files and databases.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT` when there is always something left to run.
   */
  settle(): Promise<void> {
    return settle();
  }

  /** Closes the hub and with it all clients, including stalled ones. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.resume();
    await this.hub.close();
    await settle();
  }

  /** Closes the hub at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Adds a `host` header. The names become lower-case, as a hub sees them. */
function withHost(host: string, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries([["host", host], ...entries]);
}

/**
 * Creates the class for library clients. It is a function that returns the socket of the transport when called with
 * `new`.
 */
function createWebSocketClass(transport: MemoryTransport): TestWebSocketConstructor {
  function WebSocket(address: string | URL, protocols: string | readonly string[] = []): MemoryWebSocket {
    const { host, pathname, search } = new URL(address);
    const options = { headers: withHost(host, {}), protocols: [protocols].flat() };
    return Object.assign(transport.connect(pathname + search, options), { binaryType: "arraybuffer" });
  }
  return WebSocket as unknown as TestWebSocketConstructor;
}
