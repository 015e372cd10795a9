import assert from "node:assert/strict";
import { closePayload, Opcode } from "../raw-frame.ts";
import type { Suite } from "./suite.ts";

/** A reason of the greatest length, 123 bytes, of characters that have several bytes each. */
const LONG_REASON = `${"é".repeat(60)}€`;

type CloseArguments = readonly [code?: number, reason?: string];
type CloseCases = readonly (readonly [args: CloseArguments, code: number, reason: string])[];

const BY_CLIENT: CloseCases = [
  [[], 1005, ""],
  [[1000], 1000, ""],
  [[1000, "done"], 1000, "done"],
  [[4000], 4000, ""],
  [[4999, LONG_REASON], 4999, LONG_REASON],
];

const BY_SERVER: CloseCases = [
  [[], 1000, ""],
  [[1001], 1001, ""],
  [[1011, "oops"], 1011, "oops"],
  [[3000, "library"], 3000, "library"],
  [[4000], 4000, ""],
  [[4999, LONG_REASON], 4999, LONG_REASON],
];

const REJECTED: readonly (readonly [name: string, args: CloseArguments])[] = [
  ["the code 999", [999]],
  ["the code 1005", [1005]],
  ["the code 1006", [1006]],
  ["the code 5000", [5000]],
  ["a reason of 124 bytes", [4000, `${LONG_REASON}!`]],
];

/** The closing handshake from either end, and what both ends report. */
export function closingCases(suite: Suite): void {
  for (const [args, code, reason] of BY_CLIENT) {
    suite.test(`the client closes with ${args.join(" ") || "no code"}`, async (fixture) => {
      const { client, socket } = await fixture.connect();
      client.close(...args);
      assert.deepEqual(await fixture.departures.next(), { socket, code, reason });
      assert.deepEqual(await client.closed, { code, reason });
      assert.equal(socket.isOpen, false);
    });
  }

  for (const [args, code, reason] of BY_SERVER) {
    suite.test(`the server closes with ${args.join(" ") || "no code"}`, async (fixture) => {
      const { client, socket } = await fixture.connect();
      socket.close(...args);
      assert.equal(socket.isOpen, false);
      assert.deepEqual(await fixture.departures.next(), { socket, code, reason });
      assert.deepEqual(await client.closed, { code, reason });
    });
  }

  for (const [name, args] of REJECTED) {
    suite.test(`the server cannot close with ${name}`, async (fixture) => {
      const { client, socket } = await fixture.connect();
      assert.throws(() => socket.close(...args), { code: "ERR_HUB_CLOSE_CODE" });
      assert.throws(() => fixture.hub.except([]).close(...args), { code: "ERR_HUB_CLOSE_CODE" });
      assert.equal(socket.isOpen, true);
      socket.send("still here");
      assert.equal(await client.next(), "still here");
    });
  }

  suite.test("a client that disconnects without a close frame is reported as 1006", async (fixture) => {
    const { client, socket } = await fixture.connect();
    client.vanish();
    assert.deepEqual(await fixture.departures.next(), { socket, code: 1006, reason: "" });
  });

  suite.raw("a client that half-closes without a close frame is reported as 1006", async (fixture) => {
    const { client, socket } = await fixture.connectRaw();
    client.end();
    assert.deepEqual(await fixture.departures.next(), { socket, code: 1006, reason: "" });
    assert.equal(await client.frame(), undefined);
  });

  suite.raw("a client that disconnects in the middle of a frame is reported as 1006", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.frame(Opcode.text, "the first half", { fin: false });
    peer.frame(Opcode.ping, "");
    await peer.expectFrame(Opcode.pong);
    peer.client.vanish();
    assert.deepEqual(await fixture.departures.next(), { socket: peer.socket, code: 1006, reason: "" });
  });

  suite.raw("the client's 1001, as browsers send it, is reported", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.close(1001);
    assert.deepEqual(await fixture.departures.next(), { socket: peer.socket, code: 1001, reason: "" });
  });

  suite.raw("a close frame is echoed, then the server ends the connection", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.close(4001, "é");
    await peer.expectFrame(Opcode.close, closePayload(4001, "é"));
    assert.equal(await peer.client.frame(), undefined);
  });

  suite.raw("a close frame without a code is answered with one without a code", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.frame(Opcode.close);
    await peer.expectFrame(Opcode.close);
    assert.equal(await peer.client.frame(), undefined);
  });

  suite.raw("the client's close is reported although the client keeps the TCP connection open", async (fixture) => {
    const reported: string[] = [];
    fixture.hub.on("disconnection", () => reported.push("disconnection"));
    fixture.hub.handle("fence", () => reported.push("fence"));
    const [other, peer] = [await fixture.connect(), await fixture.connectRaw()];
    peer.close(4001);
    await peer.expectFrame(Opcode.close, closePayload(4001));
    assert.equal(peer.socket.isOpen, false);
    await other.ask("fence");
    assert.deepEqual(reported, ["disconnection", "fence"]);
  });

  suite.raw("the server's close is reported although the client does not answer", async (fixture) => {
    const peer = await fixture.connectRaw();
    peer.socket.close(4002, "enough");
    assert.deepEqual(await fixture.departures.next(), { socket: peer.socket, code: 4002, reason: "enough" });
    await peer.expectFrame(Opcode.close, closePayload(4002, "enough"));
  });

  suite.raw("frames after the client's close are ignored", async (fixture) => {
    const handled: unknown[] = [];
    fixture.hub.handle("n", (n) => handled.push(n));
    const other = await fixture.connect();
    const peer = await fixture.connectRaw();
    peer.say({ event: "n", data: 1 });
    peer.close(4000);
    peer.say({ event: "n", data: 2 });
    assert.equal((await fixture.departures.next())?.code, 4000);
    await other.ask("fence");
    assert.deepEqual(handled, [1]);
  });

  suite.raw("frames after the server's close are ignored", async (fixture) => {
    const handled: unknown[] = [];
    fixture.hub.handle("n", (n) => handled.push(n));
    const other = await fixture.connect();
    const peer = await fixture.connectRaw();
    peer.socket.close(4000);
    peer.say({ event: "n", data: 1 });
    peer.close(4000);
    await peer.rest();
    await other.ask("fence");
    assert.deepEqual(handled, []);
  });

  suite.test("when both ends close at the same time, the server reports its own close", async (fixture) => {
    const [{ client, socket }, other] = await fixture.pair();
    client.close(4001, "client");
    socket.close(4002, "server");
    assert.deepEqual(await fixture.departures.next(), { socket, code: 4002, reason: "server" });
    await client.closed;
    await other.ask("fence");
    assert.deepEqual(fixture.departures.take(), []);
  });

  suite.test("only the first close counts", async (fixture) => {
    const { client, socket } = await fixture.connect();
    socket.close(4001, "first");
    socket.close(4002, "second");
    socket.terminate();
    assert.deepEqual(await fixture.departures.next(), { socket, code: 4001, reason: "first" });
    assert.deepEqual(await client.closed, { code: 4001, reason: "first" });
    assert.deepEqual(fixture.departures.take(), []);
  });

  suite.test("terminate is reported as 1006 at both ends", async (fixture) => {
    const { client, socket } = await fixture.connect();
    socket.terminate();
    assert.equal(socket.isOpen, false);
    assert.deepEqual(await fixture.departures.next(), { socket, code: 1006, reason: "" });
    assert.deepEqual(await client.closed, { code: 1006, reason: "" });
  });
}
