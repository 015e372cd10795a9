import type { Hub } from "roomcast";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { parsePacket } from "../../../src/protocol/packet.ts";
import { msgpackCodec } from "roomcast/msgpack";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { readText } from "../../support/markdown.ts";
import { replay } from "./exchange.ts";
import { removeSnippets } from "../../support/snippets.ts";
import { decode, encode } from "../../support/vectors/messagepack.ts";
import { bytesOf, hexOf, notationOf, valueOf } from "../../support/vectors/notation.ts";
import { exampleHub } from "../../support/vectors/server.ts";
import { casesOf, VECTORS } from "../../support/vectors/vectors.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const hubs: Hub[] = [];

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

afterAll(removeSnippets);

describe.each(TRANSPORTS)("a server on %s", (transport) => {
  test.each(VECTORS.server.flatMap(casesOf))("$title", async ({ settings, steps }) => {
    const hub = await exampleHub(transport, settings);
    hubs.push(hub);
    const { port } = await hub.listen({ host: "127.0.0.1" });
    expect(await replay(`ws://127.0.0.1:${port}`, steps)).toStrictEqual(steps);
  });
});

describe("MessagePack", () => {
  test.each(VECTORS.messagepack)("$name", ({ value, hex }) => {
    const packet = Buffer.concat([bytesOf("82 a5"), Buffer.from("event"), bytesOf("a1 65 a4"), Buffer.from("data")]);
    const received = msgpackCodec.decode(Buffer.concat([packet, bytesOf(hex)]));
    expect(notationOf(received)).toStrictEqual({ event: "e", data: value });
    const sent = msgpackCodec.encode({ event: "e", data: valueOf(value) });
    expect(notationOf(decode(sent as Uint8Array))).toStrictEqual({ event: "e", data: value });
    // What the other vectors are played with.
    expect(notationOf(decode(bytesOf(hex)))).toStrictEqual(value);
    expect(notationOf(decode(encode(valueOf(value))))).toStrictEqual(value);
  });

  test.each(VECTORS.messagepackRefused)("refuses $name", ({ hex }) => {
    expect(() => parsePacket(msgpackCodec.decode(bytesOf(hex)))).toThrow(
      expect.objectContaining({ name: "PacketError" }),
    );
  });

  test("has the shortest form of every kind of value among its vectors", () => {
    const kinds = VECTORS.messagepack.filter(({ value, hex }) => hexOf(encode(valueOf(value))) === hex);
    expect(new Set(kinds.map(({ hex }) => hex.slice(0, 1))).size).toBeGreaterThan(5);
  });
});

describe("the file", () => {
  test("matches its schema, and the schema refuses other files", () => {
    const schema = z.fromJSONSchema(JSON.parse(readText("docs/protocol-vectors.schema.json")));
    const file = JSON.parse(readText("docs/protocol-vectors.json")) as typeof VECTORS;
    expect(schema.safeParse(file).error).toBeUndefined();
    const step = { from: "server", refuse: "401" };
    expect(schema.safeParse({ ...file, server: [{ name: "a", steps: [step] }] }).success).toBe(false);
    expect(schema.safeParse({ ...file, client: [{ name: "a", steps: [{ call: "fly" }] }] }).success).toBe(false);
  });

  test("names every vector once", () => {
    for (const list of [VECTORS.server, VECTORS.client, VECTORS.messagepack, VECTORS.messagepackRefused]) {
      const names = list.map(({ name }) => name);
      expect(names).toStrictEqual([...new Set(names)]);
    }
  });

  test("has as many cases in MessagePack as in JSON", () => {
    const played = [...VECTORS.server.flatMap(casesOf), ...VECTORS.client.flatMap(casesOf)].map(({ title }) => title);
    const count = (codec: string): number => played.filter((title) => title.endsWith(`, ${codec}`)).length;
    expect(count("msgpack")).toBeGreaterThan(30);
    expect(Math.abs(count("json") - count("msgpack"))).toBeLessThan(10);
  });

  test("names existing subprotocols", () => {
    const offers = Object.values(VECTORS.openings).flatMap((steps) =>
      steps.flatMap((s) => ("offer" in s ? s.offer : [])),
    );
    expect(offers.toSorted()).toStrictEqual([jsonCodec.protocol, msgpackCodec.protocol]);
  });
});
