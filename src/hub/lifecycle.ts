import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isDelay } from "../checks/option-rules.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { createDeferred } from "../deferred.ts";
import { HubError } from "../errors.ts";
import type { Receiver } from "../inbound/receiver.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { Member } from "../members/member.ts";
import type { Requests } from "../members/requests.ts";
import type { Clock } from "../time/clock.ts";
import type { Heartbeat } from "../time/heartbeat.ts";
import { checkListenOptions } from "../transports/listen-options.ts";
import type { ListenAddress, ListenOptions, Transport, TransportSettings } from "../transports/transport.ts";
import type { Connections } from "./connections.ts";
import { guardedHandlers } from "./guarded-handlers.ts";
import { closedError, type Preconditions } from "./preconditions.ts";

/** Options of `hub.drain`. Both values are in milliseconds. */
export interface DrainOptions {
  /** The time that handlers and replies may take. Sockets that still wait for one then are closed. Default: 10,000. */
  readonly within?: number | undefined;
  /** The time over which the clients spread their reconnection. Default: as `within`. */
  readonly spread?: number | undefined;
}

/** The default of `within`, in milliseconds. */
const WITHIN = 10_000;

/** The parts that start and stop with the hub. */
export interface HubLifecycleParts {
  readonly clock: Clock;
  readonly cluster: Cluster | undefined;
  readonly connections: Connections;
  readonly receiver: Receiver;
  readonly heartbeat: Heartbeat<Member> | undefined;
  readonly lifecycle: MemberLifecycle;
  readonly preconditions: Preconditions;
  readonly requests: Requests<Member>;
  readonly settings: TransportSettings;
  readonly transport: Transport;
}

/** The start, the drain and the close of a hub. */
export class HubLifecycle {
  readonly #parts: HubLifecycleParts;
  #listening: Promise<ListenAddress> | undefined;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the wait of a drain early. */
  #hurry: (() => void) | undefined;

  constructor(parts: HubLifecycleParts) {
    this.#parts = parts;
  }

  /** Starts everything but listening. A transport that is attached to a server accepts connections from now on. */
  start(): void {
    const { cluster, connections, heartbeat, settings, transport } = this.#parts;
    const handlers = guardedHandlers(connections.handlers(), (error, connection) =>
      connections.broke(error, connection),
    );
    transport.start(handlers, settings);
    heartbeat?.start();
    cluster?.start();
  }

  /** Starts the hub's own server. */
  async listen(where: number | ListenOptions): Promise<ListenAddress> {
    const { preconditions, transport } = this.#parts;
    preconditions.checkOpen();
    if (this.#closing !== undefined || this.#draining !== undefined) throw closedError();
    if (this.#listening !== undefined)
      throw new HubError("ERR_HUB_LISTENING", "This hub listens already. Use a second hub for a second port.");
    this.#listening = transport.listen(checkListenOptions(where));
    try {
      return await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /** Hands an upgrade request of the application's to the transport. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { transport } = this.#parts;
    if (transport.handleUpgrade === undefined) {
      throw new HubError(
        "ERR_HUB_OPTION",
        `The transport "${transport.name}" takes no upgrade requests of an application. ` +
          "Create the hub with { transport: ws({ noServer: true }) }.",
      );
    }
    if (!Array.isArray(request?.rawHeaders) || typeof socket?.unshift !== "function" || !Buffer.isBuffer(head)) {
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        'handleUpgrade() takes (request, socket, head), as the event "upgrade" of an http server has them.',
      );
    }
    transport.handleUpgrade(request, socket, head);
  }

  /** Drains the hub, and then closes it. */
  async drain(options: DrainOptions): Promise<void> {
    const { within = WITHIN, spread = within } = checkDrain(options);
    if (this.#closing === undefined) this.#draining ??= this.#drain(within, spread);
    await (this.#draining ?? this.#closing);
  }

  /** Closes the hub. */
  close(): Promise<void> {
    this.#hurry?.();
    return (this.#closing ??= this.#close());
  }

  async #drain(within: number, spread: number): Promise<void> {
    const { clock, connections, lifecycle } = this.#parts;
    connections.drain({ reconnect: true, after: 0, spread });
    const deadline = createDeferred();
    this.#hurry = deadline.resolve;
    const timer = clock.setTimeout(deadline.resolve, within);
    await Promise.race([lifecycle.drain(), deadline.promise]);
    timer.cancel();
    await this.close();
  }

  async #close(): Promise<void> {
    const { cluster, connections, receiver, heartbeat, lifecycle, preconditions, requests, transport } = this.#parts;
    heartbeat?.stop();
    lifecycle.stop();
    receiver.stop();
    requests.close();
    connections.close();
    // A server that is about to listen can only be stopped once it does.
    await this.#listening?.catch(() => {});
    transport.stopListening();
    await transport.destroy();
    await cluster?.disconnect();
    preconditions.close();
  }
}

/**
 * Checks the options of a drain.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
function checkDrain(options: DrainOptions): DrainOptions {
  const isValid =
    typeof options === "object" &&
    options !== null &&
    Object.entries(options).every(
      ([name, value]) => (name === "within" || name === "spread") && (value === undefined || isDelay(value)),
    );
  if (isValid) return options;
  throw new HubError("ERR_HUB_ARGUMENT", "drain() takes { within, spread }, both in whole milliseconds.");
}
