import { setImmediate as turn } from "node:timers/promises";
import { Hub, type Socket, type Target } from "roomcast";
import { uws } from "roomcast/transports/uws";
import type { us_listen_socket, WebSocket as NativeSocket, WebSocketBehavior } from "uWebSockets.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadLibrary } from "../../../src/transports/uws/library.ts";
import type { WebSocket } from "ws";
import { TRANSPORTS } from "../../support/transports.ts";
import { connectAll, CountingCodec, countTurns, eventsOf, receives } from "./fixture.ts";

const MEMBERS = 100;

/** So few that they are written to one by one. */
const FEW = 15;

describe.runIf(TRANSPORTS.includes("uws"))("Writes on uws", () => {
  let hub: Hub;
  let codec: CountingCodec;
  let url: string;
  /** Of each native socket, in the order of connecting: how many frames each of its system calls carried. */
  let writes: number[][];
  /** How many messages were handed to the library for all subscribers of a topic. */
  let published: number;
  let listening: us_listen_socket | false;

  /**
   * Counts on the real native sockets. What is sent within a cork is gathered for one system call when it ends; each
   * frame that is sent outside is a system call of its own.
   */
  function watch(native: NativeSocket<unknown>): void {
    const own: number[] = [];
    writes.push(own);
    const cork = native.cork.bind(native);
    const send = native.send.bind(native);
    let corked: number | undefined;
    native.cork = (callback) => {
      corked = 0;
      cork(callback);
      own.push(corked);
      corked = undefined;
      return native;
    };
    native.send = (...args) => {
      if (corked === undefined) own.push(1);
      else corked += 1;
      return send(...args);
    };
  }

  beforeEach(() => {
    writes = [];
    published = 0;
    listening = false;
    codec = new CountingCodec();
    const app = loadLibrary().App();
    const route = app.ws.bind(app);
    const publish = app.publish.bind(app);
    app.publish = (...args) => {
      published += 1;
      return publish(...args);
    };
    app.ws = <T>(pattern: string, behaviour: WebSocketBehavior<T>) => {
      const open = (native: NativeSocket<T>): void => {
        watch(native);
        void behaviour.open?.(native);
      };
      return route<T>(pattern, { ...behaviour, open });
    };
    hub = new Hub({ transport: uws({ app }), codec });
    app.listen("127.0.0.1", 0, (socket) => {
      listening = socket;
    });
    if (listening === false) throw new Error("Cannot listen");
    url = `ws://127.0.0.1:${loadLibrary().us_socket_local_port(listening)}`;
  });

  afterEach(async () => {
    await hub.close();
    if (listening !== false) loadLibrary().us_listen_socket_close(listening);
  });

  function startCounting(): void {
    for (const own of writes) own.length = 0;
    codec.encoded = 0;
    published = 0;
  }

  test("any number of sends in a turn are one write for each member and one encoding for each broadcast", async () => {
    const { clients, sockets } = await connectAll(hub, url, MEMBERS);
    for (const socket of sockets) socket.join("room");
    const last = clients.map((client) => eventsOf(client, 52));
    startCounting();

    for (let index = 0; index < 49; index++) hub.to("room").emit(`broadcast ${index}`, { index });
    for (const socket of sockets) socket.emit("individual", socket.id);
    (sockets[0] as Socket).broadcast.emit("others");
    (sockets[0] as Socket).emit("alone");
    hub.emit("last");
    expect(writes.flat()).toEqual([]);
    await turn();

    expect(writes).toEqual(sockets.map(() => [52]));
    expect(codec.encoded).toBe(49 + MEMBERS + 3);
    for (const events of await Promise.all(last)) expect(events.at(-1)).toBe("last");
  });

  test("what a turn sends to one large room alone is published by the library", async () => {
    const { clients, sockets } = await connectAll(hub, url, MEMBERS);
    for (const socket of sockets.slice(1)) socket.join("room");
    const all = clients.slice(1).map((client) => eventsOf(client, 5));
    const first = eventsOf(clients[0] as WebSocket, 1);
    startCounting();
    for (let index = 0; index < 4; index++) hub.to("room").emit(`broadcast ${index}`);
    await turn();
    expect([published, writes.flat()]).toEqual([4, []]);
    expect(codec.encoded).toBe(4);

    hub.emit("end");
    await turn();
    expect(published).toBe(5);
    const heard = ["broadcast 0", "broadcast 1", "broadcast 2", "broadcast 3", "end"];
    expect(await Promise.all(all)).toEqual(all.map(() => heard));
    expect(await first).toEqual(["end"]);
  });

  test("what members send to the others in their room is published by the library", async () => {
    const { clients, sockets } = await connectAll(hub, url, MEMBERS);
    for (const socket of sockets) socket.join("room");
    const heard = clients.map((client, index) => eventsOf(client, index === 7 ? 2 : index < 2 ? 3 : 4));
    startCounting();
    for (const index of [0, 1, 7, 7]) sockets[index]?.to("room").emit(`from ${index}`);
    await turn();
    // By `publish` of the sender's own socket, which leaves that out.
    expect([published, writes.flat(), codec.encoded]).toEqual([0, [], 4]);
    const events = await Promise.all(heard);
    expect([events[0], events[1], events[7], events[8]]).toEqual([
      ["from 1", "from 7", "from 7"],
      ["from 0", "from 7", "from 7"],
      ["from 0", "from 1"],
      ["from 0", "from 1", "from 7", "from 7"],
    ]);
  });

  test.each<[what: string, differ: (sockets: readonly Socket[]) => void]>([
    ["another send", ([socket]) => socket?.emit("alone")],
    ["a join", ([socket]) => socket?.join("room")],
    ["a leave", (sockets) => sockets.at(-1)?.leave("room")],
    ["an end", (sockets) => sockets.at(-1)?.close()],
    ["an exclusion of two", (sockets) => exceptTwo(hub, sockets).emit("others")],
    ["a message more than it gathers", () => void Array.from({ length: 32 }, () => hub.to("room").emit("more"))],
  ])("%s in the same turn, and the members are written to one by one", async (_, differ) => {
    const { sockets } = await connectAll(hub, url, MEMBERS);
    for (const socket of sockets.slice(1)) socket.join("room");
    startCounting();
    hub.to("room").emit("broadcast");
    differ(sockets);
    await turn();
    expect(published).toBe(0);
    expect(writes.slice(1, -1).every((own) => own.length === 1)).toBe(true);
  });

  test("five turns are five writes", async () => {
    const { sockets } = await connectAll(hub, url, 10);
    startCounting();
    for (let index = 0; index < 5; index++) {
      for (let count = 0; count < 7; count++) hub.emit("tick", count);
      // oxlint-disable-next-line no-await-in-loop -- turns are what is counted
      await turn();
    }
    expect(writes).toEqual(sockets.map(() => [7, 7, 7, 7, 7]));
  });

  test("messages of many clients in one turn are answered with one write for each member", async () => {
    const { clients } = await connectAll(hub, url, FEW);
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
    const observed: [when: string, writes: readonly number[]][] = [];
    const observe = (when: string): unknown => observed.push([when, [...(writes[0] ?? [])]]);
    const done = new Promise<void>((resolve) => {
      hub.handle("ask", (_, socket) => {
        socket.emit("answer");
        observe("after the call");
        process.nextTick(() => observe("after the callback"));
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
      ["after the call", []],
      ["after the callback", []],
      ["in the same turn", [1]],
    ]);
  });

  test.each<[what: string, handle: (hub: Hub, socket: Socket) => unknown, atOnce: number[]]>([
    ["alone", () => "answer", [1]],
    ["after what was sent to the client before", (_hub, socket) => socket.emit("before"), [2]],
    ["but not before its turn if a room was sent to", (all) => all.emit("all"), []],
    ["but not if it is made later", async () => "answer", []],
  ])("a reply is written while its request is handled, %s", async (_what, handle, atOnce) => {
    const { clients } = await connectAll(hub, url, 1);
    const observed = new Promise((resolve) => {
      hub.handle("ask", (_, socket) => {
        process.nextTick(() => resolve([...(writes[0] ?? [])]));
        return handle(hub, socket);
      });
    });
    startCounting();
    const heard = receives(clients[0] as WebSocket, 1);
    clients[0]?.send(JSON.stringify({ event: "ask", id: 1 }));
    expect(await observed).toEqual(atOnce);
    await heard;
  });

  test("64 KiB are written without waiting for the end of the turn", async () => {
    const { clients, sockets } = await connectAll(hub, url, 3);
    const last = clients.map((client) => receives(client, 5));
    startCounting();
    for (let index = 0; index < 4; index++) {
      expect(writes.flat()).toEqual([]);
      hub.send("x".repeat(16 * 1024));
    }
    expect(writes).toEqual(sockets.map(() => [4]));
    hub.send("rest");
    await turn();
    expect(writes).toEqual(sockets.map(() => [4, 1]));
    expect((await Promise.all(last)).map((received) => received.at(-1))).toEqual(["rest", "rest", "rest"]);
  });
});

function exceptTwo(hub: Hub, sockets: readonly Socket[]): Target {
  return sockets.slice(-2).reduce((target, socket) => target.except(socket), hub.to("room"));
}
