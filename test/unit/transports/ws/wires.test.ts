import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type NetConnectOpts, type Socket as TcpSocket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Inbox } from "../../../../src/testing/inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../../../src/testing/raw-frame.ts";
import { sequence } from "../../../../src/testing/suite/transport-fixture.ts";
import type { Connection, TransportHandlers } from "../../../../src/transports/transport.ts";
import { ws } from "../../../../src/transports/ws/index.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { RAISING } from "../../../support/raising.ts";
import { addressOn, WIRES, type Wire } from "../../../support/wires.ts";

const MIB = 1024 * 1024;

/** More than any of the wires holds. */
const LARGE = randomBytes(8 * MIB);

/** A connection whose client does not read yet. */
async function open(wire: Wire): Promise<{
  connection: Connection;
  tcp: TcpSocket;
  /** The codes with which the hub was told of the end, and `gone`. */
  told: Inbox<number | "gone">;
}> {
  const transport = ws();
  const told = new Inbox<number | "gone">();
  const opened = new Inbox<Connection>();
  const handlers: TransportHandlers = {
    upgrade: () => ({ accept: true, protocol: "", context: undefined }),
    open: (connection) => opened.push(connection),
    message: () => {},
    ping: () => {},
    pong: () => {},
    drain: () => {},
    overflow: () => {},
    ending: () => {},
    close: (_, code) => told.push(code),
    gone: () => told.push("gone"),
    ...RAISING,
  };
  transport.start(handlers, {
    path: undefined,
    maxMessageBytes: MIB,
    maxBufferedBytes: 2 * LARGE.length,
    compression: false,
    handshakeTimeout: 10_000,
    maxConnections: undefined,
  });
  const where = addressOn(wire);
  const { port } = await transport.listen(where);
  const address = {
    ...(where.socketPath === undefined ? { port, host: "127.0.0.1" } : { path: where.socketPath }),
    allowHalfOpen: true,
  };
  const isTls = where.tls !== undefined;
  const tcp = isTls
    ? connectTls({ ...address, rejectUnauthorized: false } as ConnectionOptions)
    : connectTcp(address as NetConnectOpts);
  tcp.on("error", () => {});
  onTestFinished(() => {
    tcp.destroy();
    return transport.destroy(0);
  });
  await once(tcp, isTls ? "secureConnect" : "connect");
  tcp.write(rawRequest("/", UPGRADE_HEADERS));
  await once(tcp, "data");
  tcp.pause();
  return { connection: (await opened.next()) as Connection, tcp, told };
}

/** Everything that the client reads until the server ends its side. */
async function readAll(tcp: TcpSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  tcp.on("data", (chunk) => chunks.push(chunk)).resume();
  await once(tcp, "end");
  return Buffer.concat(chunks);
}

describe.each(WIRES)("a client that does not read a large frame over %s", (wire) => {
  const CLOSE = rawFrame(Opcode.close, closePayload(4001));
  const ANSWER = Buffer.from([0x88, 2, ...closePayload(4001)]);
  const PONG = Buffer.from([0x8a, 1, 0x70]);

  test.each([
    ["closes", CLOSE, false, ANSWER, 4001],
    ["closes and ends its side of TCP", CLOSE, true, ANSWER, 4001],
    ["ends its side of TCP", Buffer.alloc(0), true, Buffer.alloc(0), 1006],
  ])("and %s gets it, what waits behind it, and the answer", async (_what, bytes, isEnd, answer, code) => {
    const { connection, tcp, told } = await open(wire);
    const large = sequence(LARGE);
    connection.write(large);
    const small = sequence("small");
    connection.write(small);
    expect(connection.isHolding).toBe(true);
    tcp.write(Buffer.concat([rawFrame(Opcode.ping, "p"), bytes]));
    if (isEnd) tcp.end();
    const read = await readAll(tcp);
    expect(read.subarray(0, large.byteLength).equals(large.bytes)).toBe(true);
    expect(read.subarray(large.byteLength)).toEqual(Buffer.concat([small.bytes, PONG, answer]));
    tcp.end();
    expect([await told.next(), await told.next()]).toEqual([code, "gone"]);
  });

  test("and vanishes leaves nothing", async () => {
    const { connection, tcp, told } = await open(wire);
    connection.write(sequence(LARGE));
    tcp.destroy();
    expect([await told.next(), await told.next()]).toEqual([1006, "gone"]);
    expect(connection.bufferedAmount).toBe(0);
    expect(connection.isHolding).toBe(false);
  });
});
