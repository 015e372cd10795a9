import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isDelay } from "../checks/option-rules.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { createDeferred } from "../deferred.ts";
import { HubError } from "../errors.ts";
import type { History } from "../history/history.ts";
import type { Receiver } from "../inbound/receiver.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { Member } from "../members/member.ts";
import type { Presence } from "../presence/presence.ts";
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
  /**
   * The time that handlers, replies and clients that read slowly may take, and handlers of `handleNode` that other nodes
   * wait for. Sockets that still wait for a handler or a
   * reply then are closed, and connections that have not ended a second later are cut. Default: 10,000.
   */
  readonly within?: number | undefined;
  /** The time over which the clients spread their reconnection. Default: as `within`. */
  readonly spread?: number | undefined;
}

/** Options of `hub.close`. */
export interface CloseOptions {
  /**
   * The time after which connections are cut whose clients have not read everything, in milliseconds; 0 for at once.
   * Default: none but the bounds of each close.
   */
  readonly within?: number | undefined;
}

/** The default of `within` of a drain, in milliseconds. */
const WITHIN = 10_000;

/** The time that a drain leaves to clients, after its `within`, to take the close frame, in milliseconds. */
const LAST_CALL = 1_000;

/** The parts that start and stop with the hub. */
export interface HubLifecycleParts {
  readonly clock: Clock;
  readonly cluster: Cluster | undefined;
  readonly history: History | undefined;
  readonly presence: Presence | undefined;
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
    const fault = faultOfTimes("drain", ["within", "spread"], options);
    if (fault !== undefined) throw fault;
    const { within = WITHIN, spread = within } = options;
    if (this.#closing === undefined) this.#draining ??= this.#drain(within, spread);
    await (this.#draining ?? this.#closing);
  }

  /** Closes the hub. While it closes already, another call can only bring the end forward. */
  close(options: CloseOptions): Promise<void> {
    const fault = faultOfTimes("close", ["within"], options);
    if (fault !== undefined) return Promise.reject(fault);
    const { within } = options;
    this.#hurry?.();
    if (this.#closing !== undefined && within !== undefined) return this.#hasten(this.#closing, within);
    return (this.#closing ??= this.#close(within));
  }

  async #drain(within: number, spread: number): Promise<void> {
    const { clock, connections, presence } = this.#parts;
    const end = clock.now() + within;
    presence?.drain(spread);
    connections.drain({ reconnect: true, after: 0, spread });
    const deadline = createDeferred();
    this.#hurry = deadline.resolve;
    const timer = clock.setTimeout(deadline.resolve, within);
    await Promise.race([this.#rested(), deadline.promise]);
    timer.cancel();
    await (this.#closing ??= this.#close(Math.max(end - clock.now(), LAST_CALL)));
  }

  /** Resolves when no client is left, and no other node waits for a handler. */
  async #rested(): Promise<void> {
    const { cluster, lifecycle } = this.#parts;
    await lifecycle.drain();
    await cluster?.nodeRequests.idle();
  }

  /** Brings the end of a close forward. */
  async #hasten(closing: Promise<void>, within: number): Promise<void> {
    await this.#destroyTransport(within);
    await closing;
  }

  async #close(within: number | undefined): Promise<void> {
    const { cluster, connections, history, presence, receiver, heartbeat, lifecycle, preconditions, requests } =
      this.#parts;
    heartbeat?.stop();
    lifecycle.stop();
    receiver.stop();
    requests.close();
    cluster?.settle();
    const delivered = history?.settled();
    // Without a wait, everybody is closed before this call returns.
    if (delivered !== undefined && within !== 0) await this.#patiently(delivered, within);
    connections.close();
    await this.#destroyTransport(within);
    await cluster?.disconnect(within);
    preconditions.close();
    history?.stop();
    presence?.stop();
  }

  /** Waits until the members have been sent what is on its way to the records of their rooms; a second at most. */
  async #patiently(delivered: Promise<unknown>, within: number = LAST_CALL): Promise<void> {
    const { clock, transport } = this.#parts;
    await this.#listening?.catch(() => {});
    transport.stopListening();
    const deadline = createDeferred();
    const timer = clock.setTimeout(deadline.resolve, Math.min(within, LAST_CALL));
    await Promise.race([delivered, deadline.promise]);
    timer.cancel();
  }

  async #destroyTransport(within: number | undefined): Promise<void> {
    const { transport } = this.#parts;
    // A server that is about to listen can only be stopped once it does.
    await this.#listening?.catch(() => {});
    transport.stopListening();
    await transport.destroy(within);
  }
}

/** Checks the options of a method that takes times only. Returns the error for others. */
function faultOfTimes(method: string, names: readonly string[], options: unknown): HubError | undefined {
  const isValid =
    typeof options === "object" &&
    options !== null &&
    Object.entries(options).every(([name, value]) => names.includes(name) && (value === undefined || isDelay(value)));
  if (isValid) return undefined;
  const how = names.length === 1 ? "in" : "both in";
  return new HubError("ERR_HUB_ARGUMENT", `${method}() takes { ${names.join(", ")} }, ${how} whole milliseconds.`);
}
