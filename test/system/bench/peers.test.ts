import { afterEach, describe, expect, test } from "vitest";
import { PEERS } from "../../../bench/peers/index.ts";
import type { PeerName, PeerServer } from "../../../bench/peers/peer.ts";
import { Source } from "../../../bench/server/source.ts";
import { uwsObstacle } from "../../support/transports.ts";
import { BenchClient, type Stamped } from "./bench-client.ts";

const SIZE = 200;
const NAMES = Object.keys(PEERS) as PeerName[];
const ON_UWS: readonly PeerName[] = ["uws publish", "hub on uws", "socket.io uws"];
const STARTABLE = NAMES.filter((name) => uwsObstacle === undefined || !ON_UWS.includes(name));
const WITH_UNIONS = STARTABLE.filter((name) => name !== "crossws" && name !== "floor");
const WITH_COMPRESSION = STARTABLE.filter((name) => name !== "floor");

const clients: BenchClient[] = [];
let server: PeerServer | undefined;
let posted = 0;

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server?.close();
  server = undefined;
  posted = 0;
});

async function start(name: PeerName, compression = false): Promise<PeerServer> {
  server = await PEERS[name].start({ compression, posted: () => posted++ });
  return server;
}

async function connect(name: PeerName, id: number, ...rooms: readonly string[]): Promise<BenchClient> {
  const client = await BenchClient.connect(server?.port ?? 0, PEERS[name].dialect, id, rooms);
  clients.push(client);
  return client;
}

/** Sends one message with the stamp of a stream, always its first. */
function publish(name: PeerName, stream: number, rooms: readonly string[], except: readonly string[] = []): void {
  if (server === undefined) throw new Error("No server is running.");
  new Source(PEERS[name], server, SIZE, [{ id: stream, rooms, except, members: 1 }]).send(1_000_000);
}

function stamped(stream: number): Stamped {
  return { size: SIZE, stream, sequence: 0 };
}

describe.each(STARTABLE)("%s", (name) => {
  test("publishes to the room and to nobody else, in exactly the size asked for", async () => {
    await start(name);
    const [a, b, outsider] = [await connect(name, 0, "r0"), await connect(name, 1, "r0"), await connect(name, 2, "r1")];
    publish(name, 1, ["r0"]);
    publish(name, 2, ["r1"]);
    publish(name, 3, ["r0"]);
    for (const member of [a, b]) {
      expect(await member.nextStamped()).toStrictEqual(stamped(1));
      expect(await member.nextStamped()).toStrictEqual(stamped(3));
    }
    expect(await outsider.nextStamped()).toStrictEqual(stamped(2));
  });

  test("relays what a client says to the others in the first of its rooms", async () => {
    await start(name);
    const sender = await connect(name, 0, "r0", "r1");
    const other = await connect(name, 1, "r0");
    const outsider = await connect(name, 2, "r1");
    sender.say("spoken");
    expect(await other.next()).toBe(
      PEERS[name].dialect === "websocket" ? '{"event":"m","room":"r0","data":"spoken"}' : '42["m","spoken"]',
    );
    publish(name, 1, ["r1"]);
    expect(await sender.nextStamped()).toStrictEqual(stamped(1));
    expect(await outsider.nextStamped()).toStrictEqual(stamped(1));
  });

  test("lets clients join and leave", async () => {
    await start(name);
    const [mover, fixed] = [await connect(name, 7, "r0"), await connect(name, 8, "r1")];
    server?.join(7, "r1");
    publish(name, 1, ["r1"]);
    expect(await mover.nextStamped()).toStrictEqual(stamped(1));
    server?.leave(7, "r1");
    publish(name, 2, ["r1"]);
    publish(name, 3, ["r0"]);
    expect(await mover.nextStamped()).toStrictEqual(stamped(3));
    expect(await fixed.nextStamped()).toStrictEqual(stamped(1));
    expect(await fixed.nextStamped()).toStrictEqual(stamped(2));
  });

  test("serves HTTP on the same port", async () => {
    const { port } = await start(name);
    const body = JSON.stringify({ text: "x".repeat(100_000) });
    const publishing = await fetch(`http://127.0.0.1:${port}/publish`, { method: "POST", body });
    expect(publishing.status).toBe(204);
    expect(posted).toBe(1);
    const other = await fetch(`http://127.0.0.1:${port}/`);
    expect([other.status, await other.text()]).toStrictEqual([200, "ok"]);
    expect(posted).toBe(1);
  });
});

test.each(WITH_UNIONS)("%s sends to a union once, and not to whom it leaves out", async (name) => {
  await start(name);
  const both = await connect(name, 0, "r0", "r1");
  const one = await connect(name, 1, "r1");
  const excluded = await connect(name, 2, "r1", "r2");
  publish(name, 1, ["r0", "r1"], ["r2"]);
  publish(name, 2, ["r0", "r1"]);
  publish(name, 3, ["r1"], ["r2"]);
  publish(name, 4, ["r1"]);
  for (const member of [both, one]) {
    for (const stream of [1, 2, 3, 4]) expect(await member.nextStamped()).toStrictEqual(stamped(stream));
  }
  for (const stream of [2, 4]) expect(await excluded.nextStamped()).toStrictEqual(stamped(stream));
});

test.each(WITH_COMPRESSION)("%s reaches clients that asked for compression", async (name) => {
  const { port } = await start(name, true);
  const perMessageDeflate = { serverNoContextTakeover: true, clientNoContextTakeover: true };
  const client = await BenchClient.connect(port, PEERS[name].dialect, 0, ["r0"], { perMessageDeflate });
  clients.push(client);
  publish(name, 1, ["r0"]);
  expect(await client.nextStamped()).toStrictEqual(stamped(1));
});

test.runIf(uwsObstacle !== undefined).each(ON_UWS)("%s says why it cannot be started", async (name) => {
  await expect(start(name)).rejects.toThrow(/^uWebSockets.js cannot be loaded by Node.js .*GLIBC/);
});

test.each(["crossws", "floor"] as const)("%s has no unions", async (name) => {
  const { publishToUnion } = await start(name);
  expect(publishToUnion).toBeUndefined();
});

test("the floor says that it does not compress", async () => {
  await expect(start("floor", true)).rejects.toThrow("does not compress");
});

/** What the only member of a room is sent around its 10,000th message, and who else hears it. */
async function tenThousand(name: PeerName): Promise<{ member: number[]; outsider: Stamped }> {
  const running = await start(name);
  const [member, outsider] = [await connect(name, 0, "r0"), await connect(name, 1, "r1")];
  const source = new Source(PEERS[name], running, 64, [{ id: 0, rooms: ["r0"], except: [], members: 1 }]);
  for (let message = 0; message < 10_001; message++) source.send(0);
  publish(name, 1, ["r1"]);
  const sequences: number[] = [];
  while (sequences.at(-1) !== 10_000) sequences.push((await member.nextStamped()).sequence);
  return { member: sequences.slice(9_998), outsider: await outsider.nextStamped() };
}

describe("with one delivery in 10,000 wrong,", () => {
  test("a server drops it", async () => {
    expect(await tenThousand("drops")).toStrictEqual({ member: [9_998, 10_000], outsider: stamped(1) });
  });

  test("a server duplicates it", async () => {
    const { member, outsider } = await tenThousand("duplicates");
    expect(member).toStrictEqual([9_998, 9_999, 9_999, 10_000]);
    expect(outsider).toStrictEqual(stamped(1));
  });

  test("a server misroutes it", async () => {
    const { member, outsider } = await tenThousand("misroutes");
    expect(member).toStrictEqual([9_998, 10_000]);
    expect(outsider).toStrictEqual({ size: 64, stream: 0, sequence: 9_999 });
  });
});
