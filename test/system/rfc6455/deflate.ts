import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

/** The end of every flushed block. It is not sent (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** The window of an end that was asked for no smaller one, in bits. */
const LARGEST_WINDOW = 15;

/** One end's direction of permessage-deflate. */
interface Direction {
  readonly windowBits: number;
  /** Whether messages may refer to earlier ones. */
  readonly takeover: boolean;
  /** The end of what went this way, as far as later messages may refer to it. */
  context: Buffer;
}

/** The parameters of an offer or of an answer. */
type Parameters = ReadonlyMap<string, string | undefined>;

/** A client's end of permessage-deflate (RFC 7692), which keeps to what the server's answer says. */
export class Deflate {
  readonly #toServer: Direction;
  readonly #fromServer: Direction;

  /**
   * Returns what the server agreed on; `undefined` if it declined.
   *
   * @throws for an answer that accepts none of the offers: the client must fail the connection (RFC 7692 section 5.1).
   */
  static agreed(offers: string, answer: string | undefined): Deflate | undefined {
    if (answer === undefined) return undefined;
    const agreed = parse(answer);
    if (!offers.split(",").some((offer) => accepts(agreed, parse(offer)))) {
      throw new Error(`"${answer}" accepts no offer`);
    }
    return new Deflate(agreed);
  }

  private constructor(parameters: Parameters) {
    const direction = (end: string): Direction => ({
      windowBits: windowBitsOf(parameters, end),
      takeover: !parameters.has(`${end}_no_context_takeover`),
      context: Buffer.alloc(0),
    });
    this.#toServer = direction("client");
    this.#fromServer = direction("server");
  }

  deflate(payload: Uint8Array): Buffer {
    const { windowBits, context } = this.#toServer;
    const deflated = deflateRawSync(payload, {
      windowBits,
      finishFlush: constants.Z_SYNC_FLUSH,
      level: constants.Z_BEST_SPEED,
      ...dictionary(context),
    });
    remember(this.#toServer, payload);
    return deflated.subarray(0, -TAIL.length);
  }

  /** @throws if the data are none, or refer to what is outside the window that was agreed on. */
  inflate(payload: Uint8Array): Buffer {
    const { windowBits, context } = this.#fromServer;
    const inflated = inflateRawSync(Buffer.concat([payload, TAIL]), {
      windowBits,
      finishFlush: constants.Z_SYNC_FLUSH,
      // zlib does not look at the window for what is still in the chunk, so that a small window needs small chunks.
      ...(windowBits < LARGEST_WINDOW && { chunkSize: 64 }),
      ...dictionary(context),
    });
    remember(this.#fromServer, inflated);
    return inflated;
  }
}

function parse(extension: string): Parameters {
  return new Map(extension.split(";").map((part) => part.trim().split("=") as [string, string | undefined]));
}

function windowBitsOf(parameters: Parameters, end: string): number {
  return Number(parameters.get(`${end}_max_window_bits`) ?? LARGEST_WINDOW);
}

/**
 * Returns whether the answer accepts the offer: what the client asks of the server has to be repeated (RFC 7692 sections
 * 7.1.1.1 and 7.1.2.1), a window perhaps with a smaller one, and the client is asked for no window that it did not offer.
 */
function accepts(answer: Parameters, offer: Parameters): boolean {
  const asked = ["permessage-deflate", "server_no_context_takeover", "server_max_window_bits"];
  return (
    asked.every((name) => answer.has(name) || !offer.has(name)) &&
    windowBitsOf(answer, "server") <= windowBitsOf(offer, "server") &&
    (offer.has("client_max_window_bits") || !answer.has("client_max_window_bits"))
  );
}

function dictionary(context: Buffer): { readonly dictionary?: Buffer } {
  return context.length === 0 ? {} : { dictionary: context };
}

function remember(direction: Direction, payload: Uint8Array): void {
  if (!direction.takeover) return;
  direction.context = Buffer.concat([direction.context, payload]).subarray(-(2 ** direction.windowBits));
}
