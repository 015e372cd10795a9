import { defineContract, Hub, type HubOptions, type Socket } from "roomcast";
import * as v from "valibot";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { hubError } from "../support/hub-error.ts";
import { enter } from "../support/library-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { WsClient } from "../support/ws-client.ts";

const contract = defineContract({
  client: { move: z.object({ to: z.object({ x: z.coerce.number() }) }), typing: v.boolean(), ping: null },
  server: { moved: z.object({ x: z.number() }) },
  requests: { sum: { data: v.tuple([v.number(), v.number()]), reply: v.number() }, odd: { reply: z.string() } },
  serverRequests: { confirm: { data: z.string(), reply: z.boolean() } },
});

function refused(message: string): unknown {
  return { code: "invalid-data", message: expect.stringContaining(message) };
}

describe.each(TRANSPORTS)("a hub with a contract on %s", (transport) => {
  const hubs: { close(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.close();
  });

  async function connect(options: Pick<HubOptions, "validateOutgoing"> = {}) {
    const hub = new Hub({ transport, heartbeat: false, welcome: false, contract, ...options });
    hubs.push(hub);
    const connected = new Promise<Socket>((resolve) => {
      hub.once("connection", (socket) => resolve(socket as unknown as Socket));
    });
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const client = await WsClient.connect(`ws://127.0.0.1:${port}/`);
    return { hub, port, client, socket: await connected };
  }

  test("gives handlers the output of the schemas", async () => {
    const { hub, client } = await connect();
    const moves: unknown[] = [];
    hub.handle("move", (data) => moves.push(data));
    hub.handle("sum", ([a, b]) => a + b);
    client.send({ event: "move", data: { to: { x: "7" } } });
    client.send({ event: "sum", id: 1, data: [1, 2] });
    expect(await client.nextJson()).toEqual({ reply: 1, data: 3 });
    expect(moves).toEqual([{ to: { x: 7 } }]);
  });

  test("keeps data that does not fit from its handlers, and says where it does not fit", async () => {
    const { hub, client } = await connect();
    const handled: unknown[] = [];
    hub.handle("move", (data) => handled.push(data));
    hub.handle("ping", (data) => handled.push(data));
    hub.handle("sum", (data) => handled.push(data));
    client.send({ event: "move", data: { to: { x: "far" } } });
    expect(await client.nextJson()).toEqual({ event: "hub:error", data: refused("data.to.x: ") });
    client.send({ event: "sum", id: 1, data: [1, "2"] });
    expect(await client.nextJson()).toEqual({ reply: 1, error: refused("data[1]: ") });
    client.send({ event: "ping", id: 2, data: "surplus" });
    expect(await client.nextJson()).toEqual({ reply: 2, error: refused("data: ") });
    expect(handled).toEqual([]);
  });

  test("handles no event that the contract does not have", async () => {
    const { hub, socket, client } = await connect();
    const error = hubError("ERR_HUB_CONTRACT", '"moved"');
    expect(() => hub.handle("moved" as "move", () => {})).toThrow(error);
    expect(() => socket.on("moved", () => {})).toThrow(error);
    client.send({ event: "moved", id: 1 });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "unknown-event" } });
  });

  test("gives the handler of any event what it has, validated, and nothing else", async () => {
    const { hub, client } = await connect({ validateOutgoing: true });
    const handled: unknown[] = [];
    hub.handle("odd", () => "odd");
    hub.handleAny(({ event, data }) => {
      handled.push([event, data]);
      return event === "sum" ? data[0] + data[1] : "not used";
    });
    client.send({ event: "moved", id: 1 });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "unknown-event" } });
    client.send({ event: "move", id: 2, data: { to: { x: "far" } } });
    expect(await client.nextJson()).toMatchObject({ reply: 2, error: { code: "invalid-data" } });
    client.send({ event: "move", data: { to: { x: "7" } } });
    client.send({ event: "sum", id: 3, data: [1, 2] });
    expect(await client.nextJson()).toEqual({ reply: 3, data: 3 });
    client.send({ event: "odd", id: 4 });
    expect(await client.nextJson()).toEqual({ reply: 4, data: "odd" });
    expect(handled).toEqual([
      ["move", { to: { x: 7 } }],
      ["sum", [1, 2]],
    ]);
    expect(hub.stats().violations).toBe(2);
  });

  test("with validateOutgoing sends no reply of the handler of any event that does not fit", async () => {
    const { hub, client } = await connect({ validateOutgoing: true });
    const reported = new Promise((resolve) => {
      hub.on("error", resolve);
    });
    hub.handleAny(() => "no number");
    client.send({ event: "sum", id: 1, data: [1, 2] });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(await reported).toEqual(hubError("ERR_HUB_CONTRACT", '"sum"'));
  });

  test("validates what clients reply", async () => {
    const { socket, client } = await connect();
    const replies = [true, "yes"].map((data) => async () => {
      const asked = socket.request("confirm", "Sure?");
      const { id } = (await client.nextJson()) as { id: number };
      client.send({ reply: id, data });
      return asked;
    });
    expect(await replies[0]?.()).toBe(true);
    await expect(replies[1]?.()).rejects.toThrow(hubError("ERR_HUB_CONTRACT", '"confirm"'));
  });

  test("sends anything without validateOutgoing", async () => {
    const { hub, client } = await connect();
    hub.handle("odd", () => 5 as unknown as string);
    hub.emit("moved", { x: "far" } as unknown as { x: number });
    expect(await client.nextJson()).toEqual({ event: "moved", data: { x: "far" } });
    client.send({ event: "odd", id: 1 });
    expect(await client.nextJson()).toEqual({ reply: 1, data: 5 });
  });

  test("with validateOutgoing sends nothing that does not fit", async () => {
    const { hub, socket, client } = await connect({ validateOutgoing: true });
    const reported = new Promise((resolve) => {
      hub.on("error", resolve);
    });
    hub.handle("odd", () => 5 as unknown as string);
    const bad = { x: "far" } as unknown as { x: number };
    const error = hubError("ERR_HUB_CONTRACT", "data.x: ");
    expect(() => hub.emit("moved", bad)).toThrow(error);
    expect(() => socket.emit("moved", bad)).toThrow(error);
    expect(() => hub.to("room").emit("elsewhere" as "moved", { x: 1 })).toThrow(hubError("ERR_HUB_CONTRACT"));
    await expect(socket.request("confirm", 5)).rejects.toThrow(hubError("ERR_HUB_CONTRACT", "data: "));
    client.send({ event: "odd", id: 1 });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "handler-failed" } });
    expect(await reported).toEqual(hubError("ERR_HUB_CONTRACT", '"odd"'));
    hub.emit("moved", { x: 1 });
    expect(await client.nextJson()).toEqual({ event: "moved", data: { x: 1 } });
  });

  test("leaves the packets of the protocol alone", async () => {
    const { port } = await connect({ validateOutgoing: true });
    const client = await enter(port);
    client.send({ event: "hub:join", id: 1, data: { room: "tea" } });
    expect(await client.nextJson()).toMatchObject({ reply: 1, error: { code: "not-joinable" } });
  });
});
