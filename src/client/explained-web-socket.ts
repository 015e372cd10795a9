import type { Close } from "../protocol/close-codes.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";
import { explain, type PlatformError } from "./why.ts";

type Listener = ((event: never) => void) | null;

/** What the client looks at in an event `error` or `close`. */
type Ended = PlatformError & Partial<Close>;

/**
 * Returns a class like the given one, with a reason for people in the events `error` and `close` of a connection that could
 * not be opened.
 */
export function explained(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return class implements WebSocketLike {
    readonly #socket: WebSocketLike;
    #isOpen = false;
    #reason = "The connection was not opened.";

    constructor(url: string, protocols: string[]) {
      this.#socket = new WebSocket(url, protocols);
      // Some platforms have no such method, and the client asks for it.
      if (this.#socket.terminate) this.terminate = () => this.#socket.terminate?.();
    }

    terminate?(): void;

    get readyState(): number {
      return this.#socket.readyState;
    }

    get protocol(): string | null | undefined {
      return this.#socket.protocol;
    }

    get binaryType(): string {
      return this.#socket.binaryType;
    }

    set binaryType(type: string) {
      this.#socket.binaryType = type;
    }

    get onopen(): Listener {
      return this.#socket.onopen;
    }

    set onopen(listener: Listener) {
      this.#socket.onopen = (event) => {
        // Most platforms end a connection without the subprotocol by themselves, and say so.
        if (this.#socket.protocol === "") {
          this.onclose?.({ message: "subprotocol" } as never);
          this.close();
        } else {
          this.#isOpen = true;
          listener?.(event);
        }
      };
    }

    get onmessage(): Listener {
      return this.#socket.onmessage;
    }

    set onmessage(listener: Listener) {
      this.#socket.onmessage = listener;
    }

    get onerror(): Listener {
      return this.#socket.onerror;
    }

    set onerror(listener: Listener) {
      this.#socket.onerror = this.#explaining(listener);
    }

    get onclose(): Listener {
      return this.#socket.onclose;
    }

    set onclose(listener: Listener) {
      this.#socket.onclose = this.#explaining(listener);
    }

    send(data: string | Uint8Array<ArrayBuffer>): void {
      this.#socket.send(data);
    }

    close(...how: [code?: number, reason?: string]): void {
      this.#socket.close(...how);
    }

    #explaining(listener: Listener): Listener {
      return (event: Ended) => {
        if (this.#isOpen) listener?.(event as never);
        else {
          this.#reason = explain(event) ?? this.#reason;
          // React Native tells it in `close`, right after an `error` that tells nothing.
          queueMicrotask(() => listener?.({ code: event.code, reason: this.#reason } as never));
        }
      };
    }
  };
}
