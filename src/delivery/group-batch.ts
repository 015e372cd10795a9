import type { Batch } from "./batch.ts";
import type { Recipient } from "./delivery.ts";
import type { OutgoingFrame } from "./overload.ts";
import type { Group } from "../rooms/rooms.ts";
import type { Connection } from "../transports/transport.ts";

/**
 * What has been sent to one group and to nobody else in this turn, kept once for all of its members.
 *
 * A message may leave one member out, as what a client says to its room does. Such members have sequences of their own
 * here, so that a message costs as much as there are different senders in the turn, not as there are members.
 */
export class Lead {
  readonly group: Group<Recipient>;
  /** What everybody gets who was never left out. */
  #common: Batch;
  /** Who was left out of something, and what they get. */
  readonly #own = new Map<Recipient, Batch>();
  /** Whom each message left out. */
  readonly #without: (Connection | undefined)[] = [];

  /** `start` is the empty sequence. */
  constructor(group: Group<Recipient>, start: Batch) {
    this.group = group;
    this.#common = start;
  }

  append(frame: OutgoingFrame, without: Recipient | undefined): void {
    if (without !== undefined && !this.#own.has(without)) this.#own.set(without, this.#common);
    for (const [recipient, sequence] of this.#own) {
      if (recipient !== without) this.#own.set(recipient, sequence.append(frame));
    }
    this.#common = this.#common.append(frame);
    this.#without.push(without?.connection);
  }

  /** Every message, whoever it is for. */
  get all(): Batch {
    return this.#common;
  }

  /** For each message of `all`, the connection that it leaves out; `undefined` where all of them are for everybody. */
  get without(): readonly (Connection | undefined)[] | undefined {
    return this.#own.size === 0 ? undefined : this.#without;
  }

  /** The members that get something else than `all`, with what they get. */
  get exceptions(): ReadonlyMap<Recipient, Batch> {
    return this.#own;
  }

  /** What this member of the group gets. It can be empty. */
  for(recipient: Recipient): Batch {
    return (this.#own.size === 0 ? undefined : this.#own.get(recipient)) ?? this.#common;
  }
}
