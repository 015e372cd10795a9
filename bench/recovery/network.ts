import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { CutKind } from "./messages.ts";

/** The number of a client, in the query of its request. */
const CLIENT = /[?&]client=(\d+)/;

/** A connection of a client to a server. */
interface Link {
  readonly near: Socket;
  readonly far: Socket;
  /** Whether the next bytes to the client are its last. */
  isTorn: boolean;
  /** Whether the end of the client is none of the server's business. */
  isDetached: boolean;
}

/** The network between the clients and their servers, whose connections can be cut. Clients reach the servers in turn. */
export class Network {
  readonly #server: Server;
  readonly #ports: readonly number[];
  readonly #links = new Set<Link>();
  /** The present connection of each client. */
  readonly #linkOf = new Map<number, Link>();
  #connections = 0;

  static async to(ports: readonly number[]): Promise<Network> {
    const network = new Network(ports);
    await once(network.#server, "listening");
    return network;
  }

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near));
    this.#server.listen(0, "127.0.0.1");
  }

  /** The port that clients connect to. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the connection that the client has, if any. What is on its way is lost. */
  cut(client: number, kind: CutKind): void {
    const link = this.#linkOf.get(client);
    if (link === undefined) return;
    if (kind === "torn") {
      link.isTorn = true;
      return;
    }
    link.isDetached = kind === "client";
    reset(link.near);
    if (kind === "both") reset(link.far);
  }

  /** From now on no connection ends. */
  heal(): void {
    for (const link of this.#links) link.isTorn = false;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const { near, far } of this.#links) for (const end of [near, far]) reset(end);
    await closed;
  }

  #accept(near: Socket): void {
    const port = this.#ports[this.#connections++ % this.#ports.length] as number;
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    const link: Link = { near, far, isTorn: false, isDetached: false };
    this.#links.add(link);
    near.once("data", (head: Buffer) => this.#linkOf.set(Number(CLIENT.exec(head.toString("latin1"))?.[1]), link));
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      if (near.destroyed) return;
      if (!link.isTorn) {
        near.write(bytes);
        return;
      }
      near.end(bytes.subarray(0, bytes.length >> 1));
      reset(far);
    });
    // What was wrong is told by `close`.
    for (const end of [near, far]) end.on("error", () => {});
    near.on("close", () => {
      if (!link.isDetached) far.destroySoon();
    });
    far.on("close", () => {
      this.#links.delete(link);
      near.destroySoon();
    });
  }
}

/** Ends a connection as a machine does that knows nothing of it. What waits to be sent is lost. */
function reset(end: Socket): void {
  if (end.destroyed) return;
  // A socket whose own end is on its way cannot be reset any more: Node.js would never report its close.
  if (end.writableEnded) end.destroy();
  else end.resetAndDestroy();
}
