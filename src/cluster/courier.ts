import type { Buffer } from "node:buffer";
import type { Backplane } from "../backplanes/backplane.ts";
import { HubError } from "../errors.ts";
import { encodeBundle } from "./envelope.ts";
import type { Traffic } from "./traffic.ts";

/** Envelopes for one channel that were published one after the other. */
interface Parcels {
  readonly channel: string;
  readonly envelopes: Buffer[];
  bytes: number;
}

/** More is not put together: engines have limits, and who gets it waits until all of it is there. */
const MAX_BUNDLE_BYTES = 64 * 1024;

export interface CourierOptions {
  readonly backplane: Backplane;
  readonly node: string;
  /** The most that may be on its way to the engine, in bytes. */
  readonly maxPendingBytes: number;
  readonly traffic: Traffic;
  /** Called when something is lost for the first time since nothing was. */
  readonly lost: (error: HubError) => void;
}

/**
 * Takes envelopes to the engine, in the order of the calls. One that finds nothing under way leaves at once, before the writes to
 * this node's own sockets, so that those of others wait for the engine alone. While the engine has not confirmed that, what
 * one turn of the event loop sends to the same channel in a row leaves as one message.
 *
 * Until the engine is there for the first time they wait. In an outage they are lost at once: late is worse than never for
 * most messages, and nobody knows how long it takes. An engine that is too slow loses what is above the limit.
 */
export class Courier {
  readonly #options: CourierOptions;
  #pending: Parcels[] = [];
  /** Both what waits here and what the engine has not confirmed. */
  #bytes = 0;
  /** Messages that the engine has not confirmed. */
  #underWay = 0;
  #immediate: NodeJS.Immediate | undefined;
  #state: "waiting" | "open" | "shut" = "waiting";
  #isLosing = false;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  open(): void {
    this.#state = "open";
    this.#isLosing = false;
    this.#schedule();
  }

  /** The engine is away. Who is told of that needs not be told of each loss. */
  shut(): void {
    this.#state = "shut";
    this.#isLosing = true;
    for (const parcels of this.#pending) this.#lose(parcels.envelopes.length, parcels.bytes);
    this.#pending = [];
  }

  /** Whether something waits here. */
  get isWaiting(): boolean {
    return this.#pending.length > 0;
  }

  send(channel: string, envelope: Buffer): void {
    const { maxPendingBytes, traffic } = this.#options;
    const bytes = envelope.byteLength;
    if (this.#state === "shut" || this.#bytes + bytes > maxPendingBytes) {
      traffic.lost++;
      this.#sayLost(`More than ${maxPendingBytes} bytes wait for the engine, which is too slow or not there yet.`);
      return;
    }
    this.#bytes += bytes;
    if (this.#underWay === 0 && this.#pending.length === 0 && this.#state === "open") {
      void this.#publish({ channel, envelopes: [envelope], bytes });
      return;
    }
    const last = this.#pending.at(-1);
    if (last?.channel === channel && last.bytes + bytes <= MAX_BUNDLE_BYTES) {
      last.envelopes.push(envelope);
      last.bytes += bytes;
    } else {
      this.#pending.push({ channel, envelopes: [envelope], bytes });
    }
    this.#schedule();
  }

  /** Hands over what waits. */
  flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    if (this.#state !== "open") return;
    const pending = this.#pending;
    this.#pending = [];
    for (const parcels of pending) void this.#publish(parcels);
  }

  #schedule(): void {
    this.#immediate ??= setImmediate(() => this.flush());
  }

  async #publish({ channel, envelopes, bytes }: Parcels): Promise<void> {
    const { backplane, node, traffic } = this.#options;
    const bundle = encodeBundle(node, envelopes);
    traffic.published++;
    traffic.publishedBytes += bundle.byteLength;
    this.#underWay++;
    try {
      await backplane.publish(channel, bundle);
      this.#bytes -= bytes;
      // Not at the limit itself, where each loss would be told.
      if (this.#state === "open" && this.#bytes < this.#options.maxPendingBytes / 2) this.#isLosing = false;
    } catch (error) {
      this.#lose(envelopes.length, bytes);
      this.#sayLost("The engine did not take it.", error);
    } finally {
      this.#underWay--;
    }
  }

  #lose(count: number, bytes: number): void {
    this.#bytes -= bytes;
    this.#options.traffic.lost += count;
  }

  #sayLost(why: string, cause?: unknown): void {
    if (this.#isLosing) return;
    this.#isLosing = true;
    const message = `Messages for other nodes are lost. ${why}`;
    this.#options.lost(new HubError("ERR_HUB_BACKPLANE", message, cause === undefined ? {} : { cause }));
  }
}
