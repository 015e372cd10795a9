import { Hub, HubError, type Backplane, type ClusterOptions, type Socket } from "roomcast";
import { memory } from "roomcast/testing";

/** A hub in this process, with one client in the room "x". */
export class LocalNode {
  readonly hub: Hub;
  /** What the client has received. */
  readonly received: string[] = [];
  /** The codes of what the hub's `error` event told. */
  readonly errors: unknown[] = [];
  readonly #connected: Promise<Socket>;

  constructor(backplane: Backplane, cluster: Partial<ClusterOptions> = {}) {
    const transport = memory();
    this.hub = new Hub({ transport, backplane, welcome: false, cluster: { lease: 1_500, ...cluster } });
    this.hub.on("error", (error) => this.errors.push(error instanceof HubError ? error.code : error));
    this.#connected = new Promise((resolve) => {
      this.hub.on("connection", (socket) => {
        socket.join("x");
        resolve(socket);
      });
    });
    const client = transport.connect();
    client.addEventListener("message", (event) => this.received.push((event as MessageEvent).data as string));
  }

  get socket(): Promise<Socket> {
    return this.#connected;
  }

  get names(): readonly string[] {
    return this.hub.nodes.map(({ name }) => name);
  }

  /** Sends to the room, on all nodes. */
  say(text: string): void {
    this.hub.to("x").send(text);
  }
}
