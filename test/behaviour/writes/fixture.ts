import { once } from "node:events";
import { jsonCodec, type Codec, type Hub, type Packet, type Socket } from "roomcast";
import { WebSocket } from "ws";

/** Counts how often it encodes. */
export class CountingCodec implements Codec {
  encoded: number = 0;

  encode(packet: Packet): string | Uint8Array {
    this.encoded += 1;
    return jsonCodec.encode(packet);
  }

  decode(message: string | Uint8Array): unknown {
    return jsonCodec.decode(message);
  }
}

/** Connects clients one by one; resolves with them and the server's sockets in the same order. */
export async function connectAll(
  hub: Hub,
  url: string,
  count: number,
): Promise<{ clients: WebSocket[]; sockets: Socket[] }> {
  const clients: WebSocket[] = [];
  const sockets: Socket[] = [];
  hub.on("connection", (socket) => sockets.push(socket));
  for (let index = 0; index < count; index++) {
    const client = new WebSocket(url);
    clients.push(client);
    // oxlint-disable-next-line no-await-in-loop -- in order, so that both lists agree
    await once(client, "message");
  }
  return { clients, sockets };
}

/** Resolves when the client has received so many messages. */
export function receives(client: WebSocket, count: number): Promise<readonly string[]> {
  const received: string[] = [];
  return new Promise((resolve) => {
    client.on("message", (data: Buffer) => {
      received.push(data.toString());
      if (received.length === count) resolve(received);
    });
  });
}

/** The events in which a client was sent `count` messages: their names in order. */
export async function eventsOf(client: WebSocket, count: number): Promise<string[]> {
  return (await receives(client, count)).map((text) => (JSON.parse(text) as { event: string }).event);
}

/** Counts the turns of the event loop, until it is stopped. */
export function countTurns(): { readonly current: () => number; readonly stop: () => void } {
  let turns = 0;
  const next = (): void => {
    turns += 1;
    immediate = setImmediate(next);
  };
  let immediate = setImmediate(next);
  return { current: () => turns, stop: () => clearImmediate(immediate) };
}
