import assert from "node:assert/strict";
import { closePayload, Opcode } from "../raw-frame.ts";
import type { Suite } from "./suite.ts";

/** 123 bytes, which is as much as fits, of characters that take several. */
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

/** The closing handshake from either end, and what is reported at both. */
export function closingCases(suite: Suite): void {
  for (const [args, code, reason] of BY_CLIENT) {
    suite.test(`the client closes with ${args.join(" ") || "no code"}`, async (stage) => {
      const { client, socket } = await stage.connect();
      client.close(...args);
      assert.deepEqual(await stage.departures.next(), { socket, code, reason });
      assert.deepEqual(await client.closed, { code, reason });
      assert.equal(socket.isOpen, false);
    });
  }

  for (const [args, code, reason] of BY_SERVER) {
    suite.test(`the server closes with ${args.join(" ") || "no code"}`, async (stage) => {
      const { client, socket } = await stage.connect();
      socket.close(...args);
      assert.equal(socket.isOpen, false);
      assert.deepEqual(await stage.departures.next(), { socket, code, reason });
      assert.deepEqual(await client.closed, { code, reason });
    });
  }

  for (const [name, args] of REJECTED) {
    suite.test(`the server cannot close with ${name}`, async (stage) => {
      const { client, socket } = await stage.connect();
      assert.throws(() => socket.close(...args), { code: "ERR_HUB_CLOSE_CODE" });
      assert.throws(() => stage.hub.except([]).close(...args), { code: "ERR_HUB_CLOSE_CODE" });
      assert.equal(socket.isOpen, true);
      socket.send("still here");
      assert.equal(await client.next(), "still here");
    });
  }

  suite.test("a client that vanishes is reported as 1006", async (stage) => {
    const { client, socket } = await stage.connect();
    client.vanish();
    assert.deepEqual(await stage.departures.next(), { socket, code: 1006, reason: "" });
  });

  suite.raw("a client that half-closes without a close frame is reported as 1006", async (stage) => {
    const { client, socket } = await stage.connectRaw();
    client.end();
    assert.deepEqual(await stage.departures.next(), { socket, code: 1006, reason: "" });
    assert.equal(await client.frame(), undefined);
  });

  suite.raw("a client that vanishes in the middle of a frame is reported as 1006", async (stage) => {
    const guest = await stage.connectRaw();
    guest.frame(Opcode.text, "the first half", { fin: false });
    guest.frame(Opcode.ping, "");
    await guest.expectFrame(Opcode.pong);
    guest.client.vanish();
    assert.deepEqual(await stage.departures.next(), { socket: guest.socket, code: 1006, reason: "" });
  });

  suite.raw("the client's 1001, as browsers send it, is reported", async (stage) => {
    const guest = await stage.connectRaw();
    guest.close(1001);
    assert.deepEqual(await stage.departures.next(), { socket: guest.socket, code: 1001, reason: "" });
  });

  suite.raw("a close frame is echoed, then the server ends the connection", async (stage) => {
    const guest = await stage.connectRaw();
    guest.close(4001, "é");
    await guest.expectFrame(Opcode.close, closePayload(4001, "é"));
    assert.equal(await guest.client.frame(), undefined);
  });

  suite.raw("a close frame without a code is answered with one without a code", async (stage) => {
    const guest = await stage.connectRaw();
    guest.frame(Opcode.close);
    await guest.expectFrame(Opcode.close);
    assert.equal(await guest.client.frame(), undefined);
  });

  suite.raw("the client's close is reported although it keeps its end open", async (stage) => {
    const reported: string[] = [];
    stage.hub.on("disconnection", () => reported.push("disconnection"));
    stage.hub.handle("fence", () => reported.push("fence"));
    const [other, guest] = [await stage.connect(), await stage.connectRaw()];
    guest.close(4001);
    await guest.expectFrame(Opcode.close, closePayload(4001));
    assert.equal(guest.socket.isOpen, false);
    await other.ask("fence");
    assert.deepEqual(reported, ["disconnection", "fence"]);
  });

  suite.raw("the server's close is reported although the client does not answer", async (stage) => {
    const guest = await stage.connectRaw();
    guest.socket.close(4002, "enough");
    assert.deepEqual(await stage.departures.next(), { socket: guest.socket, code: 4002, reason: "enough" });
    await guest.expectFrame(Opcode.close, closePayload(4002, "enough"));
  });

  suite.raw("frames after the client's close are ignored", async (stage) => {
    const handled: unknown[] = [];
    stage.hub.handle("n", (n) => handled.push(n));
    const other = await stage.connect();
    const guest = await stage.connectRaw();
    guest.say({ event: "n", data: 1 });
    guest.close(4000);
    guest.say({ event: "n", data: 2 });
    assert.equal((await stage.departures.next())?.code, 4000);
    await other.ask("fence");
    assert.deepEqual(handled, [1]);
  });

  suite.raw("frames after the server's close are ignored", async (stage) => {
    const handled: unknown[] = [];
    stage.hub.handle("n", (n) => handled.push(n));
    const other = await stage.connect();
    const guest = await stage.connectRaw();
    guest.socket.close(4000);
    guest.say({ event: "n", data: 1 });
    guest.close(4000);
    await guest.rest();
    await other.ask("fence");
    assert.deepEqual(handled, []);
  });

  suite.test("when both ends close at once, each reports its own", async (stage) => {
    const [{ client, socket }, other] = await stage.pair();
    client.close(4001, "client");
    socket.close(4002, "server");
    assert.deepEqual(await stage.departures.next(), { socket, code: 4002, reason: "server" });
    await client.closed;
    await other.ask("fence");
    assert.deepEqual(stage.departures.take(), []);
  });

  suite.test("only the first close counts", async (stage) => {
    const { client, socket } = await stage.connect();
    socket.close(4001, "first");
    socket.close(4002, "second");
    socket.terminate();
    assert.deepEqual(await stage.departures.next(), { socket, code: 4001, reason: "first" });
    assert.deepEqual(await client.closed, { code: 4001, reason: "first" });
    assert.deepEqual(stage.departures.take(), []);
  });

  suite.test("terminate is reported as 1006 at both ends", async (stage) => {
    const { client, socket } = await stage.connect();
    socket.terminate();
    assert.equal(socket.isOpen, false);
    assert.deepEqual(await stage.departures.next(), { socket, code: 1006, reason: "" });
    assert.deepEqual(await client.closed, { code: 1006, reason: "" });
  });
}
