import { Buffer } from "node:buffer";
import { Hub, type Backplane, type BackplaneHandlers, type Codec } from "roomcast";
import { memory } from "roomcast/testing";
import { encodeBundle, encodeControl, encodeFrames, encodeValue, type Control } from "../../../src/cluster/envelope.ts";
import { settle } from "../../../src/testing/settle.ts";

/** The id of a node that the recorded one sends to, and that of a socket there. */
export const PEER = "peer-node-";
export const PEER_SOCKET = "peer-node-abcdefghijklmnopqrstu";

/** A bundle that was published: its channel, and its bytes in base64. */
export type Published = readonly [channel: string, bundle: string];

/** What a node of one release publishes, with its id and that of its only socket. */
export interface Recording {
  readonly node: string;
  readonly socket: string;
  /** The bundles of each operation. */
  readonly operations: Readonly<Record<string, readonly Published[]>>;
}

/** A connection to an engine that the test itself is. */
export class HandBackplane implements Backplane {
  readonly ordered = true;
  published: Published[] = [];
  #handlers: BackplaneHandlers | undefined;

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    queueMicrotask(() => handlers.up());
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    this.published.push([channel, Buffer.from(envelope).toString("base64")]);
  }

  async subscribe(): Promise<void> {}

  unsubscribe(): void {}

  async close(): Promise<void> {}

  /** Hands a bundle over to the hub. */
  receive(channel: string, bundle: Uint8Array): void {
    this.#handlers?.message(channel, Uint8Array.from(bundle));
  }
}

/**
 * Performs every operation that a hub carries out on other nodes, and records what it publishes.
 *
 * @param codecs - the codecs of the hub, besides that of plain clients.
 */
export async function record(codecs: readonly Codec[] = []): Promise<Recording> {
  const backplane = new HandBackplane();
  const transport = memory();
  const cluster = { name: "recorded" };
  const hub = new Hub({ transport, backplane, codecs, heartbeat: false, welcome: false, cluster });
  const operations: Record<string, readonly Published[]> = {};
  const perform = async (operation: string, run: () => unknown): Promise<void> => {
    await settle();
    backplane.published = [];
    run();
    await settle();
    operations[operation] = backplane.published;
  };
  const ask = (channel: string, envelope: Buffer): void => backplane.receive(channel, encodeBundle(PEER, [envelope]));
  const tell = (channel: string, control: Control): void => ask(channel, encodeControl(control));

  await settle();
  operations["arrive"] = backplane.published;
  tell("nodes", { type: "alive", name: "peer", asks: false });
  const connected = new Promise<string>((resolve) => {
    hub.once("connection", (socket) => {
      socket.join("lobby");
      resolve(socket.id);
    });
  });
  const client = transport.connect("/");
  client.addEventListener("message", (message) => {
    const { data } = message as MessageEvent;
    const { id } = (typeof data === "string" ? JSON.parse(data) : {}) as { readonly id?: number };
    if (id !== undefined) client.send(JSON.stringify({ reply: id, data: "reply" }));
  });
  const socket = await connected;
  const [lobby, union] = [hub.to("lobby"), hub.to(["lobby", "attic"])];

  await perform("emit to a room", () => lobby.emit("news", { text: "ä" }));
  await perform("emit to a union", () => union.emit("news", 1));
  await perform("emit with exceptions", () => lobby.except("attic").emit("news", 2));
  await perform("emit to everybody", () => hub.emit("news", 3));
  await perform("emit to a user", () => hub.toUser("ann").emit("news", 4));
  await perform("emit to a socket", () => hub.toSocket(PEER_SOCKET).emit("news", 5));
  await perform("emit volatile", () => lobby.volatile.emit("news", 6));
  await perform("emit the latest", () => lobby.latest("price").emit("news", 7));
  await perform("send a text", () => lobby.send('"text"'));
  await perform("send bytes", () => lobby.send(new Uint8Array([1, 2, 255])));
  await perform("request", () => void lobby.request("question", 8, { timeout: 1_000 }));
  await perform("request of a union", () => void union.request("question", 9, { timeout: 1_000 }));
  await perform("sockets", () => void lobby.sockets());
  await perform("join a room", () => lobby.join("kitchen"));
  await perform("emit behind a join", () => hub.to("kitchen").emit("news", 10));
  await perform("request behind a join", () => void hub.to("kitchen").request("question", 11, { timeout: 1_000 }));
  await perform("leave a room", () => lobby.leave("kitchen"));
  await perform("a message to programs", () => hub.emitToNodes("reload", { when: new Date(0), set: new Set([1]) }));
  await perform("a message to one program", () => hub.toNode(PEER).emit("reload", 12));
  await perform("a request to programs", () => void hub.requestNodes("question", 13, { timeout: 1_000 }));
  await perform("a request to one program", () => void hub.toNode(PEER).request("question", 14, { timeout: 1_000 }));
  hub.handleNode("question", (data) => data);
  await perform("answer a request to programs", () => {
    const data = encodeValue(new Set([15]));
    tell("nodes", { type: "request", id: 9, event: "question", data, nodes: [hub.node?.id ?? ""], timeout: 1_000 });
  });
  await perform("answer a request", () => {
    const messages = [{ protocol: undefined, binary: false, payload: Buffer.from('{"event":"question","id":7}') }];
    const asking = { id: 7, event: "question", timeout: 1_000 };
    ask("room:lobby", encodeFrames({ selection: {}, manner: {}, asking, messages }));
    tell("nodes", { type: "probe", id: 7, routes: ["room:lobby"], timeout: 1_000 });
  });
  await perform("describe sockets", () => {
    const audience = { everybody: true, rooms: [], users: [], sockets: [], exceptRooms: [], exceptSockets: [] };
    const rest = { volatile: false, uncompressed: false, overload: undefined, local: false };
    tell("nodes", { type: "describe", id: 8, audience: { ...audience, ...rest }, keys: [] });
  });
  await perform("answer who is there", () => tell("nodes", { type: "who" }));
  await perform("close", () => lobby.close(4_005, "bye"));
  backplane.published = [];
  await hub.close();
  operations["leave"] = backplane.published;
  return { node: hub.node?.id ?? "", socket, operations };
}
