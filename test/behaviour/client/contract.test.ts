import { connect, type Client, type ClientError } from "roomcast/client";
import { defineContract, type ClientContractTypes } from "roomcast/contract";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { QUICK, rejection, startServer, thrown } from "../../support/clients.ts";
import type { Peer } from "../../support/scripted-server.ts";

const contract = defineContract({
  client: { chat: z.object({ text: z.string().max(5) }), wave: null },
  server: { said: z.object({ text: z.string(), at: z.coerce.date() }) },
  requests: { sum: { data: z.array(z.number()), reply: z.number() } },
  serverRequests: { confirm: { data: z.string(), reply: z.boolean() } },
});

type Contracted = Client<ClientContractTypes<typeof contract>>;

async function openContracted(): Promise<{ readonly client: Contracted; readonly peer: Peer }> {
  const server = await startServer();
  const client = connect(server.url, { contract, WebSocket, reconnect: QUICK });
  onTestFinished(() => client.close());
  const open = new Promise<void>((resolve) => void client.once("hub:state", () => resolve()));
  const peer = await server.admit();
  await open;
  return { client, peer };
}

test("data that does not fit is not sent, and the error names the path", async () => {
  const { client, peer } = await openContracted();
  const error = thrown(() => client.emit("chat", { text: "too long" }));
  expect(error).toMatchObject({ name: "ClientError", code: "ERR_CLIENT_CONTRACT", cause: expect.any(Error) });
  expect(error.message).toContain("text");
  // @ts-expect-error -- text is a string
  expect(thrown(() => client.emit("chat", { text: 5 }))).toMatchObject({ code: "ERR_CLIENT_CONTRACT" });
  // @ts-expect-error -- no such event
  expect(thrown(() => client.emit("other"))).toMatchObject({ code: "ERR_CLIENT_CONTRACT" });
  // @ts-expect-error -- numbers
  expect(await rejection(client.request("sum", ["1"]))).toMatchObject({ code: "ERR_CLIENT_CONTRACT" });
  client.emit("chat", { text: "short" });
  client.emit("wave");
  expect(await peer.rest()).toEqual([{ event: "chat", data: { text: "short" } }, { event: "wave" }]);
});

test("listeners get the schema's output, and data that does not fit is reported instead", async () => {
  const { client, peer } = await openContracted();
  const heard: unknown[] = [];
  const events = client.events();
  client.on("said", ({ at }) => heard.push(at));
  const reported = new Promise<ClientError>((resolve) => void client.once("hub:error", resolve));
  peer.send({ event: "said", data: { text: 1, at: 0 } });
  peer.send({ event: "said", data: { text: "hello", at: "2026-01-01T00:00:00.000Z" } });
  const error = await reported;
  expect(error).toMatchObject({ code: "ERR_CLIENT_CONTRACT" });
  expect(error.message).toContain("text");
  expect(await events.next()).toMatchObject({ value: { data: { text: "hello", at: new Date(Date.UTC(2026)) } } });
  expect(heard).toEqual([new Date(Date.UTC(2026))]);
});

test("a reply that does not fit rejects the request", async () => {
  const { client, peer } = await openContracted();
  const [good, bad] = [client.request("sum", [1, 2]), rejection(client.request("sum", [1]))];
  peer.send({ reply: (await peer.asked()).id, data: 3 });
  peer.send({ reply: (await peer.asked()).id, data: "1" });
  expect(await good).toBe(3);
  expect(await bad).toMatchObject({ code: "ERR_CLIENT_CONTRACT" });
});

test("requests of the server and replies to them are checked", async () => {
  const { client, peer } = await openContracted();
  const reported: string[] = [];
  client.on("hub:error", ({ code }) => reported.push(code));
  client.handle("confirm", (question) => (question === "lie" ? ("yes" as unknown as boolean) : true));
  peer.send({ event: "confirm", id: 1, data: "sure?" });
  expect(await peer.next()).toEqual({ reply: 1, data: true });
  peer.send({ event: "confirm", id: 2, data: 5 });
  expect(await peer.next()).toMatchObject({ reply: 2, error: { code: "invalid-data" } });
  peer.send({ event: "confirm", id: 3, data: "lie" });
  expect(await peer.next()).toMatchObject({ reply: 3, error: { code: "handler-failed" } });
  expect(reported[0]).toBe("ERR_CLIENT_CONTRACT");
  expect(reported).toHaveLength(2);
});
