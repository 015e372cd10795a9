import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { constants, inflateRawSync } from "node:zlib";
import type { WebSocket as NativeSocket, WebSocketBehavior } from "uWebSockets.js";
import { Hub, type ListenOptions, type Socket } from "roomcast";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { loadLibrary } from "../../../../src/transports/uws/library.ts";
import { listenOn } from "../../../../src/transports/uws/listening.ts";
import { SlowReader } from "../../../support/slow-reader.ts";
import { TRANSPORTS } from "../../../support/transports.ts";
import { addressOn } from "../../../support/wires.ts";
import { DEFLATE, QUICK } from "./uws-fixture.ts";

const MEGABYTE = randomBytes(1_000_000);

const ON_TCP = addressOn("TCP");

/** The end of what a compressed message leaves out (RFC 7692 section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** The methods of a native socket that compress. The declarations of the library leave out those for fragments. */
interface CompressingSender {
  send(message: string, isBinary: boolean, compress: boolean): number;
  sendFirstFragment(fragment: string, isBinary: boolean, compress: boolean): number;
  sendLastFragment(fragment: string, compress: boolean): number;
}

/** A time in which a client on the same machine reads everything that comes, in milliseconds. */
const LONG = 400;

/** Starts the library without roomcast, for one client. */
function bare(
  where: ListenOptions,
  behaviour: WebSocketBehavior<unknown>,
): { native: Promise<NativeSocket<unknown>>; port: number } {
  const library = loadLibrary();
  const app = library.App();
  onTestFinished(() => {
    app.close();
    if (where.socketPath !== undefined) rmSync(where.socketPath, { force: true });
  });
  const opened = new Promise<NativeSocket<unknown>>((resolve) => {
    app.ws("/*", { idleTimeout: 0, maxBackpressure: 0, ...behaviour, open: (native) => resolve(native) });
  });
  const listening = listenOn(app, where);
  if (listening === false) throw new Error("The library does not listen.");
  return { native: opened, port: library.us_socket_local_port(listening) };
}

describe.runIf(TRANSPORTS.includes("uws"))("a large message that is sent when the client has read", () => {
  test("stands still for ever if the bare library sends it from its callback", async () => {
    let isSent = false;
    const where = addressOn("a Unix socket");
    const { native } = bare(where, {
      drain: (socket) => {
        if (isSent || socket.getBufferedAmount() > 0) return;
        isSent = true;
        socket.send(MEGABYTE, true);
      },
    });
    const reader = await SlowReader.connect(where, 0, { rate: 0 });
    onTestFinished(() => reader.vanish());
    (await native).send(MEGABYTE, true);
    reader.rate = QUICK;
    await reader.has(1);
    await sleep(LONG);
    const read = reader.bytesRead;
    expect(read).toBeLessThan(2_000_000);
    await sleep(LONG);
    expect([reader.bytesRead, reader.messages.length]).toEqual([read, 1]);
    // Anything that is sent sets it going.
    (await native).send("go on");
    await reader.has(3);
    expect(reader.messages.map(({ length }) => length)).toEqual([1_000_000, 1_000_000, 5]);
  });

  test.each(["a Unix socket", "TLS over a Unix socket"] as const)("arrives from a hub over %s", async (wire) => {
    const hub = new Hub({ transport: "uws", welcome: false });
    const where = addressOn(wire);
    const { port } = await hub.listen(where);
    onTestFinished(() => hub.close());
    const connected = new Promise<Socket>((resolve) => void hub.once("connection", resolve));
    const reader = await SlowReader.connect(where, port, { rate: 0 });
    onTestFinished(() => reader.vanish());
    const socket = await connected;
    for (let count = 0; count < 2; count++) {
      socket.send(MEGABYTE);
      await sleep(0);
    }
    reader.rate = QUICK;
    await reader.has(2);
    expect(reader.messages.map((message) => message.equals(MEGABYTE))).toEqual([true, true]);
    await expect.poll(() => hub.stats().pendingBytes).toBe(0);
  });
});

test.runIf(TRANSPORTS.includes("uws"))(
  "no client inflates what the bare library makes of compressed fragments",
  async () => {
    const { native, port } = bare(ON_TCP, { compression: loadLibrary().SHARED_COMPRESSOR });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, ...DEFLATE }));
    const sender = (await native) as unknown as CompressingSender;
    expect((await client.response())?.status).toBe(101);

    const text = "what is said twice is said twice. ".repeat(1_000);
    const inflated = async (count: number): Promise<string> => {
      const payloads: Buffer[] = [];
      while (payloads.length < count) payloads.push((await client.frame())?.payload as Buffer);
      return inflateRawSync(Buffer.concat([...payloads, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
    };
    sender.send(text, false, true);
    expect(await inflated(1)).toBe(text);
    sender.sendFirstFragment(text, false, true);
    sender.sendLastFragment(text, true);
    await expect(inflated(2)).rejects.toThrow(/invalid|incorrect|unexpected/);
  },
);

test.runIf(TRANSPORTS.includes("uws"))("loading the library leaves nothing in the environment", () => {
  loadLibrary();
  expect(process.env["UWS_HTTP_MAX_HEADERS_SIZE"]).toBeUndefined();
});
