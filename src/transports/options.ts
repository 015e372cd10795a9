import { isBoolean, isInteger, MAX_BYTES, type Options } from "../checks/option-rules.ts";

/** What every transport obeys, as far as users set it. */
export interface WireSettings {
  /** The only URL path to accept, such as `"/chat"`. Default: any path. */
  readonly path: string | undefined;

  /** The largest message accepted from a client, in bytes. A larger one closes with 1009. Default: 1 MiB. */
  readonly maxMessageBytes: number;

  /**
   * Whether to offer permessage-deflate. It saves bytes and costs processor time: on `ws` once for a message, however
   * many sockets it goes to, on `uws` for each of them. Default: `false`.
   */
  readonly compression: boolean;
}

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
