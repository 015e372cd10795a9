/** A session that envelopes can be handed to. */
export interface Peer {
  deliver(channel: string, envelope: Uint8Array): void;
}

/** The subscriptions of all sessions, in the primary process. */
export class Router {
  readonly #subscribers = new Map<string, Set<Peer>>();
  readonly #channels = new Map<Peer, Set<string>>();

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

  /** Removes a peer with all its subscriptions. */
  remove(peer: Peer): void {
    this.unsubscribe(peer, this.#channels.get(peer) ?? []);
    this.#channels.delete(peer);
  }

  /** Hands an envelope to all subscribers of a channel except its publisher. */
  publish(from: Peer, channel: string, envelope: Uint8Array): void {
    for (const peer of this.#subscribers.get(channel) ?? []) if (peer !== from) peer.deliver(channel, envelope);
  }
}
