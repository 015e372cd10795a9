import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { End } from "./end.ts";
import { Proxy } from "./proxy.ts";

let server: Server;
let proxy: Proxy;
/** The server's ends, in the order in which they were accepted. */
let accepted: End[];
let clients: End[];

async function serve(): Promise<Server> {
  const made = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void accepted.push(new End(socket)));
  await once(made.listen(0, "127.0.0.1"), "listening");
  return made;
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

/** A client that may never get through. */
function dial(): End {
  const client = new End(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
  clients.push(client);
  return client;
}

/** A client whose connection is known to reach the server, and the server's end of it. */
async function open(): Promise<readonly [client: End, peer: End]> {
  const client = dial();
  client.socket.write("hi ");
  const peer = await arrival();
  await peer.hears("hi ");
  return [client, peer];
}

async function arrival(): Promise<End> {
  const before = accepted.length;
  await once(server, "connection");
  return accepted[before] as End;
}

beforeEach(async () => {
  accepted = [];
  clients = [];
  server = await serve();
  proxy = await Proxy.to(portOf(server));
});

afterEach(async () => {
  await proxy.close();
  if (proxy.size > 0) throw new Error("A connection outlives the proxy");
  for (const { socket } of [...accepted, ...clients]) socket.destroy();
  const closed = once(server, "close");
  server.close();
  await closed;
});

describe("The proxy", () => {
  test("carries bytes and the ends of both streams, and forgets the connection", async () => {
    const [client, peer] = await open();
    peer.socket.write("hello");
    await client.hears("hello");
    client.socket.end("bye");
    await peer.until(() => peer.ended);
    expect(peer.text).toBe("hi bye");
    peer.socket.end("goodbye");
    await client.until(() => client.ended);
    expect(client.text).toBe("hellogoodbye");
    expect(await Promise.all([client.closed, peer.closed])).toEqual([false, false]);
  });

  test("carries more than it holds, to a reader that waits", async () => {
    const [client, peer] = await open();
    peer.socket.pause();
    const much = "0123456789".repeat(800_000);
    client.socket.end(much);
    peer.socket.resume();
    await peer.until(() => peer.ended);
    expect(peer.text === `hi ${much}`).toBe(true);
  });

  test("connects to a new target, and existing connections stay", async () => {
    const [client, peer] = await open();
    const other = await serve();
    proxy.target = portOf(other);
    const second = dial();
    second.socket.write("x");
    await once(other, "connection");
    await accepted[1]?.hears("x");
    client.socket.write("y");
    await peer.hears("hi y");
    expect(accepted).toHaveLength(2);
    const closed = once(other, "close");
    other.close();
    proxy.reset();
    await closed;
  });

  test("cuts a connection, so that both ends see the end of the stream", async () => {
    const [client, peer] = await open();
    proxy.cut();
    await Promise.all([client.until(() => client.ended), peer.until(() => peer.ended)]);
    client.socket.end();
    peer.socket.end();
    expect(await Promise.all([client.closed, peer.closed])).toEqual([false, false]);
  });

  test("resets a connection, so that both ends see an error", async () => {
    const [client, peer] = await open();
    proxy.reset();
    expect(await Promise.all([client.closed, peer.closed])).toEqual([true, true]);
  });

  test("passes a reset on", async () => {
    const [client, peer] = await open();
    client.socket.resetAndDestroy();
    expect(await peer.closed).toBe(true);
  });

  test("stalls one direction, loses nothing, and keeps the order", async () => {
    const [client, peer] = await open();
    proxy.stall("up");
    for (const word of ["a", "b", "c"]) client.socket.write(word);
    // The other direction works; what it brings is a fence: by then the server could have heard.
    peer.socket.write("down");
    await client.hears("down");
    expect(peer.text).toBe("hi ");
    client.socket.end();
    proxy.resume("up");
    await peer.until(() => peer.ended);
    expect(peer.text).toBe("hi abc");
  });

  test("delays bytes, and keeps their order when the delay ends", async () => {
    const [client, peer] = await open();
    proxy.delay(40);
    const start = performance.now();
    client.socket.write("a");
    // In one turn it is in the kernel, in the next one the proxy has it.
    for (const _ of ["written", "read"]) await turn();
    proxy.delay(0);
    client.socket.end("b");
    await peer.until(() => peer.ended);
    expect(peer.text).toBe("hi ab");
    // Timers may be early by what the clocks differ.
    expect(performance.now() - start).toBeGreaterThan(38);
  });

  test("isolates both ends, which never learn of each other's end", async () => {
    const [client, peer] = await open();
    proxy.isolate();
    client.socket.end("lost");
    peer.socket.write("lost");
    const [second, other] = await open();
    other.socket.write("fence");
    await second.hears("fence");
    expect([client.text, client.ended, peer.text, peer.ended]).toEqual(["", false, "hi ", false]);
    client.socket.resetAndDestroy();
    other.socket.write("!");
    await second.hears("fence!");
    expect([peer.ended, peer.socket.destroyed]).toEqual([false, false]);
  });

  test("detaches the client, whose bytes arrive late", async () => {
    const [client, peer] = await open();
    proxy.stall("up");
    client.socket.write("late");
    for (const _ of ["written", "read"]) await turn();
    proxy.detach();
    expect(await client.closed).toBe(true);
    const [second] = await open();
    expect([peer.text, peer.ended, second.ended]).toEqual(["hi ", false, false]);
    proxy.resume();
    await peer.until(() => peer.ended);
    expect(peer.text).toBe("hi late");
    peer.socket.end();
    expect(await peer.closed).toBe(false);
  });

  test("refuses new connections only", async () => {
    const [client, peer] = await open();
    proxy.welcome = "refuse";
    const refused = dial();
    expect(await refused.closed).toBe(true);
    client.socket.write("!");
    await peer.hears("hi !");
    proxy.heal();
    expect(accepted).toHaveLength(1);
    await open();
  });

  test("accepts and hangs until it is healed", async () => {
    proxy.welcome = "hang";
    const hanging = dial();
    hanging.socket.write("is there anybody?");
    const patient = dial();
    patient.socket.end();
    expect(await patient.closed).toBe(false);
    expect([hanging.text, hanging.ended, accepted.length]).toEqual(["", false, 0]);
    proxy.heal();
    await hanging.until(() => hanging.ended);
  });

  test("cuts after a number of bytes, in the middle of what was written", async () => {
    const [client, peer] = await open();
    proxy.cutAfter("down", 7);
    peer.socket.write("0123");
    await client.hears("0123");
    peer.socket.write("456789");
    await Promise.all([client.until(() => client.ended), peer.until(() => peer.ended)]);
    expect(client.text).toBe("0123456");
  });

  test("cuts the next connection after a number of bytes, and no other", async () => {
    const [client, peer] = await open();
    proxy.cutNextAfter("up", 2);
    dial().socket.write("abc");
    const second = await arrival();
    await second.until(() => second.ended);
    expect(second.text).toBe("ab");
    client.socket.write("!");
    await peer.hears("hi !");
    await open();
  });
});
