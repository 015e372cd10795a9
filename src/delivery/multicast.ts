import type { Recipient } from "./delivery.ts";
import type { Lead } from "./group-batch.ts";
import type { Group } from "../rooms/rooms.ts";
import type { Topics } from "../transports/transport.ts";

/**
 * Sends to a whole group through the transport's own topics.
 *
 * A group gets a topic when it is first sent to, and from then on its members are subscribed as they come and go.
 *
 * What the transport could not write shows in the turn after. Looking at every member in every turn would cost as much as
 * sending several messages, so they are looked at before more than `maxUnseenBytes` would have been sent unseen.
 */
export class Multicast {
  readonly #topics: Topics;
  readonly #maxUnseenBytes: number;
  readonly #topicOf = new Map<Group<Recipient>, string>();
  #lastTopic = 0;
  /** The groups that were sent to since their members were last looked at, and how much. */
  readonly #unseen = new Set<Group<Recipient>>();
  #unseenBytes = 0;

  constructor(topics: Topics, maxUnseenBytes: number) {
    this.#topics = topics;
    this.#maxUnseenBytes = maxUnseenBytes;
  }

  /**
   * @param inspect - looks at the members of a group.
   * @returns `false`, and nothing was sent, where sending to the members one by one is right.
   */
  publish({ group, all, without }: Lead, inspect: (group: Group<Recipient>) => boolean): boolean {
    const { byteLength } = all;
    if (group.size < this.#topics.leastMembers || byteLength > this.#maxUnseenBytes) return false;
    if (this.#unseenBytes + byteLength > this.#maxUnseenBytes) {
      for (const unseen of this.#unseen) inspect(unseen);
      this.#unseen.clear();
      this.#unseenBytes = 0;
      if (!inspect(group)) return false;
    }
    if (!this.#topics.publish(this.#topicOf.get(group) ?? this.#subscribe(group), all, without)) return false;
    this.#unseen.add(group);
    this.#unseenBytes += byteLength;
    return true;
  }

  joined(group: Group<Recipient>, recipient: Recipient): void {
    const topic = this.#topicOf.get(group);
    if (topic !== undefined) this.#topics.subscribe(recipient.connection, topic);
  }

  /** @returns whether the group had a topic. */
  left(group: Group<Recipient>, recipient: Recipient): boolean {
    const topic = this.#topicOf.get(group);
    if (topic === undefined) return false;
    this.#topics.unsubscribe(recipient.connection, topic);
    if (group.size === 0) this.#topicOf.delete(group);
    return true;
  }

  #subscribe(group: Group<Recipient>): string {
    const topic = String(++this.#lastTopic);
    this.#topicOf.set(group, topic);
    for (const { connection } of group.values()) this.#topics.subscribe(connection, topic);
    return topic;
  }
}
