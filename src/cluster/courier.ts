import type { Buffer } from "node:buffer";
import type { Backplane } from "../backplanes/backplane.ts";
import { HubError } from "../errors.ts";
import { soon, watch } from "../guard.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { encodeBundle, maxBundleBytesOf } from "./envelope.ts";
import type { Traffic } from "./traffic.ts";

/** Envelopes for one channel that were sent one after the other, and are published as one message. */
interface WaitingBundle {
  readonly channel: string;
  readonly envelopes: Buffer[];
  bytes: number;
  /** What is done for each of the envelopes if the bundle is lost. */
  readonly losses: (Loss | undefined)[];
}

/** Called when an envelope is lost. Returns short envelopes that are sent instead. */
type Loss = () => readonly Buffer[];

/** The largest bundle, in bytes: its receiver waits until all of it is there. Engines may take less. */
const MAX_BUNDLE_BYTES = 64 * 1024;

/** The time without a loss after which the next one is reported, in milliseconds. */
const SILENCE = 60_000;

/** The longest time for which envelopes wait for the engine to confirm earlier ones, in milliseconds. */
const PATIENCE = 5;

export interface CourierParts {
  readonly backplane: Backplane;
  readonly clock: Clock;
  /** The id of this node. */
  readonly node: string;
  /** The most that may be on its way to the engine, in bytes. */
  readonly maxPendingBytes: number;
  readonly traffic: Traffic;
  /** Receives the first loss of each connection, and no further one until nothing was lost for {@link SILENCE}. */
  readonly report: ErrorReport;
}

/**
 * Takes envelopes to the engine, in the order of the calls. An envelope is published at once if nothing is under way,
 * before the writes to this node's own sockets, so that the sockets of other nodes wait for the engine alone. The next
 * ones, such as the question behind a request, follow at the end of the turn of the event loop that sends them. All later
 * ones wait until the engine has confirmed what is under way, because a message costs the engine and both nodes far more
 * than the bytes in it. Envelopes that wait for the same channel in a row are published as one message. None waits for
 * longer than {@link PATIENCE}, so that an engine which is far away delays it no further.
 *
 * Envelopes wait until the engine is connected for the first time. In an outage they are lost at once: late is worse
 * than never for most messages, and the length of an outage is unknown. If the engine is too slow, envelopes above the
 * limit are lost.
 */
export class Courier {
  readonly #parts: CourierParts;
  #waiting: WaitingBundle[] = [];
  /** Number of bytes that wait here or that the engine has not confirmed. */
  #bytes = 0;
  /** Number of messages that the engine has not confirmed. */
  #underWay = 0;
  /** Whether what is under way has left at once, so that what follows need not wait for it. */
  #mayFollow = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: Timer | undefined;
  #state: "waiting" | "open" | "shut" = "waiting";
  /** The size of the largest bundle of several envelopes, in bytes. */
  #maxBundleBytes = MAX_BUNDLE_BYTES;
  /** The time of the last loss on this connection. */
  #lost = -Infinity;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  /**
   * Publishes envelopes from now on, because the engine is connected.
   *
   * @param maxBytes - the size of the largest message that the engine takes, in bytes.
   */
  open(maxBytes: number = Infinity): void {
    this.#state = "open";
    this.#lost = -Infinity;
    this.#maxBundleBytes = Math.min(MAX_BUNDLE_BYTES, maxBytes);
    // What has waited was put together without knowing the engine.
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { channel, envelopes, losses } of waiting) {
      for (const [index, envelope] of envelopes.entries()) this.#wait(channel, envelope, losses[index]);
    }
  }

  /** The size that an envelope should not exceed if it can be divided, in bytes. */
  get maxEnvelopeBytes(): number {
    return Math.max(1, this.#maxBundleBytes - maxBundleBytesOf(1, 0));
  }

  /**
   * Discards envelopes from now on, because the engine is not connected. The outage is reported, so the losses are not.
   */
  shut(): void {
    this.#state = "shut";
    for (const bundle of this.#waiting) this.#lose(bundle.envelopes.length, bundle.bytes);
    this.#waiting = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Whether an envelope waits here. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Sends an envelope to channels. Its copies leave together, or are lost together.
   *
   * @param lost - called for each copy that is lost. What it returns is sent instead, also above the limit.
   */
  send(channels: readonly string[], envelope: Buffer, lost?: Loss): void {
    const { maxPendingBytes, traffic } = this.#parts;
    if (this.#state !== "shut" && this.#bytes + envelope.byteLength * channels.length <= maxPendingBytes) {
      this.#take(channels, envelope, lost);
      return;
    }
    traffic.lost += channels.length;
    this.#sayLost(`More than ${maxPendingBytes} bytes wait for the engine, which is too slow or not there yet.`);
    for (const channel of channels) this.#replace(channel, lost);
  }

  #replace(channel: string, lost: Loss | undefined): void {
    // Whoever waits for something in an outage is told at once.
    if (this.#state === "shut") return;
    for (const envelope of lost?.() ?? []) this.#take([channel], envelope);
  }

  #take(channels: readonly string[], envelope: Buffer, lost?: Loss): void {
    const isIdle = this.#underWay === 0 && !this.isWaiting && this.#state === "open";
    if (isIdle) this.#mayFollow = true;
    for (const channel of channels) {
      this.#bytes += envelope.byteLength;
      if (isIdle) watch(this.#parts.report, this.#publish(bundleOf(channel, envelope, lost)));
      else this.#wait(channel, envelope, lost);
    }
  }

  #wait(channel: string, envelope: Buffer, lost?: Loss): void {
    const bytes = envelope.byteLength;
    const last = this.#waiting.at(-1);
    if (
      last?.channel === channel &&
      maxBundleBytesOf(last.envelopes.length + 1, last.bytes + bytes) <= this.#maxBundleBytes
    ) {
      last.envelopes.push(envelope);
      last.bytes += bytes;
      last.losses.push(lost);
    } else {
      this.#waiting.push(bundleOf(channel, envelope, lost));
    }
    this.#schedule();
  }

  /** Hands the waiting envelopes to the engine. */
  flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#mayFollow = false;
    if (this.#state !== "open") return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bundle of waiting) watch(this.#parts.report, this.#publish(bundle));
  }

  #schedule(): void {
    const { clock, report } = this.#parts;
    if (this.#underWay > 0 && !this.#mayFollow) this.#timer ??= clock.setTimeout(() => this.flush(), PATIENCE);
    else this.#immediate ??= soon(report, () => this.flush());
  }

  async #publish({ channel, envelopes, bytes, losses }: WaitingBundle): Promise<void> {
    const { backplane, node, traffic } = this.#parts;
    const message = encodeBundle(node, envelopes);
    traffic.published++;
    traffic.publishedBytes += message.byteLength;
    this.#underWay++;
    try {
      await backplane.publish(channel, message);
      this.#bytes -= bytes;
    } catch (error) {
      this.#lose(envelopes.length, bytes);
      this.#sayLost("The engine did not take it.", error);
      for (const lost of losses) this.#replace(channel, lost);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0 && this.isWaiting) this.flush();
    }
  }

  #lose(count: number, bytes: number): void {
    this.#bytes -= bytes;
    this.#parts.traffic.lost += count;
  }

  #sayLost(why: string, cause?: unknown): void {
    if (this.#state === "shut") return;
    const { clock, report } = this.#parts;
    const isFirst = clock.now() - this.#lost >= SILENCE;
    this.#lost = clock.now();
    if (!isFirst) return;
    const message = `Messages for other nodes are lost. ${why}`;
    const error = new HubError("ERR_HUB_BACKPLANE", message, cause === undefined ? {} : { cause });
    report.failed(error, "backplane");
  }
}

function bundleOf(channel: string, envelope: Buffer, lost: Loss | undefined): WaitingBundle {
  const { byteLength: bytes } = envelope;
  return { channel, envelopes: [envelope], bytes, losses: [lost] };
}
