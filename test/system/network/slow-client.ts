import { Hub, type HubOptions, type Socket, type TransportName } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import type { TestContext } from "vitest";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { SlowReader } from "../../support/slow-reader.ts";
import { addressOn, type Wire } from "../../support/wires.ts";

export const KIB = 1024;

/**
 * What a client agrees on with the hub. The one that speaks MessagePack is a client of the library, without a heartbeat,
 * whose questions to such clients are events among the others.
 */
export type Kind = "plain" | "compressed" | "MessagePack";

const KINDS: Readonly<Record<Kind, { readonly options: HubOptions; readonly headers: Record<string, string> }>> = {
  plain: { options: {}, headers: {} },
  compressed: { options: { compression: true }, headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } },
  MessagePack: {
    options: { codecs: [msgpackCodec], heartbeat: false },
    headers: { "Sec-WebSocket-Protocol": msgpackCodec.protocol },
  },
};

/** A hub with one client that reads slowly. */
export interface SlowClient {
  readonly hub: Hub;
  readonly socket: Socket;
  readonly reader: SlowReader;
  /** The code that the hub reports of the end. */
  readonly code: Promise<number>;
}

let last: Promise<unknown> = Promise.resolve();

/** Does this after what was to be done before: a hundred TLS handshakes at once last longer than a server waits. */
function inTurn<V>(task: () => Promise<V>): Promise<V> {
  const result = last.then(task);
  last = result.catch(() => {});
  return result;
}

/** Starts a hub without the welcome, with one client that reads `rate` KiB a second. Both end with the test. */
export async function connectSlowClient(
  transport: TransportName,
  wire: Wire,
  rate: number,
  { onTestFinished }: TestContext,
  { kind = "plain", ...more }: HubOptions & { readonly kind?: Kind } = {},
): Promise<SlowClient> {
  const { options, headers } = KINDS[kind];
  const hub = new Hub({ transport, welcome: false, ...options, ...more });
  const where = addressOn(wire);
  const { port } = await hub.listen(where);
  const connected = new Promise<Socket>((resolve) => void hub.once("connection", resolve));
  const code = new Promise<number>((resolve) => {
    hub.once("disconnection", (_socket, close) => resolve(close.code));
  });
  const reader = await inTurn(() => SlowReader.connect(where, port, { rate: rate * KIB, headers }));
  onTestFinished(() => {
    reader.vanish();
    return hub.close({ within: 0 });
  });
  if (kind === "MessagePack") {
    reader.send(Opcode.binary, msgpackCodec.encode({ event: "hub:hello", data: { protocol: 1 } }));
    await reader.has(1);
    // What the library's clients are always greeted with.
    reader.messages.shift();
  }
  return { hub, reader, code, socket: await connected };
}
