import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket as TcpSocket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Hub, type HubOptions, type TransportName } from "roomcast";
import { describe, expect, it, onTestFinished } from "vitest";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { Opcode, rawFrame } from "../../../src/testing/raw-frame.ts";
import { TRANSPORTS } from "../../support/transports.ts";

/** More than the system takes for a client that does not read. */
const MUCH = randomBytes(4 * 1024 * 1024);

/** So little that the system takes it, and that a client which reads at the least speed needs 16 seconds for it. */
const LITTLE = randomBytes(256 * 1024);

/** A client that never ends its TCP connection. */
class Clinging {
  readonly tcp: TcpSocket;
  /** Whether the client was let in, once it was answered. */
  readonly isIn: Promise<boolean>;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}) {
    this.tcp = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.tcp.on("error", () => {});
    this.tcp.write(rawRequest("/", { ...UPGRADE_HEADERS, ...headers }));
    this.isIn = new Promise((resolve) => {
      this.tcp.once("data", (data) => resolve(data.includes("101 Switching")));
      this.tcp.once("close", () => resolve(false));
    });
    onTestFinished(() => void this.tcp.destroy());
  }
}

class Host {
  readonly hub: Hub;
  readonly #port: number;

  static async open(transport: TransportName, options: HubOptions): Promise<Host> {
    const hub = new Hub({ transport, heartbeat: false, welcome: false, ...options });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    return new Host(hub, port);
  }

  constructor(hub: Hub, port: number) {
    this.hub = hub;
    this.#port = port;
  }

  dial(headers?: Readonly<Record<string, string>>): Clinging {
    return new Clinging(this.#port, headers);
  }

  /** The number of descriptors that the server has for clients. A socket without a descriptor has no inode. */
  get descriptors(): number {
    const port = this.#port.toString(16).toUpperCase().padStart(4, "0");
    return readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state, , , , , , inode]) => local?.endsWith(`:${port}`) && state !== LISTEN && inode !== "0")
      .length;
  }

  async allFree(): Promise<void> {
    while (this.hub.stats().closing > 0) await sleep(50);
  }
}

const LISTEN = "0A";

describe.skipIf(process.platform !== "linux").each(TRANSPORTS)("descriptors, on %s", (transport) => {
  it(
    "an address has no more of them than places, whichever way its connections end",
    { timeout: 180_000 },
    async () => {
      const host = await Host.open(transport, { maxConnectionsPerAddress: 10, maxBufferedBytes: 8 * 1024 * 1024 });
      let opened = 0;
      host.hub.on("connection", (socket) => {
        opened++;
        if (opened % 3 === 0) socket.send(MUCH);
        if (opened % 5 !== 0) socket.close(4003);
      });
      for (let attempt = 0; attempt < 100; attempt++) {
        const client = host.dial(attempt % 4 === 0 ? { "Sec-WebSocket-Protocol": "roomcast.v1.json" } : {});
        if (!(await client.isIn)) client.tcp.destroy();
        // The library client's hello is wrong, which ends it; most others say goodbye, and some vanish.
        else if (attempt % 7 === 0) client.tcp.resetAndDestroy();
        else client.tcp.write(attempt % 4 === 0 ? rawFrame(Opcode.text, "rubbish") : rawFrame(Opcode.close));
        // The descriptor of a client that was refused is free a little after its end.
        await expect.poll(() => host.descriptors).toBeLessThanOrEqual(10);
      }
      expect(host.hub.stats().refusals).toBeGreaterThan(50);
      await host.allFree();
      expect(host.descriptors).toBe(0);
      expect(await host.dial().isIn).toBe(true);
    },
  );

  it("are free within a bound, whatever a client does that is closed", { timeout: 180_000 }, async () => {
    const host = await Host.open(transport, { maxConnections: 12, maxBufferedBytes: 8 * 1024 * 1024 });
    let opened = 0;
    host.hub.on("connection", (socket) => {
      socket.send(opened++ < 8 ? MUCH : LITTLE);
      // Later, so that the library has written what it can, and holds the rest.
      setTimeout(() => socket.close(4003), 200);
    });
    const codes: number[] = [];
    host.hub.on("disconnection", (_socket, { code }) => codes.push(code));
    const clients: Clinging[] = [];
    for (let count = 0; count < 12; count++) {
      const client = host.dial();
      expect(await client.isIn).toBe(true);
      client.tcp.pause();
      clients.push(client);
    }
    expect(await host.dial().isIn).toBe(false);
    // A third reads nothing, a third reads once, and a third reads a little now and then, and does not answer.
    const trickle = setInterval(() => {
      for (const { tcp } of clients.slice(8)) tcp.read(16_384);
    }, 300);
    onTestFinished(() => clearInterval(trickle));
    setTimeout(() => {
      for (const { tcp } of clients.slice(4, 8)) tcp.read();
    }, 1_000);
    while (codes.length < 12) await sleep(20);
    expect(host.hub.stats()).toMatchObject({ connections: 0, closing: 12 });
    expect(await host.dial().isIn).toBe(false);
    await host.allFree();
    expect(codes).toEqual(clients.map(() => 4003));
    expect(host.descriptors).toBe(0);
    expect(await host.dial().isIn).toBe(true);
  });
});
