import type { Recipient } from "./delivery.ts";
import type { Lead } from "./lead.ts";
import type { Group } from "./rooms.ts";
import type { Topics } from "./transport.ts";

/**
 * Sends to a whole group through the transport's own topics.
 *
 * A group gets a topic when it is first sent to, and from then on its members are subscribed as they come and go.
 */
export class Multicast {
  readonly #topics: Topics;
  readonly #topicOf = new Map<Group<Recipient>, string>();
  #lastTopic = 0;

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  /** @returns `false`, and nothing was sent, where sending to the members one by one is right. */
  publish({ group, all, without }: Lead): boolean {
    if (group.size < this.#topics.leastMembers) return false;
    return this.#topics.publish(this.#topicOf.get(group) ?? this.#subscribe(group), all, without);
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
