import type { PerMessageDeflateOptions } from "ws";
import type { Application } from "./peer.ts";

/** What `ws`, and what is built on it, is told of permessage-deflate: each message by itself, however short it is. */
export function perMessageDeflate({ compression }: Application): PerMessageDeflateOptions | false {
  return compression && { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 };
}
