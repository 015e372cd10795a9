import type { Clock } from "../time/clock.ts";
import type { Member } from "../members/member.ts";
import type { EventPacket } from "../protocol/packet.ts";
import type { Frame } from "../transports/frame.ts";

/** How long and how much the hub remembers of requests that clients may repeat. */
export interface IdempotencyOptions {
  /** For how long a request that comes again gets the reply that was given, in milliseconds. */
  readonly within: number;
  /** The most that all of these replies take, in bytes. The oldest are forgotten first. */
  readonly maxBytes: number;
}

/** What is known of a request with a key. */
interface Answer {
  /** While it is handled: all who asked. A network may deliver the first request after the repeated one. */
  readonly askers: readonly Member[];
  /** The reply, once there is one. A copy, because a frame's bytes may be a small part of a large buffer. */
  readonly reply: string | Uint8Array | undefined;
  /** When it came or was answered, whichever was later. */
  readonly time: number;
}

/** About what the record of a request takes beside its key and its reply. */
const RECORD_BYTES = 256;

/**
 * The replies to requests with a key, so that a client whose connection broke can repeat one without its being handled a
 * second time. Forgotten after a time, or earlier if there are too many.
 */
export class Answers {
  readonly #options: IdempotencyOptions;
  readonly #clock: Clock;
  /** By what makes a request the same; the one that changed last is last. */
  readonly #answers = new Map<string, Answer>();
  #bytes = 0;

  constructor(options: IdempotencyOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * A request has come.
   *
   * @returns whether it is the first time, and it has to be handled; or the reply that was given; or neither, because it is
   *   being handled: the reply will go to this member, too.
   */
  receive(
    asker: Member,
    packet: EventPacket,
  ): { readonly isNew: boolean; readonly reply?: string | Uint8Array | undefined } {
    this.#forgetOld();
    const identity = identityOf(asker, packet);
    const answer = this.#answers.get(identity);
    if (answer?.reply !== undefined) return { isNew: false, reply: answer.reply };
    if (answer !== undefined) this.#delete(identity, answer);
    const others = answer?.askers.filter(({ open }) => open) ?? [];
    this.#set(identity, { askers: [...others, asker], reply: undefined, time: this.#clock.now() });
    return { isNew: answer === undefined };
  }

  /** It was answered. Returns all who are to get the reply. */
  settle(asker: Member, packet: EventPacket, { binary, payload }: Frame): readonly Member[] {
    const identity = identityOf(asker, packet);
    const answer = this.#answers.get(identity);
    // It may have been forgotten while it was handled.
    if (answer === undefined) return [asker];
    this.#delete(identity, answer);
    const reply = binary ? Uint8Array.from(payload) : payload.toString();
    this.#set(identity, { askers: [], reply, time: this.#clock.now() });
    return answer.askers;
  }

  #set(identity: string, answer: Answer): void {
    this.#answers.set(identity, answer);
    this.#bytes += bytesOf(identity, answer);
    this.#forgetOld();
  }

  #delete(identity: string, answer: Answer): void {
    this.#answers.delete(identity);
    this.#bytes -= bytesOf(identity, answer);
  }

  #forgetOld(): void {
    const { within, maxBytes } = this.#options;
    const oldest = this.#clock.now() - within;
    for (const [identity, answer] of this.#answers) {
      if (answer.time >= oldest && this.#bytes <= maxBytes) return;
      this.#delete(identity, answer);
    }
  }
}

/** A user's key means nothing to others, and a reply is bytes of one codec with one id. */
function identityOf({ user, connection }: Member, { event, id, key }: EventPacket): string {
  return JSON.stringify([key, id, event, user?.id, connection.protocol]);
}

/** A string takes two bytes a character at most. */
function bytesOf(identity: string, { reply = "" }: Answer): number {
  return RECORD_BYTES + 2 * identity.length + 2 * reply.length;
}
