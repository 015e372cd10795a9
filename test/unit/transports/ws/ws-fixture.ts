import { createConnection, Server, type Socket as TcpSocket } from "node:net";
import { once } from "node:events";
import type { Connection, TransportSettings } from "../../../../src/transports/transport.ts";
import { ws } from "../../../../src/transports/ws/index.ts";
import { overSockets } from "../../../../src/testing/transport-subject.ts";
import { TransportFixture } from "../../../../src/testing/suite/transport-fixture.ts";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { onTestFinished, vi } from "vitest";

export const UPGRADE: Buffer = rawRequest("/", UPGRADE_HEADERS);

/** The transport `ws` without a hub, and what lies below it. */
export class WsFixture {
  readonly transport: TransportFixture;
  readonly #server: Server;

  /** Opens a transport that is closed after the test. */
  static async open(settings: Partial<TransportSettings> = {}): Promise<WsFixture> {
    const listen = vi.spyOn(Server.prototype, "listen");
    const transport = await TransportFixture.open(
      overSockets("ws", () => ws()),
      settings,
    );
    const [server] = listen.mock.contexts as [Server];
    listen.mockRestore();
    onTestFinished(() => transport.close());
    return new WsFixture(transport, server);
  }

  private constructor(transport: TransportFixture, server: Server) {
    this.transport = transport;
    this.#server = server;
  }

  /** Returns the number of TCP connections that the server holds. */
  descriptors(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** Opens a TCP connection. */
  async tcp(): Promise<TcpSocket> {
    const tcp = createConnection({ port: this.transport.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    tcp.on("error", () => {});
    onTestFinished(() => void tcp.destroy());
    await once(tcp, "connect");
    return tcp;
  }

  /** Connects a client that sends bytes, and is let in. */
  async connect(headers: Readonly<Record<string, string>> = {}): Promise<{
    client: RawClient;
    tcp: TcpSocket;
    connection: Connection;
    /** The server's end of the TCP connection. */
    server: TcpSocket;
  }> {
    const accepted = once(this.#server, "connection") as Promise<[TcpSocket]>;
    const tcp = await this.tcp();
    const [server] = await accepted;
    const client = new RawClient(tcp);
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, ...headers }));
    await client.response();
    const event = await this.transport.events.next();
    if (event?.type !== "open") throw new Error("The client was not let in.");
    return { client, tcp, connection: event.connection, server };
  }
}
