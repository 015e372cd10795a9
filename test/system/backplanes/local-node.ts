import { Hub, HubError, type Backplane, type ClusterOptions, type HubOptions, type Socket } from "roomcast";
import { memory } from "roomcast/testing";
import { expect, vi, type TestContext } from "vitest";

/** A hub in this process, with one client in the room "x". */
export class LocalNode {
  readonly hub: Hub;
  /** What the client has received. */
  readonly received: string[] = [];
  /** The codes of what the hub's `error` event told. */
  readonly errors: unknown[] = [];
  readonly #connected: Promise<Socket>;

  constructor(backplane: Backplane, cluster: Partial<ClusterOptions> = {}, options: HubOptions = {}) {
    const transport = memory();
    this.hub = new Hub({ ...options, transport, backplane, welcome: false, cluster: { lease: 1_500, ...cluster } });
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

/** Creates a node, and closes its hub when the test is over. */
export function node(t: TestContext, ...args: ConstructorParameters<typeof LocalNode>): LocalNode {
  const created = new LocalNode(...args);
  t.onTestFinished(() => created.hub.close());
  return created;
}

/** Creates two nodes that know each other. */
export async function pair(t: TestContext, create: () => Backplane): Promise<[LocalNode, LocalNode]> {
  const two: [LocalNode, LocalNode] = [node(t, create(), { name: "one" }), node(t, create(), { name: "two" })];
  await together(two);
  return two;
}

/** Waits until nodes know each other, and hear everything that they want to hear. */
export async function together(all: readonly LocalNode[]): Promise<void> {
  await Promise.all(all.map((each) => each.socket));
  await until(() => all.every(({ hub }) => hub.backplaneState === "connected" && hub.nodes.length === all.length - 1));
  await Promise.all(all.map(({ hub }) => hub.synced()));
}

/** Waits until a condition is true. */
export function until(isSo: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 30_000, interval: 10 });
}
