import { MemoryTransport } from "../../transports/memory/index.ts";
import type { MemoryWebSocket } from "../../transports/memory/web-socket.ts";
import type { ListenAddress, Transport, TransportHandlers, TransportSettings } from "../../transports/transport.ts";
import type { Carrier } from "../../transports/memory/pipe.ts";
import type { NodeProcess } from "./node-process.ts";

/** The transport of one node: in memory, with the delays of a network, and only what the node's process hears. */
export class NodeTransport implements Transport {
  readonly name = "memory";
  readonly #process: NodeProcess;
  readonly #carry: Carrier;
  readonly #memory: MemoryTransport;

  constructor(process: NodeProcess, carry: Carrier) {
    this.#process = process;
    this.#carry = carry;
    this.#memory = new MemoryTransport(carry);
  }

  start(handlers: TransportHandlers, settings: TransportSettings): void {
    const process = this.#process;
    this.#memory.start(
      {
        upgrade: (info) =>
          new Promise((resolve) => {
            process.defer(() => resolve(handlers.upgrade(info)));
          }),
        open: (connection, context) => process.defer(() => handlers.open(connection, context)),
        message: (connection, data, isBinary) => process.defer(() => handlers.message(connection, data, isBinary)),
        ping: (connection) => process.defer(() => handlers.ping(connection)),
        pong: (connection) => process.defer(() => handlers.pong(connection)),
        drain: (connection) => process.defer(() => handlers.drain(connection)),
        overflow: (connection) => process.defer(() => handlers.overflow(connection)),
        ending: (connection) => process.defer(() => handlers.ending(connection)),
        close: (connection, code, reason) => process.defer(() => handlers.close(connection, code, reason)),
        gone: (connection) => process.defer(() => handlers.gone(connection)),
        error: (error) => handlers.error(error),
      },
      settings,
    );
  }

  listen(): Promise<ListenAddress> {
    return this.#memory.listen();
  }

  stopListening(): void {
    this.#memory.stopListening();
  }

  destroy(within?: number): Promise<void> {
    return this.#memory.destroy(within);
  }

  /** Connects a client, as `new WebSocket(url)` does. */
  connect(url: string, protocols: readonly string[]): MemoryWebSocket {
    const client = this.#memory.connect(url, { headers: { host: "simulation" }, protocols });
    // What the client does then is no step of the node.
    const closed = client.closed.bind(client);
    const refused = client.refused.bind(client);
    client.closed = (close) => this.#carry(() => closed(close));
    client.refused = (...answer) => this.#carry(() => refused(...answer));
    return client;
  }
}
