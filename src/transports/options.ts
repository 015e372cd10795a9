import { isBoolean, isInteger, MAX_BYTES, type Options } from "../checks/option-rules.ts";

/** The options of a hub that every transport obeys. */
export interface WireSettings {
  /** The only URL path to accept, such as `"/chat"`. Default: any path. */
  readonly path: string | undefined;

  /**
   * The size of the largest message accepted from a client, in bytes. A larger one ends the connection with 1009. One
   * that would take more than 24 times as much memory once it is decoded is refused with `bad-packet`. Default: 1 MiB.
   */
  readonly maxMessageBytes: number;

  /**
   * Whether the server accepts permessage-deflate when a client offers it. Compression saves bytes and costs processor
   * time: on `ws` once for each message, however many sockets get it, on `uws` once for each socket. Default: `false`.
   */
  readonly compression: boolean;
}

/** The defaults and the rules of {@link WireSettings}. */
export const wireOptions: Options<WireSettings> = {
  path: {
    default: undefined,
    rule: [
      'a string that begins with "/" and has no query',
      (value) => typeof value === "string" && /^\/[^?#]*$/.test(value),
    ],
  },
  maxMessageBytes: {
    default: 1024 * 1024,
    rule: [`a whole number of bytes from 1 to ${MAX_BYTES}`, (value) => isInteger(value, 1, MAX_BYTES)],
  },
  compression: { default: false, rule: ["true or false", isBoolean] },
};
