import { expect, test } from "vitest";
import { openClient, rejection, startClient, startServer } from "../../support/clients.ts";

/** Fits messages of a few bytes, and one of {@link LONG} not. */
const WINDOW = 4_096;

const LONG = "x".repeat(5_000);

const SYNC = { event: "hub:sync", id: 0 };

test("what is further ahead than the window waits, in order, until the server has taken the rest", async () => {
  const { client, peer } = await openClient({}, { window: WINDOW });
  client.emit("long", LONG);
  client.emit("second");
  const asked = client.request("third");
  client.send("fourth");
  client.emit("long", LONG);
  client.emit("last");
  expect(await peer.rest()).toEqual([{ event: "long", data: LONG }, SYNC]);
  peer.send({ reply: 0 });
  const [second, third, ...rest] = (await peer.rest()) as [unknown, { readonly id: number }, ...unknown[]];
  expect(second).toEqual({ event: "second" });
  expect(third).toMatchObject({ event: "third" });
  expect(rest).toEqual(["fourth", { event: "long", data: LONG }, SYNC]);
  peer.send({ reply: third.id, data: 3 });
  expect(await asked).toBe(3);
  peer.send({ reply: 0 });
  expect(await peer.rest()).toEqual([{ event: "last" }]);
});

test("many small messages are counted like a large one", async () => {
  const { client, peer } = await openClient({}, { window: WINDOW });
  for (let n = 0; n < 100; n++) client.emit("small", n);
  const first = await peer.rest();
  expect(first.at(-1)).toEqual(SYNC);
  expect(first.length).toBeLessThan(1 + WINDOW / 256 + 1);
  const seen = first.slice(0, -1);
  while (seen.length < 100) {
    peer.send({ reply: 0 });
    // oxlint-disable-next-line no-await-in-loop -- one answer after the other
    seen.push(...(await peer.rest()).filter((packet) => (packet as { event: string }).event === "small"));
  }
  expect(seen).toEqual(Array.from({ length: 100 }, (_, data) => ({ event: "small", data })));
});

test("with a window of 0 one message goes at a time", async () => {
  const { client, peer } = await openClient({}, { window: 0 });
  client.emit("one");
  client.emit("two");
  expect(await peer.rest()).toEqual([{ event: "one" }, SYNC]);
  peer.send({ reply: 0 });
  expect(await peer.rest()).toEqual([{ event: "two" }, SYNC]);
});

test("replies go out while the client waits for the server", async () => {
  const { client, peer } = await openClient({}, { window: WINDOW });
  client.handle("question", () => "answer");
  client.emit("long", LONG);
  client.emit("second");
  peer.send({ event: "question", id: 1 });
  expect(await peer.next()).toEqual({ event: "long", data: LONG });
  expect(await peer.next()).toEqual(SYNC);
  expect(await peer.next()).toEqual({ reply: 1, data: "answer" });
  expect(await peer.rest()).toEqual([]);
});

test("what waits when the connection is lost goes out on the next one, after the rooms", async () => {
  const { client, peer, server } = await openClient({}, { window: WINDOW });
  const tea = client.join("tea");
  peer.send({ reply: (await peer.asked()).id });
  await tea;
  client.emit("long", LONG);
  client.emit("second");
  const asked = client.request("third");
  const milk = client.join("milk");
  const left = client.leave("tea");
  expect(await peer.rest()).toEqual([{ event: "long", data: LONG }, SYNC]);
  peer.cut();
  const next = await server.admit({ window: WINDOW });
  expect(await left).toBeUndefined();
  const join = await next.asked();
  expect(join).toMatchObject({ event: "hub:join", data: { rooms: ["milk"] } });
  const [second, third, ...rest] = (await next.rest()) as [unknown, { readonly id: number }, ...unknown[]];
  expect([second, third.id > 0, rest]).toEqual([{ event: "second" }, true, []]);
  next.send({ reply: join.id });
  next.send({ reply: third.id, data: "third" });
  await milk;
  expect(await asked).toBe("third");
});

test("the rooms with which a connection begins are not counted", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const rooms = Array.from({ length: 80 }, (_, n) => `room ${n}`);
  const joined = rejection(client.join(...rooms));
  client.emit("event");
  const peer = await server.admit({ window: WINDOW });
  const sent = (await peer.rest()) as readonly { readonly event: string }[];
  expect(sent.map(({ event }) => event)).toEqual([...Array.from({ length: 5 }, () => "hub:join"), "event"]);
  await client.close();
  await joined;
});

test("what waits goes out before a close, without waiting any more", async () => {
  const { client, peer } = await openClient({}, { window: WINDOW });
  client.emit("long", LONG);
  client.emit("second");
  client.emit("long", LONG);
  client.emit("last");
  const closed = client.close();
  const got: unknown[] = [];
  for (let packet = await peer.next(); packet !== undefined; packet = await peer.next()) got.push(packet);
  expect(got).toEqual([
    { event: "long", data: LONG },
    SYNC,
    { event: "second" },
    { event: "long", data: LONG },
    { event: "last" },
  ]);
  expect(await peer.closed).toMatchObject({ code: 1000 });
  await closed;
});

test("a server that tells no window is not asked", async () => {
  const { client, peer } = await openClient();
  for (let n = 0; n < 10; n++) client.emit("long", LONG);
  expect(await peer.rest()).toHaveLength(10);
});
