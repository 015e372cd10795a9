import type { Group } from "../rooms/rooms.ts";
import type { Topics } from "../transports/transport.ts";
import type { GroupBatch } from "./group-batch.ts";
import type { Recipient } from "./recipient.ts";

/** The fraction of `maxBufferedBytes`, as a shift, that is published at most before the recipients are looked at. */
const UNSEEN_SHIFT = 6;

/**
 * Sends to a whole group through the transport's own topics.
 *
 * A group gets a topic when it is first sent to. From then on its members are subscribed when they join, and
 * unsubscribed when they leave.
 *
 * Bytes that the transport could not write show in the next turn. Looking at every member in every turn would cost as
 * much as sending several messages, so the members are looked at before more than `maxUnseenBytes` would have been sent
 * unseen.
 */
export class Multicast<R extends Recipient> {
  readonly #topics: Topics;
  readonly #maxUnseenBytes: number;
  readonly #topicOf = new Map<Group<R>, string>();
  #lastTopic = 0;
  /** The groups that were sent to since their members were last looked at, each with the number of bytes. */
  readonly #unseen = new Map<Group<R>, number>();
  #unseenBytes = 0;

  constructor(topics: Topics, maxBufferedBytes: number) {
    this.#topics = topics;
    this.#maxUnseenBytes = maxBufferedBytes >> UNSEEN_SHIFT;
  }

  /**
   * Publishes the batch of a group.
   *
   * @param inspect - looks at the members of a group, to which so many bytes were sent unseen, and returns whether none
   *   of them is congested.
   * @returns `false`, and nothing was sent, where sending to the members one by one is right.
   */
  publish({ group, all, without }: GroupBatch<R>, inspect: (group: Group<R>, published: number) => boolean): boolean {
    const { byteLength } = all;
    if (group.size < this.#topics.leastMembers || byteLength > this.#maxUnseenBytes) return false;
    if (this.#unseenBytes + byteLength > this.#maxUnseenBytes) {
      for (const [unseen, bytes] of this.#unseen) inspect(unseen, bytes);
      this.#unseen.clear();
      this.#unseenBytes = 0;
      if (!inspect(group, 0)) return false;
    }
    if (!this.#topics.publish(this.#topicOf.get(group) ?? this.#subscribe(group), all, without)) return false;
    this.#unseen.set(group, (this.#unseen.get(group) ?? 0) + byteLength);
    this.#unseenBytes += byteLength;
    return true;
  }

  /** Subscribes a member that has joined the group. */
  joined(group: Group<R>, recipient: R): void {
    const topic = this.#topicOf.get(group);
    if (topic !== undefined) this.#topics.subscribe(recipient.connection, topic);
  }

  /**
   * Unsubscribes a member that has left the group.
   *
   * @returns the number of bytes that were sent to it unseen; `undefined` if the group had no topic.
   */
  left(group: Group<R>, recipient: R): number | undefined {
    const topic = this.#topicOf.get(group);
    if (topic === undefined) return undefined;
    this.#topics.unsubscribe(recipient.connection, topic);
    if (group.size === 0) this.#topicOf.delete(group);
    return this.#unseen.get(group) ?? 0;
  }

  #subscribe(group: Group<R>): string {
    const topic = String(++this.#lastTopic);
    this.#topicOf.set(group, topic);
    for (const { connection } of group.values()) this.#topics.subscribe(connection, topic);
    return topic;
  }
}
