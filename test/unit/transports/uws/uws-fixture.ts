import type { Connection, Transport, TransportSettings } from "../../../../src/transports/transport.ts";
import { uws } from "../../../../src/transports/uws/index.ts";
import { Inbox } from "../../../../src/testing/inbox.ts";
import { SlowReader } from "../../../support/slow-reader.ts";
import { addressOn, type Wire } from "../../../support/wires.ts";
import { onTestFinished } from "vitest";

const MIB = 1024 * 1024;

/** A speed at which a reader takes what there is. */
export const QUICK: number = 64 * MIB;

/** The extension of RFC 7692. */
export const DEFLATE: Readonly<Record<string, string>> = { "Sec-WebSocket-Extensions": "permessage-deflate" };

/** A client, and the server's end of its connection. */
export interface UwsClient {
  readonly reader: SlowReader;
  readonly connection: Connection;
}

/** The transport `uws` without a hub, and clients that read as slowly as a test wants. */
export class UwsFixture {
  readonly transport: Transport = uws();
  readonly drains: Inbox<Connection> = new Inbox<Connection>();
  readonly pongs: Inbox<Connection> = new Inbox<Connection>();
  readonly closes: Inbox<number> = new Inbox<number>();
  readonly gone: Inbox<Connection> = new Inbox<Connection>();
  /** Called for each message. A test may replace it. */
  message: (connection: Connection) => void = () => {};
  readonly #opened = new Inbox<Connection>();
  readonly #where;
  #port = 0;

  /** Opens a transport that is closed after the test. */
  static async open(wire: Wire, settings: Partial<TransportSettings> = {}): Promise<UwsFixture> {
    const fixture = new UwsFixture(wire);
    fixture.#start(settings);
    const { port } = await fixture.transport.listen(fixture.#where);
    fixture.#port = port;
    onTestFinished(() => fixture.transport.destroy(0));
    return fixture;
  }

  private constructor(wire: Wire) {
    this.#where = addressOn(wire);
  }

  /** Connects a client that reads so many bytes in a second, and is ended after the test. */
  async connect(rate: number, headers: Readonly<Record<string, string>> = {}): Promise<UwsClient> {
    const reader = await SlowReader.connect(this.#where, this.#port, { rate, headers });
    onTestFinished(() => reader.vanish());
    return { reader, connection: (await this.#opened.next()) as Connection };
  }

  #start(settings: Partial<TransportSettings>): void {
    this.transport.start(
      {
        upgrade: () => ({ accept: true, protocol: "", context: undefined }),
        open: (connection) => this.#opened.push(connection),
        message: (connection) => this.message(connection),
        ping: () => {},
        pong: (connection) => this.pongs.push(connection),
        drain: (connection) => this.drains.push(connection),
        overflow: () => {},
        ending: () => {},
        close: (_connection, code) => this.closes.push(code),
        gone: (connection) => this.gone.push(connection),
        error: (error) => {
          throw error;
        },
      },
      {
        path: undefined,
        maxMessageBytes: 65_536,
        maxBufferedBytes: 4 * MIB,
        compression: false,
        handshakeTimeout: 10_000,
        maxConnections: undefined,
        ...settings,
      },
    );
  }
}
