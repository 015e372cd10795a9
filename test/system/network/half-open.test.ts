import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { Hub, jsonCodec, type Socket } from "roomcast";
import { describe, expect, onTestFinished, test } from "vitest";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { Opcode, rawFrame } from "../../../src/testing/raw-frame.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { WsClient } from "../../support/ws-client.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** A client that does all that clients do by themselves, until it is stopped. */
const PROGRAM = `
  import { WebSocket } from "ws";
  new WebSocket(process.argv[1]).on("close", () => process.exit());
`;

/** How many connections of this server's the process has not closed. The kernel may have more, which are nobody's. */
function heldConnections(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/self/net/tcp", "utf8").trim().split("\n").slice(1);
  return lines.filter((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) === true && state !== "0A" && inode !== "0";
  }).length;
}

describe.runIf(process.platform === "linux").each(TRANSPORTS)("half-open peers on %s", (transport) => {
  test("are found and released although no FIN ever arrives", async () => {
    const hub = new Hub({
      transport,
      // Who lives has to answer in time on a busy machine, too.
      heartbeat: { interval: 1_000, timeout: 1_000 },
      maxBufferedBytes: 64 * 1024 * 1024,
      path: undefined,
    });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const arrivals = new Map<string, (socket: Socket) => void>();
    const arrival = (url: string): Promise<Socket> => new Promise((resolve) => arrivals.set(url, resolve));
    hub.on("connection", (socket) => arrivals.get(socket.handshake.url)?.(socket));
    const departures: string[] = [];
    const allGone = new Promise<void>((resolve) => {
      hub.on("disconnection", ({ handshake }, { code }) => {
        if (departures.push(`${handshake.url} ${code}`) === 5) resolve();
      });
    });

    /** Sends bytes and nothing else: no pong, no answer to a close, no FIN. */
    async function dial(url: string, isReading: boolean, protocol?: string, ...more: Buffer[]): Promise<Socket> {
      const arrived = arrival(url);
      const tcp = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      // Both ways of ending a connection are the server's business.
      tcp.on("error", () => {});
      onTestFinished(() => void tcp.destroy());
      await once(tcp, "connect");
      if (isReading) tcp.resume();
      const headers =
        protocol === undefined ? UPGRADE_HEADERS : { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": protocol };
      tcp.write(rawRequest(url, headers));
      if (more.length > 0) {
        await once(tcp, "data");
        for (const bytes of more) tcp.write(bytes);
      }
      return arrived;
    }

    const lively = await WsClient.connect(`ws://127.0.0.1:${port}/lively`);
    await dial("/reads", true);
    await dial(
      "/library",
      true,
      jsonCodec.protocol,
      rawFrame(Opcode.text, '{"event":"hub:hello","data":{"protocol":1}}'),
    );
    await dial("/does-not-read", false);
    (await dial("/backlogged", false)).send(new Uint8Array(32 * 1024 * 1024));
    const stopped = arrival("/stopped");
    const child = spawn(
      process.execPath,
      ["--input-type=module", "--eval", PROGRAM, "--", `ws://127.0.0.1:${port}/stopped`],
      { cwd: PROJECT, stdio: "inherit" },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    await stopped;
    child.kill("SIGSTOP");

    await allGone;
    expect(departures.toSorted()).toEqual([
      "/backlogged 4201",
      "/does-not-read 4201",
      "/library 4201",
      "/reads 4201",
      "/stopped 4201",
    ]);
    expect(hub.stats().heartbeatLosses).toBe(5);
    // The close frame is never answered, so this takes as long as a transport waits for that.
    await expect.poll(() => heldConnections(port)).toBe(1);
    expect([...hub.sockets.values()].map(({ handshake }) => handshake.url)).toEqual(["/lively"]);
    expect((await lively.close()).code).toBe(1000);
  });
});
