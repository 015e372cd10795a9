import { setImmediate as turn } from "node:timers/promises";
import type { Connection, HubOptions, HubStatistics, Transport } from "roomcast";
import { overSockets, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { describe, expect, test } from "vitest";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { openStage, openStageInTime, SUBJECTS } from "../support/stages.ts";
import { TRANSPORTS } from "../support/transports.ts";

const NOTHING: HubStatistics = {
  connections: 0,
  newcomers: 0,
  closing: 0,
  rooms: 0,
  messagesIn: 0,
  messagesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  writes: 0,
  pendingBytes: 0,
  drops: { volatile: 0, overload: 0, superseded: 0 },
  refusals: 0,
  heartbeatLosses: 0,
  slowConsumers: 0,
  violations: 0,
  handlerErrors: 0,
};

/** What clients got, counted at their end. */
class Received {
  messages = 0;
  bytes = 0;

  /** Everything that was sent to these clients until now. */
  static async by(...guests: readonly ClientFixture[]): Promise<Received> {
    const received = new Received();
    for (const guest of guests) {
      for (const message of await guest.heard()) {
        received.messages++;
        received.bytes += frameLength(message);
      }
    }
    return received;
  }
}

/** RFC 6455 section 5.2: a frame from the server has a header of 2, 4 or 10 bytes. */
function frameLength(message: string | readonly number[] | undefined): number {
  const { length } = typeof message === "string" ? Buffer.from(message) : (message ?? []);
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
}

/** What the fences of these clients take, which are sent by the hub, too. */
function fences(guests: readonly ClientFixture[]): Received {
  const sent = new Received();
  sent.messages = guests.length;
  sent.bytes = guests.length * frameLength("--fence--");
  return sent;
}

/** The transport, but its writes are counted where it gets them. */
function counting(inner: Transport): { readonly transport: Transport; readonly writes: () => number } {
  let writes = 0;
  const count = (connection: Connection): Connection => {
    const write = connection.write.bind(connection);
    return Object.assign(connection, {
      write: (frames: Parameters<Connection["write"]>[0]) => {
        writes++;
        return write(frames);
      },
    });
  };
  const start = inner.start.bind(inner);
  const transport = Object.assign(inner, {
    start: (...[handlers, settings]: Parameters<Transport["start"]>) => {
      start({ ...handlers, open: (connection, context) => handlers.open(count(connection), context) }, settings);
    },
  });
  return { transport, writes: () => writes };
}

/** A stage whose transport counts its writes. */
async function openCounted(
  subject: TransportSubject,
  options?: HubOptions,
): Promise<{ readonly stage: HubFixture; readonly writes: () => number }> {
  let counted: ReturnType<typeof counting> | undefined;
  const create = (): Transport => (counted = counting(subject.create())).transport;
  const stage = await openStage({ ...subject, create }, options);
  return { stage, writes: () => counted?.writes() ?? 0 };
}

describe.each(SUBJECTS)("The statistics on $name", (subject) => {
  test("are zeros at first, in a plain object that is a copy", async () => {
    const { hub } = await openStage(subject);
    const before = hub.stats();
    expect(before).toStrictEqual(NOTHING);
    expect(JSON.parse(JSON.stringify(before))).toStrictEqual(NOTHING);
    Object.assign(before, { connections: 99 });
    Object.assign(before.drops, { volatile: 99 });
    expect(hub.stats()).toStrictEqual(NOTHING);
  });

  test("count what goes out exactly as clients and the transport do", async () => {
    const { stage, writes } = await openCounted(subject);
    const { hub } = stage;
    hub.handle("echo", (data: unknown) => data);
    const guests = [...(await stage.trio()), ...(await stage.pair())];
    const [a, b, c, d] = guests as [ClientFixture, ClientFixture, ClientFixture, ClientFixture];
    for (const { socket } of [a, b, c]) socket.join("room");
    d.socket.join("other");
    const before = hub.stats();
    // Of one turn, in groups and one by one, of all three sizes of headers.
    hub.emit("news", "to everybody");
    hub.to("room").emit("news", { text: "x".repeat(200) });
    a.socket.to("room").emit("news", "but for one");
    hub.to("room", "other").except(b.socket).send("raw");
    hub.to("other").send(new Uint8Array(70_000));
    hub.volatile.emit("position", [1, 2]);
    a.socket.send("ế");
    expect(hub.stats().writes).toBeGreaterThanOrEqual(before.writes);
    const replies = [await b.ask("echo", "back"), await c.ask("echo", 7)];
    expect(replies).toHaveLength(2);
    const received = await Received.by(...guests);
    const fenced = fences(guests);
    // What `ask` waited for first is the broadcast, so that the replies are among what was heard.
    const asked = replies.reduce<number>((sum, packet) => sum + frameLength(JSON.stringify(packet)), 0);
    const { bytesOut, messagesOut, ...after } = hub.stats();
    expect(messagesOut).toBe(received.messages + fenced.messages + replies.length);
    expect(bytesOut).toBe(received.bytes + fenced.bytes + asked);
    expect(after.writes).toBe(writes());
    expect(after).toMatchObject({ connections: 5, rooms: 2, pendingBytes: 0, messagesIn: 2 });
  });

  test("count one write for all that one turn sends to a client", async () => {
    const { stage, writes } = await openCounted(subject);
    const [a, b] = await stage.pair();
    for (let n = 0; n < 10; n++) {
      a.socket.emit("n", n);
      stage.hub.emit("n", n);
    }
    await a.packet();
    await b.packet();
    expect(stage.hub.stats()).toMatchObject({ messagesOut: 30, writes: 2 });
    expect(writes()).toBe(2);
  });

  test("count the payload of what comes in", async () => {
    const stage = await openStage(subject);
    const { hub, wire } = stage;
    hub.on("message", () => {});
    hub.handle("echo", (data: unknown) => data);
    const guest = await stage.connect();
    const messages = [
      wire.codec.encode({ event: "echo", data: "ế" }),
      wire.codec.encode({ reply: 5, data: "to nothing" }),
      wire.foreign(255),
      "no packet",
      "x".repeat(70_000),
      wire.codec.encode({ event: "echo", id: 1, data: "fence" }),
    ];
    for (const message of messages) guest.client.send(message);
    await guest.packet();
    await guest.packet();
    expect(await guest.packet()).toStrictEqual({ reply: 1, data: "fence" });
    const bytesIn = messages.reduce((sum, message) => sum + Buffer.from(message as string).length, 0);
    expect(hub.stats()).toMatchObject({ messagesIn: 6, bytesIn, violations: 2, messagesOut: 3 });
  });

  test("count failures and refusals", async () => {
    const stage = await openStage(subject, {
      joinable: (room) => {
        if (room === "broken") throw new Error("broken");
        return true;
      },
      authenticate: ({ headers }) => (headers["x-bad"] === undefined ? { id: "ann" } : undefined),
    });
    const { hub } = stage;
    hub.handle("fail", () => Promise.reject(new Error("broken")));
    const guest = await stage.connect();
    await expect(stage.dial({ headers: { "x-bad": "1" } }).opened).rejects.toThrow("401");
    await expect(stage.dial({ headers: { origin: "https://elsewhere.example" } }).opened).rejects.toThrow("403");
    await guest.ask("fail");
    await guest.ask("hub:join", { room: "broken" });
    await guest.ask("hub:join", { room: "fine" });
    const remove = hub.use(() => {
      throw new Error("broken");
    });
    await guest.ask("fail");
    remove();
    await guest.ask("unknown");
    expect(hub.stats()).toMatchObject({ handlerErrors: 3, violations: 1, refusals: 2, connections: 1, rooms: 1 });
  });

  test("distinguish pending handshakes from connections", async () => {
    const { stage } = await openStageInTime(subject);
    const client = stage.dial({ protocols: ["roomcast.v1.json"] });
    await client.opened;
    const guest = await stage.connect();
    expect(stage.hub.stats()).toMatchObject({ connections: 1, newcomers: 1, messagesIn: 0 });
    client.send('{"event":"hub:hello","data":{"protocol":1}}');
    expect(JSON.parse(String(await client.next()))).toMatchObject({ event: "hub:welcome" });
    expect(stage.hub.stats()).toMatchObject({ connections: 2, newcomers: 0 });
    client.close();
    await stage.departures.next();
    expect(stage.hub.stats()).toMatchObject({ connections: 1, newcomers: 0 });
    expect(guest.socket.isOpen).toBe(true);
  });

  test("count the clients that read too slowly, and what waits for them", async () => {
    const stage = await openStage(subject, { maxBufferedBytes: 1024 * 1024 });
    const { hub } = stage;
    const guest = await stage.connect();
    guest.client.pause();
    const chunk = "x".repeat(60_000);
    while (hub.stats().pendingBytes === 0) {
      guest.socket.send(chunk);
      await turn();
    }
    const { pendingBytes } = hub.stats();
    expect(pendingBytes).toBeGreaterThan(0);
    expect(pendingBytes).toBeLessThanOrEqual(1024 * 1024);
    while (guest.socket.isOpen) guest.socket.send(chunk);
    expect(hub.stats()).toMatchObject({ slowConsumers: 1, connections: 0, pendingBytes: 0 });
    expect(hub.stats().drops).toStrictEqual(NOTHING.drops);
  });

  test("count dropped messages by reason", async () => {
    const stage = await openStage(subject, { maxBufferedBytes: 1024 * 1024, overload: "drop" });
    const { hub } = stage;
    const [slow, quick] = await stage.pair();
    slow.client.pause();
    const chunk = "x".repeat(60_000);
    let sent = 0;
    while (hub.stats().drops.overload === 0) {
      slow.socket.send(chunk);
      sent++;
      await turn();
    }
    hub.send("one more for both");
    hub.volatile.send("only for the quick");
    hub.latest("key").send("dropped, too");
    expect(await quick.heard()).toStrictEqual(["one more for both", "only for the quick", "dropped, too"]);
    const { drops, ...rest } = hub.stats();
    expect(drops.volatile).toBe(1);
    expect(drops.superseded).toBe(0);
    expect(rest.slowConsumers).toBe(0);
    slow.client.resume();
    let arrived = 0;
    let missing = 0;
    // Everything arrives or is said to be missing.
    while (arrived + missing < sent + 2) {
      const message = String(await slow.client.next());
      if (message.startsWith('{"event":"hub:dropped"')) missing += JSON.parse(message).data.count as number;
      else arrived++;
    }
    expect(missing).toBe(drops.overload);
    expect(arrived).toBe(sent + 2 - drops.overload);
    expect(stage.hub.stats().drops).toStrictEqual(drops);
  });

  test("count messages that a later one replaced", async () => {
    const stage = await openStage(subject);
    const { hub } = stage;
    const slow = await stage.connect();
    slow.client.pause();
    const chunk = "x".repeat(60_000);
    while (slow.socket.bufferedAmount <= 64 * 1024) {
      slow.socket.send(chunk);
      await turn();
    }
    for (let n = 1; n <= 5; n++) hub.latest("price").send(`price ${n}`);
    for (let n = 1; n <= 3; n++) slow.socket.latest("other").send(`other ${n}`);
    expect(hub.stats().drops).toStrictEqual({ volatile: 0, overload: 0, superseded: 6 });
    slow.client.resume();
    const heard = (await slow.heard()).filter((message) => message !== chunk);
    expect(heard).toStrictEqual(["price 5", "other 3"]);
  });

  test("count lost heartbeats", async () => {
    const { stage, clock } = await openStageInTime(subject, { heartbeat: { interval: 1_000, timeout: 500 } });
    const client = stage.dial({ protocols: ["roomcast.v1.json"] });
    await client.opened;
    client.send('{"event":"hub:hello","data":{"protocol":1}}');
    await client.next();
    while (stage.hub.stats().connections > 0) await clock.advance(250);
    expect(await client.closed).toMatchObject({ code: 4201 });
    expect(stage.hub.stats()).toMatchObject({ heartbeatLosses: 1, connections: 0 });
  });

  test("remain when the hub is closed", async () => {
    const stage = await openStage(subject);
    const guest = await stage.connect();
    guest.socket.join("room");
    guest.socket.send("bye");
    await stage.hub.close();
    const stats = stage.hub.stats();
    expect(stats).toMatchObject({ connections: 0, newcomers: 0, rooms: 0, pendingBytes: 0 });
    expect(stats).toMatchObject({ messagesOut: 1, bytesOut: frameLength("bye"), writes: 1 });
  });
});

describe.skipIf(!TRANSPORTS.includes("uws"))("The statistics on uws, of what is published", () => {
  const subject = overSockets("uws", uws);

  test("are those of messages sent one by one", async () => {
    const { stage, writes } = await openCounted(subject);
    const guests: ClientFixture[] = [];
    for (let n = 0; n < 20; n++) guests.push(await stage.connect());
    for (const { socket } of guests) socket.join("room");
    const [a, b] = guests as [ClientFixture, ClientFixture];
    const { hub } = stage;
    hub.to("room").emit("news", "for all");
    a.socket.to("room").emit("news", "of a");
    b.socket.to("room").emit("news", "of b");
    hub.to("room").send("x".repeat(300));
    await turn();
    const received = await Received.by(...guests);
    expect(received.messages).toBe(20 * 4 - 2);
    const fenced = fences(guests);
    const stats = hub.stats();
    expect(stats.messagesOut).toBe(received.messages + fenced.messages);
    expect(stats.bytesOut).toBe(received.bytes + fenced.bytes);
    // The fences were written, everything before was published.
    expect(writes()).toBe(20);
    expect(stats.writes).toBe(20 + writes());
  });

  test("include only the members that were sent something", async () => {
    const stage = await openStage(subject);
    const guests: ClientFixture[] = [];
    for (let n = 0; n < 20; n++) guests.push(await stage.connect());
    for (const { socket } of guests) socket.join("room");
    const [sender, ...others] = guests as [ClientFixture, ...ClientFixture[]];
    for (let n = 0; n < 3; n++) sender.socket.to("room").emit("news", n);
    for (const other of others) await other.packet();
    expect(stage.hub.stats()).toMatchObject({ messagesOut: 3 * 19, writes: 19 });
  });
});
