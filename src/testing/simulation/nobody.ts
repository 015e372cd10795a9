import { MemoryTransport } from "../../transports/memory/index.ts";
import type { Carrier } from "../../transports/memory/pipe.ts";

const nothing = (): void => {};

/** Creates the transport of a place where no node is: every connection is refused. */
export function nobody(carry: Carrier): MemoryTransport {
  const transport = new MemoryTransport(carry);
  transport.start(
    {
      upgrade: () => ({ accept: false, status: 503, message: "Service Unavailable" }),
      open: nothing,
      message: nothing,
      ping: nothing,
      pong: nothing,
      drain: nothing,
      overflow: nothing,
      ending: nothing,
      close: nothing,
      gone: nothing,
      error: nothing,
    },
    {
      path: undefined,
      maxMessageBytes: 0,
      maxBufferedBytes: 0,
      compression: false,
      handshakeTimeout: 0,
      maxConnections: undefined,
    },
  );
  return transport;
}
