import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ServerFigures, ServerOptions, Stream } from "../../../bench/server/messages.ts";
import { now } from "../../../bench/stamp.ts";
import { Installation } from "../../support/installation.ts";
import { BenchClient } from "./bench-client.ts";
import { ServerProgram } from "./server-program.ts";

const SIZE = 100;
const ROOM: Stream = { id: 3, rooms: ["r0"], except: [], members: 2 };

let installation: Installation;
let program: ServerProgram;
const clients: BenchClient[] = [];

beforeAll(async () => {
  // Without crossws, as on a machine where a library is missing.
  installation = await Installation.build(["ws", "nanoid"]);
});

afterEach(async () => {
  clients.length = 0;
  await program.release();
});

afterAll(() => installation.remove());

function start(peer: ServerOptions["peer"]): void {
  program = new ServerProgram(installation.folder, { peer, compression: false, size: SIZE });
}

/** Starts a peer with two members in the room and, last, somebody outside of it. */
async function startWithClients(peer: ServerOptions["peer"]): Promise<number> {
  start(peer);
  const { port } = await program.next("listening");
  for (const [id, room] of ["r0", "r0", "r1"].entries()) {
    clients.push(await BenchClient.connect(port, "websocket", id, [room]));
  }
  return port;
}

/** Reads what a client was sent to the last message, and expects every one of them. */
async function expectAll(client: BenchClient | undefined, figures: ServerFigures, stream: number): Promise<void> {
  const count = figures.sent[stream] ?? 0;
  expect(count).toBeGreaterThan(0);
  for (let sequence = 0; sequence < count; sequence++) {
    expect(await client?.nextStamped()).toStrictEqual({ size: SIZE, stream, sequence });
  }
}

test("the server program saturates while there is credit, and tells what it has cost", async () => {
  await startWithClients("ws loop");
  const before = now();
  program.send({
    do: "broadcast",
    load: { streams: [ROOM], seconds: 1, pace: { kind: "saturating", perTurn: 5, inFlight: 100 } },
  });
  program.send({ do: "credit", deliveries: 50 });
  const { figures } = await program.next("figures");
  // The credit is used up to the turn that goes beyond it.
  expect(figures.deliveries).toBe(160);
  expect(figures.sent).toStrictEqual({ 3: 80 });
  expect(figures.user + figures.system).toBeGreaterThan(0);
  expect(figures.began).toBeGreaterThan(before);
  expect(figures.ended).toBeGreaterThan(figures.began);
  expect(figures.peakResident).toBeGreaterThan(1_000_000);
  expect(figures.joins).toBe(0);
  await expectAll(clients[0], figures, 3);
});

test("the server program sends at a fixed rate, and lets clients come and go meanwhile", async () => {
  await startWithClients("hub on ws");
  program.send({
    do: "broadcast",
    load: {
      streams: [ROOM],
      seconds: 0.2,
      pace: { kind: "open-loop", rate: 500 },
      churn: { room: "r0", clients: [2], perTurn: 1 },
    },
  });
  const { figures } = await program.next("figures");
  expect(figures.sent).toStrictEqual({ 3: 100 });
  expect(figures.joins).toBeGreaterThan(0);
  expect(figures.deliveries).toBeGreaterThan(200);
  expect(figures.deliveries).toBeLessThanOrEqual(300);
  await expectAll(clients[1], figures, 3);
});

test("the server program measures what others cause", async () => {
  const port = await startWithClients("hub on ws");
  program.send({ do: "begin", streams: [ROOM, { id: 4, rooms: ["r1"], except: [], members: 1 }] });
  for (let request = 0; request < 3; request++) {
    await fetch(`http://127.0.0.1:${port}/publish`, { method: "POST", body: "{}" });
  }
  program.send({ do: "end" });
  const { figures } = await program.next("figures");
  expect(figures.sent).toStrictEqual({ 3: 2, 4: 1 });
  expect(figures.deliveries).toBe(5);
  await expectAll(clients[0], figures, 3);
  await expectAll(clients[2], figures, 4);
});

test("the server program tells its memory after a collection", async () => {
  start("ws loop");
  await program.next("listening");
  program.send({ do: "memory" });
  const { memory } = await program.next("memory");
  expect(memory.resident).toBeGreaterThan(memory.heap);
  expect(memory.heap).toBeGreaterThan(1_000_000);
});

test("the server program tells why a library cannot be used, and ends", async () => {
  start("crossws");
  const { reason } = await program.next("unavailable");
  expect(reason).toContain("Cannot find package 'crossws'");
  expect(await program.exited).toBe(0);
});

test("the server program ends with a trace when it fails", async () => {
  start("floor");
  await program.next("listening");
  program.send({
    do: "broadcast",
    load: { streams: [{ ...ROOM, rooms: ["r0", "r1"] }], seconds: 1, pace: { kind: "open-loop", rate: 10 } },
  });
  expect(await program.complaint()).toContain("This peer has no unions of rooms.");
  expect(await program.exited).toBe(1);
});

test("the server program ends when the coordinator is gone", async () => {
  start("ws loop");
  await program.next("listening");
  expect(await program.release()).toBe(0);
});
