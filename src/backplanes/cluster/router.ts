import type { Appended, LogEntry, LogLimits, LogPosition, LogRecord } from "../backplane.ts";
import type { MemoryLog } from "../shared/memory-log.ts";

/** A session that envelopes can be handed to. */
export interface Peer {
  deliver(channel: string, envelope: Uint8Array): void;
  record(channel: string, record: LogRecord): void;
}

/** The subscriptions of all sessions, and the logs, in the primary process. */
export class Router {
  readonly log: MemoryLog;
  readonly #subscribers = new Map<string, Set<Peer>>();
  readonly #channels = new Map<Peer, Set<string>>();

  constructor(log: MemoryLog) {
    this.log = log;
  }

  subscribe(peer: Peer, channels: readonly string[]): void {
    let subscribed = this.#channels.get(peer);
    if (subscribed === undefined) this.#channels.set(peer, (subscribed = new Set<string>()));
    for (const channel of channels) {
      subscribed.add(channel);
      let peers = this.#subscribers.get(channel);
      if (peers === undefined) this.#subscribers.set(channel, (peers = new Set<Peer>()));
      peers.add(peer);
    }
  }

  unsubscribe(peer: Peer, channels: Iterable<string>): void {
    const subscribed = this.#channels.get(peer);
    for (const channel of channels) {
      subscribed?.delete(channel);
      const peers = this.#subscribers.get(channel);
      peers?.delete(peer);
      if (peers?.size === 0) this.#subscribers.delete(channel);
    }
  }

  /** Returns for each of these channels whether any peer has subscribed to it. */
  areSubscribed(channels: readonly string[]): readonly boolean[] {
    return channels.map((channel) => this.#subscribers.has(channel));
  }

  /** Removes a peer with all its subscriptions. */
  remove(peer: Peer): void {
    this.unsubscribe(peer, this.#channels.get(peer) ?? []);
    this.#channels.delete(peer);
  }

  /** Hands an envelope to all subscribers of a channel except its publisher. */
  publish(from: Peer, channel: string, envelope: Uint8Array): void {
    for (const peer of this.#subscribers.get(channel) ?? []) if (peer !== from) peer.deliver(channel, envelope);
  }

  /** Appends to the log of a channel, and hands what is new to all its subscribers. */
  append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry: LogPosition | undefined,
  ): readonly Appended[] {
    // Bytes that have arrived are a part of all that was read with them.
    const copies = entries.map(({ origin, number, envelope, hole }): LogEntry => {
      return { origin, number, envelope: Uint8Array.from(envelope), ...(hole === true ? { hole } : undefined) };
    });
    const { records, places } = this.log.append(channel, copies, limits, retry);
    for (const peer of this.#subscribers.get(channel) ?? []) for (const record of records) peer.record(channel, record);
    return places;
  }
}
