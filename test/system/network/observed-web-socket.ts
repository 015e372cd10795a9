import { Buffer } from "node:buffer";
import type { EventPacket, ReplyPacket } from "roomcast";
import { WebSocket } from "ws";
import type { Journal } from "./journal.ts";
import type { Sent } from "./server.ts";

/** Real WebSockets that note what the client does with them. */
export interface ObservedWebSockets {
  /** For the client's option. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => WebSocket;
  /** All that were made, the first one first. */
  readonly made: readonly WebSocket[];
}

/** A class of WebSockets for one client, so that the journal is known in the constructor. */
export function observeWebSockets(journal: Journal): ObservedWebSockets {
  const made: WebSocket[] = [];

  class ObservedWebSocket extends WebSocket {
    readonly #ws: number;

    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      this.#ws = made.push(this) - 1;
      journal.note({ type: "dialled", ws: this.#ws });
      this.on("close", () => journal.note({ type: "gone", ws: this.#ws }));
      this.on("message", (data: Buffer, isBinary) => this.#heard(data, isBinary));
    }

    override send(data: Parameters<WebSocket["send"]>[0]): void {
      if (this.readyState === WebSocket.OPEN) journal.note({ type: "sent", ws: this.#ws, ...sentIn(data) });
      super.send(data);
    }

    #heard(data: Buffer, isBinary: boolean): void {
      if (isBinary) return;
      const { event, data: content } = JSON.parse(data.toString()) as Partial<EventPacket>;
      if (event === "hub:welcome") {
        journal.note({ type: "welcomed", ws: this.#ws, id: (content as { readonly id: string }).id });
      } else if (event === "hub:ping" && this.readyState === WebSocket.OPEN) {
        journal.note({ type: "pinged", ws: this.#ws });
      }
    }
  }

  return { WebSocket: ObservedWebSocket, made };
}

function sentIn(data: unknown): {
  readonly packet: EventPacket | ReplyPacket;
  readonly n: number | undefined;
} {
  if (typeof data !== "string") {
    return { packet: { event: "bytes" }, n: Number(Buffer.from(data as Uint8Array).toString()) };
  }
  const packet = JSON.parse(data) as EventPacket | ReplyPacket;
  return { packet, n: (packet.data as Partial<Sent> | undefined)?.n };
}
