import { msgpackCodec } from "roomcast/msgpack";
import { expect, test, vi } from "vitest";
import type { Welcome } from "../../../src/protocol/packet.ts";
import { openClient, QUICK, reached, rejection, startClient, startServer } from "../../support/clients.ts";

/** Packets that no hub sends. A client that fails on them would take its whole process with it. */
const NONSENSE = [
  '{"event":5,"reply":4711}',
  '{"event":null,"reply":4711}',
  '{"event":"hub:error"}',
  '{"event":"hub:error","data":null}',
  '{"event":"hub:error","data":"text"}',
  '{"event":"hub:bye"}',
  '{"event":"hub:bye","data":null}',
  '{"event":"hub:welcome"}',
  '{"event":"hub:welcome","data":null}',
  '{"event":"hub:welcome","data":{"id":"again","protocol":1,"heartbeat":1,"timeout":1}}',
  '{"event":"event","id":"text"}',
  '{"event":"__proto__","data":1}',
  '{"reply":4711,"error":null}',
];

test.each(NONSENSE)("%s does no harm", async (text) => {
  const { client, peer } = await openClient();
  peer.sendRaw(text);
  const asked = client.request("ask");
  for (;;) {
    const packet = (await peer.next()) as { readonly event?: string; readonly id: number };
    if (packet.event !== "ask") continue;
    peer.send({ reply: packet.id, data: "alive" });
    break;
  }
  expect(await asked).toBe("alive");
  expect([client.state, client.id]).toEqual(["open", "id"]);
});

test("a second welcome starts no second deadline", async () => {
  const { server, client, peer } = await openClient();
  const waiting = reached(client, "waiting");
  peer.welcome({ heartbeat: 5, timeout: 5 });
  peer.welcome({ heartbeat: 0 });
  const other = startClient(server.url);
  const next = await server.admit({ heartbeat: 40, timeout: 40 });
  await reached(other, "waiting");
  // By now, a deadline of the second welcome would have passed.
  expect(await Promise.race([waiting.then(() => "lost"), peer.rest().then(() => "alive")])).toBe("alive");
  await next.closed;
});

test.each([{ heartbeat: undefined }, { heartbeat: 1_000, timeout: undefined }, { heartbeat: Number.NaN }])(
  "a welcome without usable times, %j, starts no deadline",
  async (welcome) => {
    const server = await startServer();
    const client = startClient(server.url);
    const peer = await server.accept();
    await peer.next();
    const timers = vi.spyOn(globalThis, "setTimeout");
    peer.welcome(welcome as Partial<Welcome>);
    await reached(client, "open");
    for (let turn = 0; turn < 10; turn++) expect(await peer.rest()).toEqual([]);
    expect(timers.mock.calls.filter(([, delay]) => !((delay ?? 0) >= 1_000))).toEqual([]);
    timers.mockRestore();
  },
);

test.each([null, "text", 5, {}])("a request that is answered with the error %j settles", async (wrong) => {
  const { client, peer } = await openClient();
  const outcome = Promise.allSettled([client.request("ask")]);
  const { id } = await peer.asked();
  peer.sendRaw(JSON.stringify({ reply: id, error: wrong }));
  expect(await outcome).toHaveLength(1);
});

test("before the welcome the application hears nothing but errors", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const heard: unknown[] = [];
  client.on("event", () => heard.push("event")).on("hub:message", () => heard.push("message"));
  client.handle("question", () => heard.push("question"));
  const peer = await server.accept();
  await peer.next();
  peer.send({ event: "event" });
  peer.send({ event: "question", id: 1 });
  peer.sendRaw("raw");
  peer.welcome();
  expect(await peer.rest()).toEqual([]);
  expect(heard).toEqual([]);
});

test("bytes that are not MessagePack are raw messages", async () => {
  const server = await startServer("roomcast.v1.msgpack");
  const client = startClient(server.url, { codec: msgpackCodec, reconnect: QUICK });
  const peer = await server.accept();
  expect(msgpackCodec.decode((await peer.next()) as Uint8Array)).toEqual({ event: "hub:hello", data: { protocol: 1 } });
  const welcome = { id: "id", protocol: 1, heartbeat: 0, timeout: 0 };
  const open = reached(client, "open");
  peer.sendRaw(msgpackCodec.encode({ event: "hub:welcome", data: welcome }));
  await open;
  const heard: unknown[] = [];
  client.on("hub:message", (message) => heard.push(message));
  const messages = [new Uint8Array([0xc1]), new Uint8Array([0x82]), new Uint8Array([]), "text"];
  for (const message of messages) peer.sendRaw(message);
  const asked = client.request("ask", new Date(7));
  const { id, data } = msgpackCodec.decode((await peer.next()) as Uint8Array) as { id: number; data: unknown };
  peer.sendRaw(msgpackCodec.encode({ reply: id, data }));
  expect(await asked).toEqual(new Date(7));
  expect(heard).toEqual(messages);
});

test("a reply of an earlier connection settles nothing on the next one", async () => {
  const { server, client, peer } = await openClient();
  const lost = rejection(client.request("ask"));
  const { id } = await peer.asked();
  peer.cut();
  await lost;
  const next = await server.admit();
  const asked = client.request("ask");
  const again = await next.asked();
  expect(again.id).not.toBe(id);
  next.send({ reply: id, data: "old" });
  next.send({ reply: again.id, data: "new" });
  expect(await asked).toBe("new");
});
