import { isInteger, isObject, MAX_BYTES, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import type { Member } from "../members/member.ts";
import type { EventPacket } from "../protocol/packet.ts";
import type { Clock } from "../time/clock.ts";
import type { MessageFrame } from "../transports/transport.ts";

/** How long and how much the hub remembers of requests that clients may repeat. */
export interface IdempotencyOptions {
  /** For how long a repeated request gets the reply that was given, in milliseconds. */
  readonly within: number;
  /** The most that all remembered replies take, in bytes. The oldest are forgotten first. */
  readonly maxBytes: number;
}

/** What idempotent requests obey. */
export interface IdempotencySettings {
  /**
   * How long and how much the hub remembers of the requests that clients mark as `idempotent`, so that one which is
   * repeated after a lost connection is handled once. `false` remembers nothing.
   *
   * Default: `{ within: 120_000, maxBytes: 4 MiB }`.
   */
  readonly idempotency: IdempotencyOptions | false;
}

export const idempotencyOptions: Options<IdempotencySettings> = {
  idempotency: {
    default: { within: 120_000, maxBytes: 4 * 1024 * 1024 },
    rule: ["false or { within, maxBytes } in whole milliseconds and bytes", isIdempotency],
  },
};

function isIdempotency(value: unknown): boolean {
  if (value === false) return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== "within" && key !== "maxBytes")) return false;
  return isInteger(value["within"], 1, MAX_DELAY) && isInteger(value["maxBytes"], 1, MAX_BYTES);
}

/** What makes a member one who asks: the same user with the same subprotocol may repeat a request on another connection. */
export type Asker = Pick<Member, "connection" | "open" | "user">;

/** What is known of a request with a key. */
interface KnownRequest<A> {
  /** All who asked, while the request is handled. A network may deliver the first request after the repeated one. */
  readonly askers: readonly A[];
  /** The reply, once there is one. It is a copy, because a frame's bytes may be a small part of a large buffer. */
  readonly reply: string | Uint8Array | undefined;
  /** When the request came or was answered, whichever was later. */
  readonly time: number;
}

/** Approximate size of the record of a request without its key and its reply. */
const RECORD_BYTES = 256;

/**
 * The replies to requests with a key, so that a client whose connection broke can repeat such a request without its being
 * handled a second time. A reply is forgotten after a time, or earlier if there are too many.
 */
export class Idempotency<A extends Asker> {
  readonly #options: IdempotencyOptions;
  readonly #clock: Clock;
  /** The known requests by their identity; the one that changed last is last. */
  readonly #known = new Map<string, KnownRequest<A>>();
  #bytes = 0;

  constructor(options: IdempotencyOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Takes a request that came in.
   *
   * @returns whether the request is new and has to be handled; or the reply that was given; or neither, because the request is
   *   being handled: the reply will go to this member, too.
   */
  receive(
    asker: A,
    packet: EventPacket,
  ): { readonly isNew: boolean; readonly reply?: string | Uint8Array | undefined } {
    this.#forgetOld();
    const identity = identityOf(asker, packet);
    const known = this.#known.get(identity);
    if (known?.reply !== undefined) return { isNew: false, reply: known.reply };
    if (known !== undefined) this.#delete(identity, known);
    const others = known?.askers.filter(({ open }) => open) ?? [];
    this.#set(identity, { askers: [...others, asker], reply: undefined, time: this.#clock.now() });
    return { isNew: known === undefined };
  }

  /** Keeps the reply to a request. Returns all members that get the reply. */
  settle(asker: A, packet: EventPacket, { binary, payload }: MessageFrame): readonly A[] {
    const identity = identityOf(asker, packet);
    const known = this.#known.get(identity);
    // The request may have been forgotten while it was handled.
    if (known === undefined) return [asker];
    this.#delete(identity, known);
    const reply = binary ? Uint8Array.from(payload) : payload.toString();
    this.#set(identity, { askers: [], reply, time: this.#clock.now() });
    return known.askers;
  }

  #set(identity: string, request: KnownRequest<A>): void {
    this.#known.set(identity, request);
    this.#bytes += bytesOf(identity, request.reply);
    this.#forgetOld();
  }

  #delete(identity: string, request: KnownRequest<A>): void {
    this.#known.delete(identity);
    this.#bytes -= bytesOf(identity, request.reply);
  }

  #forgetOld(): void {
    const { within, maxBytes } = this.#options;
    const oldest = this.#clock.now() - within;
    for (const [identity, request] of this.#known) {
      if (request.time >= oldest && this.#bytes <= maxBytes) return;
      this.#delete(identity, request);
    }
  }
}

/** What makes two requests the same: a user's key means nothing to others, and a reply is bytes of one codec with one id. */
function identityOf({ user, connection }: Asker, { event, id, key }: EventPacket): string {
  return JSON.stringify([key, id, event, user?.id, connection.protocol]);
}

/** The most that a request takes: a string takes at most two bytes a character. */
function bytesOf(identity: string, reply: string | Uint8Array = ""): number {
  return RECORD_BYTES + 2 * identity.length + 2 * reply.length;
}
