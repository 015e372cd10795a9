import { Buffer } from "node:buffer";
import type { EventPacket, ReplyPacket } from "roomcast";
import { WebSocket } from "ws";
import type { Journal } from "./journal.ts";
import type { Platform } from "./scenario.ts";
import type { Sent } from "./server.ts";

/** Real WebSockets that note what the client does with them. */
export interface ObservedWebSockets {
  /** For the client's option. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => WebSocket;
  /** All that were made, the first one first. */
  readonly made: readonly WebSocket[];
}

/** A class of WebSockets for one client, so that the journal is known in the constructor. */
export function observeWebSockets(journal: Journal, platform: Platform): ObservedWebSockets {
  const made: WebSocket[] = [];

  class ObservedWebSocket extends WebSocket {
    readonly #ws: number;
    #wasOpen = false;

    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols);
      this.#ws = made.push(this) - 1;
      journal.note({ type: "dialled", ws: this.#ws });
      this.on("open", () => {
        this.#wasOpen = true;
      });
      this.on("close", () => journal.note({ type: "gone", ws: this.#ws }));
      this.on("message", (data: Buffer, isBinary) => this.#heard(data, isBinary));
      if (platform !== "ws") Object.defineProperty(this, "terminate", { value: undefined });
    }

    override send(data: Parameters<WebSocket["send"]>[0]): void {
      if (this.readyState === WebSocket.OPEN) journal.note({ type: "sent", ws: this.#ws, ...sentIn(data) });
      super.send(data);
    }

    /** What is set as `onclose` comes here, too. */
    override addEventListener<K extends keyof WebSocket.WebSocketEventMap>(
      type: K,
      listener: Listener<WebSocket.WebSocketEventMap[K]>,
      options?: object,
    ): void {
      super.addEventListener(
        type,
        type === "close" ? (event) => this.#closed(event as never, listener) : listener,
        options,
      );
    }

    #closed(event: Told, listener: Listener<never>): void {
      if (platform === "error alone" && !this.#wasOpen) return;
      const told = asTold(platform, event);
      journal.note({ type: "ended", ws: this.#ws, code: told.code });
      if (typeof listener === "function") listener(told as never);
    }

    #heard(data: Buffer, isBinary: boolean): void {
      // What arrives while the client closes the connection, it does not hear.
      if (this.readyState !== WebSocket.OPEN) return;
      journal.note({ type: "heard", ws: this.#ws, at: performance.now() });
      if (isBinary) return;
      const { event, data: content } = JSON.parse(data.toString()) as Partial<EventPacket>;
      if (event === "hub:welcome") {
        journal.note({ type: "welcomed", ws: this.#ws, id: (content as { readonly id: string }).id });
      } else if (event === "hub:ping") {
        journal.note({ type: "pinged", ws: this.#ws });
      }
    }
  }

  return { WebSocket: ObservedWebSocket, made };
}

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** What a platform tells of an end. */
type Told = Pick<WebSocket.CloseEvent, "code" | "reason">;

function asTold(platform: Platform, { code, reason }: Told): Partial<Told> {
  if (platform === "never a code") return {};
  if (code !== LOST) return platform === "1005" ? { code: 1005, reason: "" } : { code, reason };
  switch (platform) {
    case "no code":
      return {};
    case "code 0":
      return { code: 0, reason };
    case "code 5006":
      return { code: 5006, reason };
    default:
      return { code, reason };
  }
}

/** The code of an end without a close frame. */
const LOST = 1006;

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
