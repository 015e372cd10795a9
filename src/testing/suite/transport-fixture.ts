import { Buffer } from "node:buffer";
import type {
  Connection,
  FrameSequence,
  Transport,
  TransportHandlers,
  TransportSettings,
  UpgradeDecision,
  UpgradeInfo,
} from "../../transports/transport.ts";
import { Frame } from "../../transports/frame.ts";
import { Inbox } from "../inbox.ts";
import type { RawClient } from "../raw-client.ts";
import type { SuiteClient, SuiteConnectOptions } from "../suite-client.ts";
import type { TransportSubject } from "../transport-subject.ts";

/**
 * A call of one of the {@link TransportHandlers}. Calls of `drain` are kept apart, because their number varies, and
 * calls of `gone`, because the time varies that TCP needs to end.
 */
export type TransportEvent =
  | { readonly type: "open"; readonly connection: Connection; readonly context: unknown }
  | { readonly type: "message"; readonly connection: Connection; readonly data: string | Buffer }
  | { readonly type: "ping" | "pong" | "overflow"; readonly connection: Connection }
  | { readonly type: "close"; readonly connection: Connection; readonly code: number; readonly reason: string };

export const ACCEPT: UpgradeDecision = { accept: true, protocol: "", context: undefined };

/** A call of `gone`. */
interface Gone {
  readonly connection: Connection;
  /** Whether `close` was called before. */
  readonly isClosed: boolean;
}

/** A listening transport whose handlers are the test's instead of a hub's, and its clients. */
export class TransportFixture {
  readonly transport: Transport;
  readonly events: Inbox<TransportEvent> = new Inbox<TransportEvent>();
  readonly drains: Inbox<Connection> = new Inbox<Connection>();
  readonly gone: Inbox<Gone> = new Inbox<Gone>();
  /** The decision on upgrades. A test may replace it. Default: every client is accepted. */
  upgrade: (info: UpgradeInfo) => UpgradeDecision | Promise<UpgradeDecision> = () => ACCEPT;
  readonly #subject: TransportSubject;
  readonly #settings: TransportSettings;
  readonly #clients: (SuiteClient | RawClient)[] = [];
  #port = 0;

  static async open(subject: TransportSubject, settings: Partial<TransportSettings>): Promise<TransportFixture> {
    const fixture = new TransportFixture(subject, settings);
    const { port } = await fixture.transport.listen({ host: "127.0.0.1" });
    fixture.#port = port;
    return fixture;
  }

  private constructor(subject: TransportSubject, settings: Partial<TransportSettings>) {
    this.#subject = subject;
    this.#settings = {
      path: undefined,
      maxMessageBytes: 65_536,
      maxBufferedBytes: 1024 * 1024,
      compression: subject.compression ?? false,
      handshakeTimeout: 10_000,
      maxConnections: undefined,
      ...settings,
    };
    this.transport = this.another();
  }

  get port(): number {
    return this.#port;
  }

  /** Creates one more transport, which does not listen. */
  another(): Transport {
    const transport = this.#subject.create();
    const closed = new Set<Connection>();
    const handlers: TransportHandlers = {
      upgrade: (info) => this.upgrade(info),
      open: (connection, context) => this.events.push({ type: "open", connection, context }),
      message: (connection, data, isBinary) => {
        // The bytes are lent: they are copied, as the hub copies what it keeps.
        this.events.push({ type: "message", connection, data: isBinary ? Buffer.from(data) : data.toString() });
      },
      overflow: (connection) => this.events.push({ type: "overflow", connection }),
      ping: (connection) => this.events.push({ type: "ping", connection }),
      pong: (connection) => this.events.push({ type: "pong", connection }),
      drain: (connection) => this.drains.push(connection),
      ending: () => {},
      close: (connection, code, reason) => {
        closed.add(connection);
        this.events.push({ type: "close", connection, code, reason });
      },
      gone: (connection) => this.gone.push({ connection, isClosed: closed.has(connection) }),
      error: (error) => {
        throw error;
      },
    };
    transport.start(handlers, this.#settings);
    return transport;
  }

  /** Begins to connect a client, and does not wait for it. */
  dial(options: SuiteConnectOptions = {}): SuiteClient {
    const client = this.#subject.connect(this.transport, this.#port, options);
    this.#clients.push(client);
    return client;
  }

  /** Opens a TCP connection and sends nothing. */
  async dialRaw(): Promise<RawClient> {
    const client = (await this.#subject.connectRaw?.(this.#port)) as RawClient;
    this.#clients.push(client);
    return client;
  }

  /** Connects a client. The next event must be its `open`. */
  async connect(options?: SuiteConnectOptions): Promise<{ client: SuiteClient; connection: Connection }> {
    const client = this.dial(options);
    await client.opened;
    const { connection } = (await this.events.next()) as TransportEvent;
    return { client, connection };
  }

  /** Breaks the connections of all clients, and destroys the transport. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.vanish();
    await this.transport.destroy();
  }
}

/** Creates a sequence of frames for `connection.write`, as a hub does. */
export function sequence(...messages: readonly (string | Uint8Array)[]): FrameSequence {
  const frames = messages.map((message) => new Frame(message));
  const bytes = Buffer.concat(frames.map((frame) => frame.bytes));
  return { frames, bytes, byteLength: bytes.length };
}
