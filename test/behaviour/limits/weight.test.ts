import { Buffer } from "node:buffer";
import { defineContract, jsonCodec, type Codec, type HubOptions } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import type { TransportSubject } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openHubFixture, SUBJECTS } from "../../support/hub-fixture.ts";

const BYTES = 1024 * 1024;

/** The packet of an event with as much data as fits into a message of 1 MiB. */
function filled(of: (data: string) => string, data: (bytes: number) => string): string {
  return of(data(BYTES - of("").length));
}

const event = (data: string): string => `{"event":"e","id":1,"data":${data}}`;
const many = (unit: string) => (bytes: number) =>
  `[${`${unit},`.repeat(Math.floor((bytes - 2 - unit.length) / (unit.length + 1)))}${unit}]`;
const rows = (row: (place: number) => string) => (bytes: number) => {
  let text = row(0);
  for (let place = 1, next = row(1); text.length + 1 + next.length <= bytes; next = row(++place)) text += `,${next}`;
  return text;
};

/** The same in MessagePack: an array of units in hexadecimal. */
function packed(unit: string): Buffer {
  const count = Math.floor((BYTES - 32) / (unit.length / 2));
  return Buffer.from(
    `83a56576656e74a165a2696401a464617461dd${count.toString(16).padStart(8, "0")}${unit.repeat(count)}`,
    "hex",
  );
}

const TOO_DEEP = "The message is nested more than 512 deep.";
const TOO_HEAVY = "The message holds more values than this server takes.";

const contract = defineContract({
  client: {},
  server: {},
  requests: { e: { data: z.array(z.record(z.string(), z.unknown())), reply: z.number() } },
});

const withSchema: HubOptions = { contract: contract as NonNullable<HubOptions["contract"]> };

const chat = (place: number): string => `{"id":${place},"from":"ann","text":"${"lorem ipsum ".repeat(6)}"}`;
const point = (place: number): string => `[${13 + place / 7e4},${52 + place / 3e4}]`;
const entry = (place: number): string => `"${1000 + place * 7}":{"name":"Ann","age":7}`;

type Case = readonly [shape: string, options: HubOptions, message: string | Buffer];

const HOSTILE: readonly (readonly [...Case, says: string])[] = [
  ["nested lists", {}, event(`${"[".repeat(BYTES / 2 - 20)}${"]".repeat(BYTES / 2 - 20)}`), TOO_DEEP],
  ["lists without an end", {}, "[".repeat(BYTES), TOO_DEEP],
  ["empty objects", {}, filled(event, many("{}")), TOO_HEAVY],
  ["objects with an index", withSchema, filled(event, many('{"999":0}')), TOO_HEAVY],
  ["maps with an index", {}, packed("81a339393900"), TOO_HEAVY],
  ["arrays of one", {}, packed("9100"), TOO_HEAVY],
  ["nested arrays", {}, packed("91"), TOO_DEEP],
];

const HONEST: readonly Case[] = [
  ["one string", {}, filled(event, (bytes) => `"${"x".repeat(bytes - 2)}"`)],
  ["chat", withSchema, filled(event, (bytes) => `[${rows(chat)(bytes - 2)}]`)],
  ["coordinates", {}, filled(event, (bytes) => `[${rows(point)(bytes - 2)}]`)],
  ["rows by id", withSchema, filled(event, (bytes) => `[{${rows(entry)(bytes - 4)}}]`)],
  ["rows in MessagePack", {}, packed("82a26964cd1234a46e616d65a5416c696365")],
];

/** Binary messages are for a hub that speaks MessagePack. */
function speaking(subject: TransportSubject, message: string | Buffer): TransportSubject {
  return typeof message === "string" ? subject : { ...subject, codec: msgpackCodec };
}

describe.each(SUBJECTS)("A message of 1 MiB on $name", (subject) => {
  test.each(HOSTILE)("of %s is refused before it is decoded", async (_, options, message, says) => {
    const fixture = await openHubFixture(speaking(subject, message), options);
    fixture.hub.handle("e", () => 7);
    const peer = await fixture.connect();
    peer.client.send(message);
    expect(await peer.packet()).toStrictEqual({ event: "hub:error", data: { code: "bad-packet", message: says } });
    expect(fixture.hub.stats().violations).toBe(1);
  });

  test.each(HONEST)("of %s is handled", async (_, options, message) => {
    expect(message.length).toBeGreaterThan(BYTES - 200);
    const fixture = await openHubFixture(speaking(subject, message), options);
    fixture.hub.handle("e", () => 7);
    const peer = await fixture.connect();
    peer.client.send(message);
    expect(await peer.packet()).toStrictEqual({ reply: 1, data: 7 });
  });

  test("of bytes is for the application, however they look", async () => {
    const fixture = await openHubFixture(subject);
    const taken = new Promise<number>((resolve) => {
      fixture.hub.on("message", (_socket, data) => resolve(data.length));
    });
    const peer = await fixture.connect();
    peer.client.send(Buffer.alloc(BYTES, "["));
    expect(await taken).toBe(BYTES);
  });

  test("that is a reply nested 4,000 deep is no reply", async () => {
    const fixture = await openHubFixture(subject);
    const peer = await fixture.connect();
    const asked = peer.socket.request("ask", undefined, { timeout: 5_000 });
    await peer.packet();
    peer.client.send(`{"reply":1,"data":${"[".repeat(4_000)}${"]".repeat(4_000)}}`);
    expect(await peer.packet()).toStrictEqual({ event: "hub:error", data: { code: "bad-packet", message: TOO_DEEP } });
    peer.client.send('{"reply":1,"data":7}');
    expect(await asked).toBe(7);
  });

  test("is no measure for a hub that takes small ones only", async () => {
    const fixture = await openHubFixture(subject, { maxMessageBytes: 200 });
    fixture.hub.handle("e", () => 7);
    const peer = await fixture.connect();
    expect(
      await peer.ask(
        "e",
        Array.from({ length: 50 }, () => []),
      ),
    ).toStrictEqual({ reply: 1, data: 7 });
  });

  test("in a codec that cannot weigh is decoded", async () => {
    const codec: Codec = { encode: (packet) => jsonCodec.encode(packet), decode: (text) => jsonCodec.decode(text) };
    const fixture = await openHubFixture({ ...subject, codec });
    fixture.hub.handle("e", () => 7);
    const peer = await fixture.connect();
    peer.client.send(filled(event, many("{}")));
    expect(await peer.packet()).toStrictEqual({ reply: 1, data: 7 });
  });
});
