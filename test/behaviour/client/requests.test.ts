import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { openClient, reached, rejection, startClient, startServer } from "../../support/clients.ts";

test("a request resolves with the reply's data, and rejects with the server's error", async () => {
  const { client, peer } = await openClient();
  const sum = client.request("sum", [1, 2]);
  const wrong = client.request("wrong");
  const [first, second] = [await peer.asked(), await peer.asked()];
  expect(first).toMatchObject({ event: "sum", data: [1, 2] });
  expect(first).not.toHaveProperty("key");
  peer.send({ reply: second.id, error: { code: "not-so", message: "Not so." } });
  peer.send({ reply: first.id, data: 3 });
  expect(await sum).toBe(3);
  expect(await rejection(wrong)).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "not-so", message: "Not so." });
});

test("a reply that is late, repeated or unexpected is ignored", async () => {
  const { client, peer } = await openClient();
  const slow = rejection(client.request("slow", undefined, { timeout: 1 }));
  const { id } = await peer.asked();
  expect(await slow).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  peer.send({ reply: id, data: "late" });
  peer.send({ reply: 4_711, data: "invented" });
  const quick = client.request("quick");
  const asked = await peer.asked();
  peer.send({ reply: asked.id, data: 1 });
  peer.send({ reply: asked.id, data: 2 });
  expect(await quick).toBe(1);
  expect(client.state).toBe("open");
});

test("an abort rejects with the signal's reason, before and after sending", async () => {
  const { client, peer } = await openClient();
  const reason = new Error("enough");
  const never = client.request("never", undefined, { signal: AbortSignal.abort(reason) });
  expect(await rejection(never)).toBe(reason);
  const abort = new AbortController();
  const sent = client.request("sent", undefined, { signal: abort.signal });
  expect(await peer.asked()).toMatchObject({ event: "sent" });
  abort.abort(reason);
  expect(await rejection(sent)).toBe(reason);
  expect(await peer.rest()).toEqual([]);
});

test.each([false, 0, "", null])("an abort for the reason %j rejects, too", async (reason) => {
  const { client, peer } = await openClient();
  const abort = new AbortController();
  const sent = rejection(client.request("sent", undefined, { signal: abort.signal }));
  await peer.asked();
  abort.abort(reason);
  expect(await sent).toMatchObject({ code: "ERR_CLIENT_DROPPED" });
});

test("no listener stays on a signal whose request has settled", async () => {
  const { client, peer } = await openClient();
  const { signal } = new AbortController();
  const answered = client.request("answered", undefined, { signal });
  const late = rejection(client.request("late", undefined, { signal, timeout: 1 }));
  expect(getEventListeners(signal, "abort")).toHaveLength(2);
  peer.send({ reply: (await peer.asked()).id });
  await Promise.all([answered, late]);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a timeout is a positive number of milliseconds", async () => {
  const { client, peer } = await openClient();
  for (const timeout of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    expect(await rejection(client.request("event", undefined, { timeout }))).toMatchObject({
      code: "ERR_CLIENT_ARGUMENT",
    });
  }
  expect(await peer.rest()).toEqual([]);
});

test("a request that was sent and not answered rejects when the connection is lost, and is not sent again", async () => {
  const { server, client, peer } = await openClient();
  const asked = client.request("ask");
  await peer.asked();
  peer.cut();
  expect(await rejection(asked)).toMatchObject({ code: "ERR_CLIENT_DISCONNECTED" });
  const next = await server.admit();
  expect(await next.rest()).toEqual([]);
});

test("a request that was not sent survives lost connections", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const asked = client.request("ask");
  const lost = await server.accept();
  await lost.next();
  lost.cut();
  const peer = await server.admit();
  peer.send({ reply: (await peer.asked()).id, data: "answer" });
  expect(await asked).toBe("answer");
});

test("an idempotent request is repeated with its own number and key", async () => {
  const { server, client, peer } = await openClient();
  const first = client.request("order", "tea", { idempotent: true });
  const second = client.request("order", "milk", { idempotent: true });
  const before = [await peer.asked(), await peer.asked()];
  const [one, two] = before;
  expect(one?.key).toMatch(/^.{20,64}$/);
  expect(two?.key).not.toBe(one?.key);
  peer.cut();
  const again = await server.admit();
  expect([await again.asked(), await again.asked()]).toEqual(before);
  again.cut();
  const third = await server.admit();
  expect([await third.asked(), await third.asked()]).toEqual(before);
  third.send({ reply: two?.id as number, data: 2 });
  third.send({ reply: one?.id as number, data: 1 });
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  third.cut();
  const last = await server.admit();
  expect(await last.rest()).toEqual([]);
});

test("a new connection carries first the rooms, then the repetitions, then what has waited", async () => {
  const { server, client, peer } = await openClient();
  const joined = client.join("room");
  peer.send({ reply: (await peer.asked()).id });
  await joined;
  const sent = client.request("sent", 1, { idempotent: true });
  await peer.asked();
  const waiting = reached(client, "waiting");
  peer.cut();
  await waiting;
  client.emit("queued", 2);
  const queued = client.request("later", 3, { idempotent: true });
  const next = await server.admit();
  const events = [await next.asked(), await next.asked(), await next.asked(), await next.asked()];
  expect(events.map(({ event }) => event)).toEqual(["hub:join", "sent", "queued", "later"]);
  for (const { id, event } of events) if (event !== "queued") next.send({ reply: id, data: event });
  expect(await Promise.all([sent, queued])).toEqual(["sent", "later"]);
});

test("a request made while the server closes goes out after the repetitions", async () => {
  const { server, client, peer } = await openClient();
  const sent = client.request("first", 1, { idempotent: true });
  await peer.asked();
  // The close frame comes right after the event: by the next turn, the connection is closing and not closed yet.
  const closing = new Promise<void>((resolve) => void client.once("closing", () => setImmediate(resolve)));
  peer.send({ event: "closing" });
  peer.close(1001);
  await closing;
  client.emit("second", 2);
  const next = await server.admit();
  const repeated = await next.asked();
  expect([repeated.event, ...(await next.rest())]).toEqual(["first", { event: "second", data: 2 }]);
  next.send({ reply: repeated.id, data: "done" });
  expect(await sent).toBe("done");
});

test("a request that was sent needs no place in the queue to be repeated", async () => {
  const { server, client, peer } = await openClient({ queue: { maxBytes: 0 } });
  const asked = client.request("order", "tea", { idempotent: true });
  await peer.asked();
  peer.cut();
  const next = await server.admit();
  next.send({ reply: (await next.asked()).id, data: "done" });
  expect(await asked).toBe("done");
});
