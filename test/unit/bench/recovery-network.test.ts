import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Network } from "../../../bench/recovery/network.ts";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

/** A server that keeps its connections, in the order in which they came, and what it has read of each. */
class Peer {
  readonly sockets: Socket[] = [];
  readonly read: string[] = [];
  readonly ended: boolean[] = [];
  readonly #server: Server;

  static async listen(): Promise<Peer> {
    const peer = new Peer();
    await once(peer.#server, "listening");
    cleanup.push(() => peer.#server.close());
    return peer;
  }

  private constructor() {
    this.#server = createServer((socket) => {
      const index = this.sockets.push(socket) - 1;
      this.read[index] = "";
      socket.on("data", (bytes) => (this.read[index] += bytes.toString()));
      socket.on("error", () => {});
      socket.on("close", () => (this.ended[index] = true));
      cleanup.push(() => socket.destroy());
    }).listen(0, "127.0.0.1");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}

/** A client of the network, and what it has read. */
class Client {
  read = "";
  hasEnded = false;
  readonly socket: Socket;

  constructor(network: Network, id: number) {
    this.socket = connect(network.port, "127.0.0.1");
    this.socket.on("data", (bytes) => (this.read += bytes.toString()));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.hasEnded = true));
    this.socket.write(`GET /?client=${id}&rooms=r0 HTTP/1.1`);
    cleanup.push(() => this.socket.destroy());
  }
}

async function networkTo(...peers: readonly Peer[]): Promise<Network> {
  const made = await Network.to(peers.map(({ port }) => port));
  cleanup.push(() => made.close());
  return made;
}

/** A client that has reached the server and heard of it. */
async function connected(): Promise<{ readonly peer: Peer; readonly made: Network; readonly client: Client }> {
  const peer = await Peer.listen();
  const made = await networkTo(peer);
  const client = new Client(made, 7);
  await expect.poll(() => peer.read[0]).toContain("client=7");
  peer.sockets[0]?.write("hello");
  await expect.poll(() => client.read).toBe("hello");
  return { peer, made, client };
}

describe("the network", () => {
  test("carries both directions, and passes ends on", async () => {
    const { peer, client } = await connected();
    client.socket.write("more");
    await expect.poll(() => peer.read[0]).toContain("more");
    peer.sockets[0]?.end("bye");
    await expect.poll(() => client.hasEnded).toBe(true);
    expect(client.read).toBe("hellobye");
  });

  test("ends for the server when the client goes", async () => {
    const { peer, client } = await connected();
    client.socket.destroy();
    await expect.poll(() => peer.ended[0]).toBe(true);
  });

  test("cuts a connection for both ends", async () => {
    const { peer, made, client } = await connected();
    made.cut(8, "both");
    made.cut(7, "both");
    await expect.poll(() => client.hasEnded).toBe(true);
    await expect.poll(() => peer.ended[0]).toBe(true);
  });

  test("cuts a connection for the client alone: the server goes on sending", async () => {
    const { peer, made, client } = await connected();
    made.cut(7, "client");
    await expect.poll(() => client.hasEnded).toBe(true);
    const next = new Client(made, 7);
    await expect.poll(() => peer.sockets.length).toBe(2);
    peer.sockets[0]?.write("unheard");
    await expect.poll(() => peer.sockets[0]?.writableLength).toBe(0);
    expect(peer.ended[0]).toBeUndefined();
    // The next connection is the one that is cut from now on.
    await expect.poll(() => peer.read[1]).toContain("client=7");
    made.cut(7, "both");
    await expect.poll(() => next.hasEnded).toBe(true);
    expect(client.read).toBe("hello");
  });

  test("cuts a connection in the middle of what comes next", async () => {
    const { peer, made, client } = await connected();
    made.cut(7, "torn");
    expect(client.hasEnded).toBe(false);
    peer.sockets[0]?.write("0123456789");
    await expect.poll(() => client.hasEnded).toBe(true);
    await expect.poll(() => peer.ended[0]).toBe(true);
    expect(client.read).toBe("hello01234");
  });

  test("cuts nothing more when it is healed", async () => {
    const { peer, made, client } = await connected();
    made.cut(7, "torn");
    made.heal();
    peer.sockets[0]?.write("0123456789");
    await expect.poll(() => client.read).toBe("hello0123456789");
  });

  test("leads to several servers in turn", async () => {
    const [one, other] = [await Peer.listen(), await Peer.listen()];
    const made = await networkTo(one, other);
    for (const id of [0, 1, 2]) {
      const reached = one.sockets.length + other.sockets.length;
      const { socket } = new Client(made, id);
      await once(socket, "connect");
      await expect.poll(() => one.sockets.length + other.sockets.length).toBe(reached + 1);
    }
    expect([one.sockets.length, other.sockets.length]).toEqual([2, 1]);
  });
});
