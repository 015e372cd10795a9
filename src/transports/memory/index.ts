import { HubError } from "../../errors.ts";
import { soon, watch } from "../../guard.ts";
import type { ListenAddress, Transport, TransportHandlers, TransportSettings, UpgradeInfo } from "../transport.ts";
import { Closings } from "../shared/closings.ts";
import { pathOf } from "../shared/handshake.ts";
import { MemoryConnection } from "./connection.ts";
import { nextTurn, type Carrier } from "./pipe.ts";
import { MemoryWebSocket } from "./web-socket.ts";

/** Options of a client in memory. */
export interface MemoryConnectOptions {
  /** The subprotocols that the client offers. Default: none. */
  readonly protocols?: readonly string[];
  /** The headers of its request, with names in lower case. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address as the hub sees it. Default: `127.0.0.1`. */
  readonly remoteAddress?: string;
}

/**
 * Creates a transport without a network, for tests: the hub and its clients are in one process, and no port is open.
 *
 * Messages arrive in order and in a later turn of the event loop, as they would over a network, and none is lost.
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
  readonly closings: Closings;
}

/** A transport in memory, made by {@link memory}. */
export class MemoryTransport implements Transport {
  readonly name = "memory";
  readonly #carry: Carrier;
  readonly #connections = new Set<MemoryConnection>();
  #started: Started | undefined;
  #accepting = true;
  #destroyed: Promise<void> | undefined;

  /** @param carry - how messages travel. @internal */
  constructor(carry: Carrier = nextTurn) {
    this.#carry = carry;
  }

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    this.#started = { handlers, settings, closings: new Closings(handlers) };
  }

  /** Binds nothing: clients can connect as soon as a hub has the transport. */
  async listen(): Promise<ListenAddress> {
    return { port: 0 };
  }

  stopListening(): void {
    this.#accepting = false;
  }

  destroy(within?: number): Promise<void> {
    this.#destroyed ??= this.#destroy();
    if (within !== undefined) this.#started?.closings.cutAfter(within);
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    this.stopListening();
    for (const connection of this.#connections) connection.terminate();
    await this.#started?.closings.finish();
  }

  /**
   * Connects a client, as `new WebSocket(url)` does.
   *
   * @param url - the path and the query. Default: `/`.
   * @throws {HubError} `ERR_HUB_ARGUMENT` when no hub has this transport.
   */
  connect(url = "/", options: MemoryConnectOptions = {}): MemoryWebSocket {
    if (this.#started === undefined) {
      throw new HubError("ERR_HUB_ARGUMENT", "Give this transport to a hub before you connect a client to it.");
    }
    const abandoned = new AbortController();
    const client = new MemoryWebSocket(url, this.#carry, () => abandoned.abort());
    const { protocols = [], headers = {}, remoteAddress = "127.0.0.1" } = options;
    const info = { url, headers, remoteAddress, secure: false, protocols, signal: abandoned.signal };
    const { handlers } = this.#started;
    const refuse = (): void => client.refused(500, "Internal Server Error");
    soon(handlers, () => watch(handlers, this.#upgrade(client, info), refuse));
    return client;
  }

  async #upgrade(client: MemoryWebSocket, info: UpgradeInfo): Promise<void> {
    const { handlers, settings, closings } = this.#started as Started;
    if (!this.#accepting || info.signal.aborted) return client.refused(503, "Service Unavailable");
    if (settings.path !== undefined && settings.path !== pathOf(info)) return client.refused(404, "Not Found");

    const decision = handlers.upgrade(info);
    const decided = decision instanceof Promise ? await decision : decision;
    if (info.signal.aborted) return;
    if (!this.#accepting) return client.refused(503, "Service Unavailable");
    if (!decided.accept) return client.refused(decided.status, decided.message, decided.headers);

    const forget = (): void => void this.#connections.delete(connection);
    const connection: MemoryConnection = new MemoryConnection(
      decided.protocol,
      client,
      handlers,
      closings,
      this.#carry,
      forget,
    );
    this.#connections.add(connection);
    client.accepted(connection, settings.maxMessageBytes);
    handlers.open(connection, decided.context);
  }
}
