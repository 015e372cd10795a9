import { Hub, type Socket } from "roomcast";
import { memory } from "roomcast/testing";

/** A hub in memory with one client, whose socket is in the room "lobby". */
export interface MemoryHub {
  readonly hub: Hub;
  readonly socket: Socket;
  /** What the client has received so far. */
  readonly received: readonly string[];
  /** Resolves with the client's next message. */
  readonly next: () => Promise<string>;
  /** Everything that the client was sent up to now: a last message is sent and waited for, to be sure. */
  readonly arrived: () => Promise<readonly string[]>;
}

export async function createMemoryHub(): Promise<MemoryHub> {
  const transport = memory();
  const hub = new Hub({ transport, welcome: false, maxBufferedBytes: 1024 });
  const connected = new Promise<Socket>((resolve) => hub.on("connection", resolve));
  const client = transport.connect();
  const received: string[] = [];
  client.addEventListener("message", (event) => received.push(textOf(event)));
  const socket = await connected;
  socket.join("lobby");

  const next = (): Promise<string> =>
    new Promise((resolve) => {
      client.addEventListener("message", (event) => resolve(textOf(event)), { once: true });
    });
  return {
    hub,
    socket,
    received,
    next,
    arrived: async () => {
      const before = received.length;
      socket.send("fence");
      for (let message = ""; message !== "fence"; message = received.at(-1) ?? "") await next();
      return received.slice(before, -1);
    },
  };
}

function textOf(event: Event): string {
  return (event as MessageEvent).data as string;
}
