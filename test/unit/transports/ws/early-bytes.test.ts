import { randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { UpgradeDecision } from "../../../../src/transports/transport.ts";
import { EarlyBytes } from "../../../../src/transports/ws/early-bytes.ts";
import { heldBytes } from "../../../support/held-bytes.ts";
import { WsFixture, UPGRADE } from "./ws-fixture.ts";

const LIMIT = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** A socket of which a test hands over what was read. */
class Incoming extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

test("what comes in any portions is returned as it came", () => {
  const portions = fc.array(fc.uint8Array({ maxLength: 6_000 }), { maxLength: 10 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), portions, (head, chunks) => {
      const socket = new Incoming();
      const early = new EarlyBytes(socket, Buffer.from(head), () => {});
      for (const chunk of chunks) socket.emit("data", Buffer.from(chunk));
      expect(early.take()).toEqual(Buffer.concat([head, ...chunks]));
    }),
  );
});

test("64 KiB are taken, and one byte more ends the connection", () => {
  const bytes = randomBytes(LIMIT);
  const socket = new Incoming();
  const early = new EarlyBytes(socket, bytes.subarray(0, 1), () => {});
  for (let start = 1; start < LIMIT; start += 1_000) socket.emit("data", bytes.subarray(start, start + 1_000));
  expect(socket.destroyed).toBe(false);
  socket.emit("data", Buffer.alloc(1));
  expect(socket.destroyed).toBe(true);
  expect(early.take()).toEqual(bytes);
});

test("a head of more than 64 KiB ends the connection", () => {
  const socket = new Incoming();
  const early = new EarlyBytes(socket, randomBytes(LIMIT + 1), () => {});
  expect(early.take()).toHaveLength(0);
  expect(socket.destroyed).toBe(true);
});

test("single bytes hold no more than two bytes each", async () => {
  const socket = new Incoming();
  const early = new EarlyBytes(socket, NOTHING, () => {});
  const before = await heldBytes();
  // Each in memory of its own, as Node.js reads them.
  for (let count = 0; count < LIMIT; count++) socket.emit("data", Buffer.alloc(1, count));
  const held = (await heldBytes()) - before;
  expect(held).toBeLessThan(2 * LIMIT);
  expect(early.take()).toHaveLength(LIMIT);
});

test("a client that has gone before the decision holds nothing of what it sent with its request", async () => {
  const fixture = await WsFixture.open();
  const decide: ((decision: UpgradeDecision) => void)[] = [];
  fixture.transport.upgrade = () => new Promise((resolve) => decide.push(resolve));
  const clients = await Promise.all(Array.from({ length: 100 }, () => fixture.tcp()));
  const before = await heldBytes();
  const request = Buffer.concat([UPGRADE, Buffer.alloc(60_000)]);
  for (const tcp of clients) tcp.write(request);
  await expect.poll(() => decide.length).toBe(clients.length);
  for (const tcp of clients) tcp.destroy();
  await expect.poll(() => fixture.descriptors()).toBe(0);
  expect((await heldBytes()) - before).toBeLessThan(2 * 1024 * 1024);
  for (const resolve of decide) resolve({ accept: false, status: 401, message: "" });
});
