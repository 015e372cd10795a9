import { Hub } from "roomcast";
import { uws } from "roomcast/transports/uws";
import { WebSocket } from "ws";
import { memory } from "../../../src/transports/memory/index.ts";
import type { MemoryCloseEvent } from "../../../src/transports/memory/web-socket.ts";
import { withTopicsForAll } from "../../support/with-topics-for-all.ts";

/** A client that can be any WebSocket. */
export interface Client {
  send(message: string | Uint8Array): void;
  close(code: number): void;
  terminate(): void;
}

interface ClientHandlers {
  readonly message: (data: string | Uint8Array) => void;
  readonly close: (code: number) => void;
}

/** A hub, and how clients get to it. */
export interface HubUnderTest {
  readonly hub: Hub;
  connect(handlers: ClientHandlers): Client;
}

/** More than any program sends, so that nobody is closed for being slow. */
const OPTIONS = { maxBufferedBytes: 256 * 1024 * 1024 };

/** `topics`: uWebSockets.js, its topics used for every group however small, as otherwise for large ones only. */
export async function createHubUnderTest(name: "memory" | "ws" | "uws" | "topics"): Promise<HubUnderTest> {
  if (name === "memory") return createMemoryHub();
  const hub = new Hub({ ...OPTIONS, transport: name === "topics" ? withTopicsForAll(uws()) : name });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  return {
    hub,
    connect({ message, close }): Client {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      client.on("message", (data: Buffer, isBinary) => message(isBinary ? data : data.toString()));
      // What is cut while it connects reports an error before it closes.
      client.on("error", () => {});
      client.on("close", (code) => close(code));
      return client;
    },
  };
}

function createMemoryHub(): HubUnderTest {
  const transport = memory();
  return {
    hub: new Hub({ ...OPTIONS, transport }),
    connect({ message, close }): Client {
      const client = transport.connect();
      client.addEventListener("message", (event) => {
        const { data } = event as MessageEvent & { readonly data: string | ArrayBuffer };
        message(typeof data === "string" ? data : new Uint8Array(data));
      });
      client.addEventListener("close", (event) => close((event as MemoryCloseEvent).code));
      return client;
    },
  };
}
