import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { Hub, type Socket } from "roomcast";
import { ws } from "roomcast/transports/ws";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectAll, CountingCodec, countTurns, eventsOf, receives } from "./fixture.ts";

const MEMBERS = 100;

/** What one connection of the server has written: one entry for each write. */
type Writes = Uint8Array[][];

describe("Writes on ws", () => {
  let server: Server;
  let hub: Hub;
  let codec: CountingCodec;
  let url: string;
  /** In the order of connecting. */
  let writes: Writes[];

  /**
   * Every call of `_write` or `_writev`, the two methods by which a stream hands data to what is below it, becomes one
   * libuv write on a TCP socket, and that one system call: `write` or `writev`, as long as the kernel takes all, which
   * `bufferedAmount` shows. Calls of `write` would not do: while a socket is congested or corked, many of them end in
   * one.
   */
  function watch(tcp: TcpSocket): void {
    const own: Writes = [];
    writes.push(own);
    /* oxlint-disable no-underscore-dangle -- that is what Node calls the two methods */
    const write = tcp._write.bind(tcp);
    const writev = tcp._writev?.bind(tcp);
    tcp._write = (chunk: Uint8Array, encoding, callback) => {
      own.push([chunk]);
      write(chunk, encoding, callback);
    };
    tcp._writev = (chunks, callback) => {
      own.push(chunks.map(({ chunk }) => chunk as Uint8Array));
      writev?.(chunks, callback);
    };
    /* oxlint-enable no-underscore-dangle */
  }

  beforeEach(async () => {
    writes = [];
    codec = new CountingCodec();
    server = createServer().on("connection", watch);
    hub = new Hub({ transport: ws({ server }), codec });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await hub.close();
    server.close();
    await once(server, "close");
  });

  /** Forgets the writes so far, and what was encoded: handshakes and greetings. */
  function startCounting(): void {
    for (const own of writes) own.length = 0;
    codec.encoded = 0;
  }

  test("any number of sends in a turn are one write for each member and one encoding for each broadcast", async () => {
    const { clients, sockets } = await connectAll(hub, url, MEMBERS);
    for (const socket of sockets) socket.join("room");
    const last = clients.map((client) => eventsOf(client, 52));
    startCounting();

    for (let index = 0; index < 50; index++) hub.to("room").emit(`broadcast ${index}`, { index });
    for (const socket of sockets) socket.emit("individual", socket.id);
    hub.emit("last");
    expect(writes.flat()).toEqual([]);
    await turn();

    expect(writes.map((own) => own.length)).toEqual(sockets.map(() => 1));
    expect(codec.encoded).toBe(50 + MEMBERS + 1);
    expect(sockets.map((socket) => socket.bufferedAmount)).toEqual(sockets.map(() => 0));
    const expected = [...Array.from({ length: 50 }, (_, index) => `broadcast ${index}`), "individual", "last"];
    for (const events of await Promise.all(last)) expect(events).toEqual(expected);
  });

  test("broadcasts that leave their senders out are one write each, too", async () => {
    const { clients, sockets } = await connectAll(hub, url, 20);
    for (const socket of sockets) socket.join("room");
    const last = clients.map((client) => eventsOf(client, 20));
    startCounting();

    sockets.forEach((socket, index) => socket.to("room").emit(`from ${index}`));
    hub.emit("last");
    await turn();

    expect(writes.map((own) => own.length)).toEqual(sockets.map(() => 1));
    expect(codec.encoded).toBe(21);
    const received = await Promise.all(last);
    received.forEach((events, receiver) => {
      const others = sockets.map((_, index) => `from ${index}`).filter((_, index) => index !== receiver);
      expect(events).toEqual([...others, "last"]);
    });
  });

  test("five turns are five writes", async () => {
    const { sockets } = await connectAll(hub, url, 10);
    startCounting();
    for (let index = 1; index <= 5; index++) {
      for (let count = 0; count < 7; count++) hub.emit("tick", count);
      // oxlint-disable-next-line no-await-in-loop -- turns are what is counted
      await turn();
      expect(writes.map((own) => own.length)).toEqual(sockets.map(() => index));
    }
  });

  test("a broadcast is encoded once, for one member or a hundred or none", async () => {
    const { sockets } = await connectAll(hub, url, MEMBERS);
    sockets[0]?.join("one");
    for (const socket of sockets) socket.join("all");
    startCounting();
    for (const room of ["one", "all", "nobody"]) {
      const before = codec.encoded;
      hub.to(room).emit("event", { some: "data" });
      expect(codec.encoded).toBe(before + 1);
    }
  });

  test("messages of many clients in one turn are answered with one write for each member", async () => {
    const { clients } = await connectAll(hub, url, 30);
    const turns = countTurns();
    /** The turn in which each message was handled. */
    const handled: number[] = [];
    hub.handle("shout", (data) => {
      handled.push(turns.current());
      hub.emit("heard", data);
    });
    const last = clients.map((client) => eventsOf(client, clients.length));
    startCounting();

    clients.forEach((client, index) => client.send(JSON.stringify({ event: "shout", data: index })));
    await Promise.all(last);
    turns.stop();

    const busy = new Set(handled).size;
    expect(writes.map((own) => own.length)).toEqual(clients.map(() => busy));
    expect(codec.encoded).toBe(clients.length);
    // Otherwise the case would have shown nothing.
    expect(busy).toBeLessThan(clients.length / 2);
  });

  test("a single message in an idle process is answered in the loop turn that received it", async () => {
    const { clients } = await connectAll(hub, url, 1);
    const observed: [when: string, writes: number][] = [];
    const observe = (when: string): unknown => observed.push([when, writes[0]?.length ?? 0]);
    const done = new Promise<void>((resolve) => {
      hub.handle("ask", (_, socket) => {
        socket.emit("answer");
        observe("after the call");
        process.nextTick(() => observe("after the callback"));
        // Immediates of one turn run in order: this one is the next after the flush, before anything is polled again.
        setImmediate(() => {
          observe("in the same turn");
          resolve();
        });
      });
    });
    startCounting();
    clients[0]?.send(JSON.stringify({ event: "ask" }));
    await done;
    expect(observed).toEqual([
      ["after the call", 0],
      ["after the callback", 0],
      ["in the same turn", 1],
    ]);
  });

  test("members with equal sequences write the same Buffer, and those with different sequences do not", async () => {
    const { sockets } = await connectAll(hub, url, 12);
    const [odd] = sockets as [Socket];
    startCounting();
    hub.emit("first", "x");
    odd.broadcast.emit("second", "y");
    hub.emit("third", "z");
    await turn();

    const [own, ...others] = writes.map(([write]) => write?.[0]);
    expect(writes.map(([write]) => write?.length)).toEqual(sockets.map(() => 1));
    expect(new Set(others).size).toBe(1);
    expect(own).not.toBe(others[0]);
    expect(own?.length).toBeLessThan(others[0]?.length ?? 0);
  });

  test("members whose sequences diverge share nothing more in that turn, but share again in the next", async () => {
    const { sockets } = await connectAll(hub, url, 4);
    startCounting();
    hub.emit("same");
    for (const socket of sockets) socket.emit("own", socket.id);
    hub.emit("same");
    await turn();
    expect(new Set(writes.map(([write]) => write?.[0])).size).toBe(4);
    startCounting();
    hub.emit("same");
    await turn();
    expect(new Set(writes.map(([write]) => write?.[0])).size).toBe(1);
  });

  test("64 KiB are written without waiting for the end of the turn", async () => {
    const { clients, sockets } = await connectAll(hub, url, 3);
    const last = clients.map((client) => receives(client, 5));
    startCounting();
    const quarter = "x".repeat(16 * 1024);
    for (let index = 1; index <= 3; index++) hub.send(quarter);
    expect(writes.map((own) => own.length)).toEqual([0, 0, 0]);
    hub.send(quarter);
    expect(writes.map((own) => own.length)).toEqual([1, 1, 1]);
    expect(new Set(writes.map(([write]) => write?.[0])).size).toBe(1);
    hub.send("rest");
    await turn();
    expect(writes.map((own) => own.length)).toEqual(sockets.map(() => 2));
    const messages = await Promise.all(last);
    expect(messages.map((received) => received.at(-1))).toEqual(["rest", "rest", "rest"]);
  });
});
