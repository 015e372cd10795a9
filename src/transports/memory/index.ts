import { HubError } from "../../errors.ts";
import type { ListenAddress, Transport, TransportHandlers, TransportSettings, UpgradeInfo } from "../transport.ts";
import { MemoryConnection } from "./connection.ts";
import { MemoryWebSocket } from "./web-socket.ts";

/** What a client in memory asks for. */
export interface MemoryConnectOptions {
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `127.0.0.1`. */
  readonly remoteAddress?: string;
}

/**
 * A transport without a network, for tests: hub and clients in one process, no ports.
 *
 * Everything crosses in a later turn of the event loop and in order, as it would on a network, and nothing is lost.
 *
 * @example
 * const transport = memory();
 * const hub = new Hub({ transport });
 * const client = transport.connect("/");
 * client.addEventListener("message", ({ data }) => console.log(data));
 */
export function memory(): MemoryTransport {
  return new MemoryTransport();
}

interface Started {
  readonly handlers: TransportHandlers;
  readonly settings: TransportSettings;
}

export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly #connections = new Set<MemoryConnection>();
  #started: Started | undefined;
  #accepting = true;

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    this.#started = { handlers, settings };
  }

  /** There is nothing to bind: clients can connect as soon as a hub has the transport. */
  async listen(): Promise<ListenAddress> {
    return { port: 0 };
  }

  stopListening(): void {
    this.#accepting = false;
  }

  async destroy(): Promise<void> {
    this.stopListening();
    for (const connection of this.#connections) connection.terminate();
  }

  /**
   * Connects a client, as `new WebSocket(url)` would.
   *
   * @param url - path and query. Default: `/`.
   * @throws {HubError} `ERR_HUB_ARGUMENT` when no hub has this transport.
   */
  connect(url = "/", options: MemoryConnectOptions = {}): MemoryWebSocket {
    if (this.#started === undefined) {
      throw new HubError("ERR_HUB_ARGUMENT", "Give this transport to a hub before you connect a client to it.");
    }
    const vanished = new AbortController();
    const client = new MemoryWebSocket(url, () => vanished.abort());
    const { protocols = [], headers = {}, remoteAddress = "127.0.0.1" } = options;
    const info = { url, headers, remoteAddress, secure: false, protocols, signal: vanished.signal };
    setImmediate(() => void this.#upgrade(client, info));
    return client;
  }

  async #upgrade(client: MemoryWebSocket, info: UpgradeInfo): Promise<void> {
    const { handlers, settings } = this.#started as Started;
    const [path] = info.url.split("?", 1);
    if (!this.#accepting || info.signal.aborted) return client.refused(503, "Service Unavailable");
    if (settings.path !== undefined && settings.path !== path) return client.refused(404, "Not Found");

    const decision = handlers.upgrade(info);
    const decided = decision instanceof Promise ? await decision : decision;
    if (info.signal.aborted) return;
    if (!this.#accepting) return client.refused(503, "Service Unavailable");
    if (!decided.accept) return client.refused(decided.status, decided.message, decided.headers);

    const connection: MemoryConnection = new MemoryConnection(decided.protocol, client, handlers, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    client.accepted(connection, settings.maxMessageBytes);
    handlers.open(connection, decided.context);
  }
}
