import { pbkdf2, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, deflateRawSync } from "node:zlib";
import { Hub } from "roomcast";
import { overSockets, RawClient } from "roomcast/testing";
import { ws } from "roomcast/transports/ws";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RawFrame } from "../../src/testing/raw-frame.ts";
import { closePayload, Opcode, rawFrame } from "../../src/testing/raw-frame.ts";
import { rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { TransportFixture, sequence } from "../../src/testing/suite/transport-fixture.ts";
import { WsClient } from "../support/ws-client.ts";
import { inflate } from "../support/inflate.ts";

const TEXT = "a text that repeats itself, ".repeat(100);
const LETTERS = randomBytes(3_000).toString("base64");

/** A raw client and what the server agreed on with it. */
interface Raw {
  readonly client: RawClient;
  readonly agreed: string | undefined;
}

describe("Compression on ws", () => {
  let server: Server;
  let hub: Hub;
  let port: number;
  /** What each connection of the server has written, in the order of connecting. */
  let writes: Uint8Array[][];
  let raws: RawClient[];
  /** The server's ends of the connections. */
  let tcps: TcpSocket[];

  beforeEach(async () => {
    writes = [];
    raws = [];
    tcps = [];
    server = createServer().on("connection", (tcp) => {
      tcps.push(tcp);
      const own: Uint8Array[] = [];
      writes.push(own);
      /* oxlint-disable no-underscore-dangle -- that is what Node calls the method */
      const write = tcp._write.bind(tcp);
      tcp._write = (chunk: Uint8Array, encoding, callback) => {
        own.push(chunk);
        write(chunk, encoding, callback);
      };
      /* oxlint-enable no-underscore-dangle */
    });
    hub = new Hub({ transport: ws({ server }), compression: true, welcome: false });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });

  afterEach(async () => {
    for (const raw of raws) raw.vanish();
    await hub.close();
    server.close();
    await once(server, "close");
  });

  async function connect(perMessageDeflate: boolean): Promise<WsClient> {
    return WsClient.connect(`ws://127.0.0.1:${port}`, { perMessageDeflate });
  }

  async function connectRaw(offer: string): Promise<Raw> {
    const client = await RawClient.connect(port);
    raws.push(client);
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": offer }));
    const response = await client.response();
    expect(response?.status).toBe(101);
    return { client, agreed: response?.headers.get("sec-websocket-extensions") };
  }

  test("members that agreed on the same write the very same Buffer, those without compression another", async () => {
    const clients: WsClient[] = [];
    for (const compression of [true, true, false, true, false]) clients.push(await connect(compression));
    for (const own of writes) own.length = 0;
    hub.emit("small", 1);
    hub.send(TEXT);
    await turn();

    expect(writes.map((own) => own.length)).toEqual([1, 1, 1, 1, 1]);
    const [deflated, , plain] = writes.map(([bytes]) => bytes);
    expect(writes.map(([bytes]) => bytes === deflated)).toEqual([true, true, false, true, false]);
    expect(writes.map(([bytes]) => bytes === plain)).toEqual([false, false, true, false, true]);
    expect(deflated?.length).toBeLessThan(200);
    for (const client of clients) {
      expect(await client.nextJson()).toEqual({ event: "small", data: 1 });
      expect(await client.next()).toBe(TEXT);
    }
  });

  test("members that are sent nothing worth compressing all write the very same Buffer", async () => {
    await Promise.all([true, false, true].map(connect));
    for (const own of writes) own.length = 0;
    hub.emit("small", 1);
    hub.send(randomBytes(2_000));
    await turn();
    expect(new Set(writes.map(([bytes]) => bytes)).size).toBe(1);
  });

  test("a message stands alone: no client needs the one before to read it", async () => {
    const { client, agreed } = await connectRaw("permessage-deflate; client_max_window_bits");
    expect(agreed).toBe("permessage-deflate; server_no_context_takeover");
    for (const text of [TEXT, TEXT]) {
      hub.send(text);
      await turn();
    }
    const [first, second] = [(await client.frame()) as RawFrame, (await client.frame()) as RawFrame];
    expect(inflate(second.payload)).toBe(TEXT);
    expect(second).toEqual(first);
  });

  test("a client that asks for a smaller window gets it, and others do not", async () => {
    const { client: small, agreed } = await connectRaw("permessage-deflate; server_max_window_bits=9");
    const { client: large } = await connectRaw("permessage-deflate");
    expect(agreed).toContain("server_max_window_bits=9");
    const text = LETTERS + LETTERS;
    hub.send(text);
    expect(inflate(((await small.frame()) as RawFrame).payload, 9)).toBe(text);
    const frame = (await large.frame()) as RawFrame;
    expect(inflate(frame.payload)).toBe(text);
    expect(() => inflate(frame.payload, 9)).toThrow("too far back");
  });

  test("a client that asks for the smallest window, which zlib does not have, gets nothing compressed", async () => {
    const { client, agreed } = await connectRaw("permessage-deflate; server_max_window_bits=8");
    expect(agreed).toContain("server_max_window_bits=8");
    hub.send(TEXT);
    expect(await client.frame()).toEqual({ fin: true, reserved: 0, opcode: Opcode.text, payload: Buffer.from(TEXT) });
  });

  test("an extension that is not known is not agreed on", async () => {
    const { client, agreed } = await connectRaw("x-webkit-deflate-frame");
    expect(agreed).toBeUndefined();
    hub.send(TEXT);
    expect((await client.frame())?.payload.toString()).toBe(TEXT);
  });

  test("bytes behind a fault are not read while a message is still being inflated", async () => {
    const { client } = await connectRaw("permessage-deflate");
    const faults: unknown[] = [];
    hub.on("disconnection", (_socket, { code }) => faults.push(code));
    const tcp = tcps.at(-1) as TcpSocket;
    // All threads of the pool are busy, so that inflating waits until all the rest has come.
    const busy = Array.from({ length: 8 }, () => promisify(pbkdf2)("", "", 100_000, 64, "sha512"));
    const parts = [
      rawFrame(Opcode.text, deflateRawSync(TEXT, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4), {
        reserved: 4,
      }),
      rawFrame(Opcode.close, closePayload(999)),
      rawFrame(Opcode.text, "hello"),
    ];
    for (const part of parts) {
      const before = tcp.bytesRead;
      client.write(part);
      await expect.poll(() => tcp.bytesRead, { interval: 1 }).toBe(before + part.length);
    }
    client.end();
    await Promise.all(busy);
    await expect.poll(() => faults).toEqual([1006]);
  });

  test("a client whose small frames become large messages is closed, though it is made to wait", async () => {
    const { client } = await connectRaw("permessage-deflate");
    const ends: unknown[] = [];
    hub.on("disconnection", (_socket, { code }) => ends.push(code));
    let waiting = 0;
    hub.on("message", () => {
      waiting = Math.max(waiting, hub.stats().waitingBytes);
    });
    const mebibyte = deflateRawSync("x".repeat(1024 * 1024), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    const frame = rawFrame(Opcode.text, mebibyte, { reserved: 4 });
    client.write(...Array.from({ length: 60 }, () => frame));
    await expect.poll(() => ends).toEqual([4005]);
    expect(waiting).toBeLessThan(8 * 1024 * 1024);
    expect(hub.stats().waitingBytes).toBe(0);
  });

  test("compressed, small, empty, pong and close frames come in the order of their calls", async () => {
    const { client } = await connectRaw("permessage-deflate");
    const ponged = new Promise<void>((resolve) => {
      hub.on("message", () => resolve());
    });
    hub.send(TEXT);
    hub.send("small");
    hub.send(Buffer.from(TEXT));
    hub.send("");
    await turn();
    client.write(rawFrame(Opcode.ping, "are you there?"), rawFrame(Opcode.binary, "yes"));
    await ponged;
    hub.send(TEXT);
    hub.except("nobody").close(4000, "done");

    const frames: (readonly [opcode: number, text: string])[] = [];
    for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
      frames.push([frame.opcode, frame.payload.length > 20 ? inflate(frame.payload) : frame.payload.toString()]);
      if (frame.opcode === Opcode.close) client.end();
    }
    expect(frames).toEqual([
      [Opcode.text, TEXT],
      [Opcode.text, "small"],
      [Opcode.binary, TEXT],
      [Opcode.text, ""],
      [Opcode.pong, "are you there?"],
      [Opcode.text, TEXT],
      [Opcode.close, "\u000F\uFFFDdone"],
    ]);
  });
});

test("bytes that a slow client has not read count as they go over the wire", async () => {
  const fixture = await TransportFixture.open(
    overSockets("ws", () => ws()),
    { compression: true },
  );
  const { client, connection } = await fixture.connect({ compression: true });
  client.pause();
  const noise = sequence(randomBytes(65_536));
  while (connection.write(noise) || connection.bufferedAmount === 0) await turn();
  const before = connection.bufferedAmount;
  const text = sequence("x".repeat(60_000));
  connection.write(text);
  const added = connection.bufferedAmount - before;
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(1_000);
  await fixture.close();
});
