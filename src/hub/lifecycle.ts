import { isDelay } from "../checks/option-rules.ts";
import { closed, type Core } from "../members/lifecycle.ts";
import { HubError } from "../errors.ts";
import type { Heartbeat } from "../time/heartbeat.ts";
import type { Member } from "../members/member.ts";
import { resolveListenOptions } from "./options.ts";
import type { Reception } from "./connections.ts";
import type { ListenAddress, ListenOptions, Transport } from "../transports/transport.ts";

/** How a hub is drained. Both in milliseconds. */
export interface DrainOptions {
  /** How long handlers and replies may take; whoever still waits for one then is closed. Default: 10,000. */
  readonly within?: number | undefined;
  /** Over how long the clients are to spread their return. Default: as `within`. */
  readonly spread?: number | undefined;
}

/** How long draining takes unless it is told otherwise, in milliseconds. */
const WITHIN = 10_000;

/** What begins and ends with the hub. */
export interface LifeCycleParts {
  readonly core: Core;
  readonly heartbeat: Heartbeat<Member> | undefined;
  readonly reception: Reception;
  readonly transport: Transport;
}

/** The beginning of a hub's service and its end. */
export class LifeCycle {
  readonly #parts: LifeCycleParts;
  #listening: Promise<ListenAddress> | undefined;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the waiting of a drain. */
  #hurry: (() => void) | undefined;

  constructor(parts: LifeCycleParts) {
    this.#parts = parts;
  }

  async listen(where: number | ListenOptions): Promise<ListenAddress> {
    const { core, transport } = this.#parts;
    core.checkOpen();
    if (this.#closing !== undefined || this.#draining !== undefined) throw closed();
    if (this.#listening !== undefined)
      throw new HubError("ERR_HUB_LISTENING", "This hub listens already. Use a second hub for a second port.");
    this.#listening = transport.listen(resolveListenOptions(where));
    try {
      return await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  async drain(options: DrainOptions): Promise<void> {
    const { within = WITHIN, spread = within } = checkDrain(options);
    if (this.#closing === undefined) this.#draining ??= this.#drain(within, spread);
    await (this.#draining ?? this.#closing);
  }

  close(): Promise<void> {
    this.#hurry?.();
    return (this.#closing ??= this.#close());
  }

  async #drain(within: number, spread: number): Promise<void> {
    const { core, reception } = this.#parts;
    reception.drain({ reconnect: true, after: 0, spread });
    const deadline = new Promise<void>((resolve) => {
      this.#hurry = resolve;
    });
    const timer = core.clock.setTimeout(() => this.#hurry?.(), within);
    await Promise.race([core.drain(), deadline]);
    timer.cancel();
    await this.close();
  }

  async #close(): Promise<void> {
    const { core, heartbeat, reception, transport } = this.#parts;
    heartbeat?.stop();
    core.expiry.stop();
    core.requests.close();
    reception.close();
    // A server that is about to listen can only be stopped once it does.
    await this.#listening?.catch(() => {});
    transport.stopListening();
    await transport.destroy();
    await core.cluster?.disconnect();
    core.close();
  }
}

/** @throws {HubError} `ERR_HUB_ARGUMENT`. */
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
