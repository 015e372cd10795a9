import { Hub, jsonCodec, type Codec, type Packet, type Socket } from "roomcast";
import { afterEach, describe, expect, test } from "vitest";
import { hubError } from "../support/hub-error.ts";
import { dial, enter } from "../support/library-client.ts";
import { TRANSPORTS } from "../support/transports.ts";
import { WsClient } from "../support/ws-client.ts";

/** JSON in hexadecimal: a codec that is told apart at a glance, and counts what it encodes. */
class HexCodec implements Codec {
  readonly protocol = "hex";
  encoded = 0;

  encode(packet: Packet): string {
    this.encoded++;
    return Buffer.from(String(jsonCodec.encode(packet))).toString("hex");
  }

  decode(message: string | Uint8Array): unknown {
    return jsonCodec.decode(Buffer.from(String(message), "hex").toString());
  }
}

function fromHex(text: string): unknown {
  return JSON.parse(Buffer.from(text, "hex").toString());
}

describe.each(TRANSPORTS)("clients of several codecs on %s", (transport) => {
  const hubs: Hub[] = [];

  afterEach(async () => {
    for (const hub of hubs.splice(0)) await hub.close();
  });

  async function crowd(): Promise<{ hub: Hub; codec: HexCodec; plain: WsClient[]; json: WsClient[]; hex: WsClient[] }> {
    const codec = new HexCodec();
    const hub = new Hub({ transport, heartbeat: false, welcome: false, codecs: [codec] });
    hubs.push(hub);
    hub.on("connection", (socket) => socket.join("all"));
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const plain: WsClient[] = [];
    const json: WsClient[] = [];
    const hex: WsClient[] = [];
    for (let count = 0; count < 3; count++) {
      plain.push(await WsClient.connect(`ws://127.0.0.1:${port}/`));
      json.push(await enter(port));
      const client = await dial(port, codec.protocol);
      client.send(codec.encode({ event: "hub:hello", data: { protocol: 1 } }));
      await client.next();
      hex.push(client);
    }
    codec.encoded = 0;
    return { hub, codec, plain, json, hex };
  }

  test("each get a broadcast in their own codec, which encodes it once", async () => {
    const { hub, codec, plain, json, hex } = await crowd();
    hub.to("all").emit("said", "one");
    hub.emit("said", "two");
    expect(codec.encoded).toBe(2);
    const one = { event: "said", room: "all", data: "one" };
    const two = { event: "said", data: "two" };
    for (const client of [...plain, ...json])
      expect([await client.nextJson(), await client.nextJson()]).toEqual([one, two]);
    for (const client of hex) expect([fromHex(await client.next()), fromHex(await client.next())]).toEqual([one, two]);
  });

  test("have broadcasts encoded only while they are connected", async () => {
    const { hub, codec, plain, hex } = await crowd();
    const gone = new Promise<void>((resolve) => {
      hub.on("disconnection", () => {
        if (hub.sockets.size === 6) resolve();
      });
    });
    for (const client of hex) await client.close();
    await gone;
    hub.emit("said");
    expect(await plain[0]?.nextJson()).toEqual({ event: "said" });
    expect(codec.encoded).toBe(0);
  });

  test("get everything in order, also with raw messages and excluded clients between", async () => {
    const { hub, plain, hex } = await crowd();
    const [first] = hub.sockets.values();
    hub.emit("n", 1);
    hub.send("raw");
    (first as Socket).broadcast.emit("n", 2);
    hub.to("all").volatile.emit("n", 3);
    expect([await plain[0]?.nextJson(), await plain[0]?.next(), await plain[0]?.nextJson()]).toEqual([
      { event: "n", data: 1 },
      "raw",
      { event: "n", room: "all", data: 3 },
    ]);
    const [client] = hex;
    const messages = [await client?.next(), await client?.next(), await client?.next(), await client?.next()];
    expect(messages.map((message = "") => (message === "raw" ? message : fromHex(message)))).toEqual([
      { event: "n", data: 1 },
      "raw",
      { event: "n", data: 2 },
      { event: "n", room: "all", data: 3 },
    ]);
  });

  test("answer the same request, and are answered in their own codec", async () => {
    const { hub, codec, plain, json, hex } = await crowd();
    hub.handle("sum", ({ a, b }) => a + b);
    const asked = hub.request("ready");
    for (const client of [...plain, ...json]) {
      const { id } = (await client.nextJson()) as { id: number };
      client.send({ reply: id, data: "json" });
    }
    for (const client of hex) {
      const { id } = fromHex(await client.next()) as { id: number };
      client.send(codec.encode({ reply: id, data: "hex" }));
    }
    const { replies } = await asked;
    const answers = [...replies.values()];
    expect(answers.filter((answer) => answer === "hex")).toHaveLength(3);
    expect(answers.filter((answer) => answer === "json")).toHaveLength(6);

    hex[0]?.send(codec.encode({ event: "sum", id: 7, data: { a: 1, b: 2 } }));
    expect(fromHex((await hex[0]?.next()) ?? "")).toEqual({ reply: 7, data: 3 });
    hex[0]?.send("zz");
    expect(fromHex((await hex[0]?.next()) ?? "")).toMatchObject({ event: "hub:error", data: { code: "bad-packet" } });
  });

  test("get nothing of a message that one of the codecs cannot encode", async () => {
    const { hub, codec, plain, hex } = await crowd();
    codec.encode = () => {
      throw new RangeError("no");
    };
    expect(() => hub.emit("said", "half")).toThrow(hubError("ERR_HUB_UNSERIALISABLE", "no"));
    await expect(hub.request("ready")).rejects.toThrow(hubError("ERR_HUB_UNSERIALISABLE", "no"));
    hub.send("fence");
    expect(await plain[0]?.next()).toBe("fence");
    expect(await hex[0]?.next()).toBe("fence");
  });
});
