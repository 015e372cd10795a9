import type { Group } from "../rooms/rooms.ts";
import type { Connection } from "../transports/transport.ts";
import type { Batch } from "./batch.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";
import type { Recipient } from "./recipient.ts";

/**
 * The batch of a turn that has sent to one group only, kept once for all members of the group.
 *
 * A message may leave one member out, such as the sender of a message to its own room. Such members have sequences of
 * their own here, so that the cost of a message grows with the number of different senders in the turn, not with that
 * of members.
 */
export class GroupBatch<R extends Recipient> {
  readonly group: Group<R>;
  /** The sequence of the members that were never left out. */
  #common: Batch;
  /** The members that were left out of a message, each with its own sequence. */
  readonly #own = new Map<R, Batch>();
  /** The connection that each message left out. */
  readonly #without: (Connection | undefined)[] = [];

  /** Creates the batch of a group. `start` is the empty sequence. */
  constructor(group: Group<R>, start: Batch) {
    this.group = group;
    this.#common = start;
  }

  append(frame: OutgoingFrame, without: R | undefined): void {
    if (without !== undefined && !this.#own.has(without)) this.#own.set(without, this.#common);
    for (const [recipient, sequence] of this.#own) {
      if (recipient !== without) this.#own.set(recipient, sequence.append(frame));
    }
    this.#common = this.#common.append(frame);
    this.#without.push(without?.connection);
  }

  /** The sequence of all messages, including those that leave a member out. */
  get all(): Batch {
    return this.#common;
  }

  /**
   * The connections that the messages of `all` leave out, one entry for each message; `undefined` if all messages are
   * for all members.
   */
  get without(): readonly (Connection | undefined)[] | undefined {
    return this.#own.size === 0 ? undefined : this.#without;
  }

  /** The members that get less than `all`, each with its own sequence. */
  get exceptions(): ReadonlyMap<R, Batch> {
    return this.#own;
  }

  /** Returns the sequence of this member of the group, which can be empty. */
  for(recipient: R): Batch {
    return (this.#own.size === 0 ? undefined : this.#own.get(recipient)) ?? this.#common;
  }
}
