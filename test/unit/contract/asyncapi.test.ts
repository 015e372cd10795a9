import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { defineContract, type AsyncAPIDocument, type EventDefinitions } from "roomcast/contract";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { validatorOf, problemsIn } from "./asyncapi-validator.ts";
import { libraries } from "./libraries.ts";

const SHOP = { title: "Shop", version: "1.2.0" };

describe.each(libraries)("The AsyncAPI document of a contract, with $name", ({ contract }) => {
  const document = contract.toAsyncAPI({ ...SHOP, description: "Tea", url: "wss://shop.example:8443/live?x=1" });
  const fits = validatorOf(document);

  /** The names of the messages that these references lead to. */
  function namesOf(references: readonly { readonly $ref: string }[]): readonly (string | undefined)[] {
    return references.map(
      ({ $ref }) => document.channels.hub.messages[$ref.replace("#/channels/hub/messages/", "")]?.name,
    );
  }

  test("is valid to the official schema", () => {
    expect(problemsIn(document)).toStrictEqual([]);
    expect(problemsIn(contract.toAsyncAPI(SHOP))).toStrictEqual([]);
    expect(problemsIn(defineContract({}).toAsyncAPI(SHOP))).toStrictEqual([]);
  });

  test("has the title, the address and every message", () => {
    expect(document.info).toStrictEqual({ ...SHOP, description: "Tea" });
    expect(document.servers).toStrictEqual({ hub: { host: "shop.example:8443", protocol: "wss" } });
    expect(document.channels.hub.address).toBe("/live");
    const lines = Object.values(document.operations).map(({ action, messages, reply }) =>
      [action, ...namesOf(messages), ...(reply === undefined ? [] : ["->", ...namesOf(reply.messages)])].join(" "),
    );
    expect(lines).toStrictEqual([
      "receive order",
      "receive age",
      "receive note",
      "receive leave",
      "receive sum -> sum reply error reply",
      "receive now -> now reply error reply",
      "receive nothing -> nothing reply error reply",
      "send said",
      "send age",
      "send confirm -> confirm reply error reply",
    ]);
  });

  test("without a URL names no server and no address", () => {
    expect(contract.toAsyncAPI(SHOP)).not.toHaveProperty("servers");
    expect(contract.toAsyncAPI(SHOP).channels.hub.address).toBe(null);
    expect(contract.toAsyncAPI(SHOP).info).toStrictEqual(SHOP);
  });

  test("describes the packets of events", () => {
    const items = [{ name: "tea", price: 3 }];
    expect(fits("client.order", { event: "order", data: { items } })).toBe(true);
    expect(fits("client.order", { event: "order", id: 3, data: { items }, later: "fields are ignored" })).toBe(true);
    expect(fits("client.order", { event: "order", data: { items: [{ name: "tea" }] } })).toBe(false);
    expect(fits("client.order", { event: "order" })).toBe(false);
    expect(fits("client.order", { event: "other", data: { items } })).toBe(false);
    expect(fits("client.order", { event: "order", id: -1, data: { items } })).toBe(false);
    expect(fits("server.said", { event: "said", room: "tea", data: { from: "a", text: "b" } })).toBe(true);
    expect(fits("server.said", { event: "said", room: 1, data: { from: "a", text: "b" } })).toBe(false);
  });

  test("describes what is on the wire, not what handlers get", () => {
    expect(fits("client.age", { event: "age", data: "41" })).toBe(true);
    expect(fits("client.age", { event: "age", data: 41 })).toBe(false);
    expect(fits("client.sum.reply", { reply: 1, data: "3" })).toBe(true);
    expect(fits("client.sum.reply", { reply: 1, data: 3 })).toBe(false);
  });

  test("says where data may be absent and where it must be", () => {
    expect(fits("client.note", { event: "note" })).toBe(true);
    expect(fits("client.note", { event: "note", data: "x" })).toBe(true);
    expect(fits("client.leave", { event: "leave" })).toBe(true);
    expect(fits("client.leave", { event: "leave", data: null })).toBe(false);
  });

  test("describes the packets of requests", () => {
    expect(fits("client.sum", { event: "sum", id: 1, key: "k", data: [1, 2] })).toBe(true);
    expect(fits("client.sum", { event: "sum", data: [1, 2] })).toBe(false);
    expect(fits("client.sum", { event: "sum", id: 1, key: "", data: [1, 2] })).toBe(false);
    expect(fits("client.nothing.reply", { reply: 0 })).toBe(true);
    expect(fits("client.nothing.reply", { reply: 0, error: { code: "busy", message: "Later" } })).toBe(false);
    expect(fits("error", { reply: 0, error: { code: "busy", message: "Later" } })).toBe(true);
    expect(fits("error", { reply: 0, data: "3" })).toBe(false);
    expect(fits("server.confirm", { event: "confirm", id: 1, data: "7" })).toBe(true);
    expect(fits("server.confirm.reply", { reply: 1, data: "7" })).toBe(true);
  });
});

describe("A fault in a document is found", () => {
  const text = JSON.stringify(libraries[0]?.contract.toAsyncAPI(SHOP));

  test.each([
    ["a missing title", '"title":"Shop",', "", /^\/info: must have required property 'title'/],
    ["an unknown field", '"info":', '"infos":{},"info":', /must NOT have additional properties/],
    ["an unknown action", '"send"', '"shout"', /must be equal to one of the allowed values/],
    ["a payload that is not a schema", '"payload":{"type":"object"', '"payload":{"type":"thing"', /payload.*: must/],
    [
      "a channel that does not exist",
      '"channel":{"$ref":"#/channels/hub"}',
      '"channel":{"$ref":"#/a"}',
      /#\/a leads nowhere/,
    ],
    ["a message that does not exist", '"#/channels/hub/messages/error"', '"#/a"', /#\/a leads nowhere/],
    ["a schema that does not exist", '"#/components/schemas/client.age"', '"#/a"', /can't resolve reference #\/a/],
  ])("%s", (_, good, bad, problem) => {
    expect(text).toContain(good);
    const wrong = JSON.parse(text.replace(good, bad)) as AsyncAPIDocument;
    expect(problemsIn(wrong).join("\n")).toMatch(problem);
  });
});

interface Branch {
  name: string;
  children: Branch[];
}

const zodBranch = z.object({
  name: z.string(),
  get children() {
    return z.array(zodBranch);
  },
});
const zodNamed = z.object({ name: z.string() }).meta({ id: "Named" });
const valibotBranch: v.GenericSchema<Branch> = v.object({
  name: v.string(),
  children: v.lazy(() => v.array(valibotBranch)),
});

describe("Schemas with references inside", () => {
  const recursive: readonly [string, EventDefinitions][] = [
    ["zod", { one: zodBranch, many: z.array(zodBranch) }],
    ["valibot", { one: toStandardJsonSchema(valibotBranch), many: toStandardJsonSchema(v.array(valibotBranch)) }],
  ];

  test.each(recursive)("keep them when they are recursive: %s", (_, client) => {
    const document = defineContract({ client }).toAsyncAPI(SHOP);
    expect(problemsIn(document)).toStrictEqual([]);
    const fits = validatorOf(document);
    const good = { name: "a", children: [{ name: "b", children: [{ name: "c", children: [] }] }] };
    const bad = { name: "a", children: [{ name: "b", children: [{ name: "c", children: [{ name: 1 }] }] }] };
    expect(fits("client.one", { event: "one", data: good })).toBe(true);
    expect(fits("client.one", { event: "one", data: bad })).toBe(false);
    expect(fits("client.many", { event: "many", data: [good] })).toBe(true);
    expect(fits("client.many", { event: "many", data: [good, bad] })).toBe(false);
  });

  test("keep them when they are shared, also between events", () => {
    // "const" is also a keyword, of data that is left alone.
    const client = { one: zodNamed, two: z.object({ a: zodNamed, const: zodNamed }) };
    const document = defineContract({ client }).toAsyncAPI(SHOP);
    expect(problemsIn(document)).toStrictEqual([]);
    const fits = validatorOf(document);
    expect(fits("client.one", { event: "one", data: { name: "a" } })).toBe(true);
    expect(fits("client.one", { event: "one", data: { name: 1 } })).toBe(false);
    expect(fits("client.two", { event: "two", data: { a: { name: "a" }, const: { name: "b" } } })).toBe(true);
    expect(fits("client.two", { event: "two", data: { a: { name: "a" }, const: { name: 1 } } })).toBe(false);
  });

  test("leave data and names alone that look like them", () => {
    const literal = z.object({ $ref: z.string(), const: z.string() }).default({ $ref: "#/a", const: "#" });
    const { schemas } = defineContract({ client: { literal } }).toAsyncAPI(SHOP).components;
    expect(schemas["client.literal"]).toStrictEqual({
      type: "object",
      properties: { $ref: { type: "string" }, const: { type: "string" } },
      required: ["$ref", "const"],
      default: { $ref: "#/a", const: "#" },
    });
  });
});

describe("Names of events", () => {
  test("may have any characters and never collide", () => {
    const contract = defineContract({
      client: { "a/b": z.literal(1), "a b": z.literal(2), "größe~1{x}": z.literal(3), ["__proto__"]: z.literal(4) },
      requests: { sum: { reply: z.literal(5) } },
      server: { "sum.reply": z.literal(6) },
    });
    const twice = defineContract({ client: { "sum.reply": z.literal(7) }, requests: { sum: { reply: z.literal(8) } } });
    expect(problemsIn(contract.toAsyncAPI(SHOP))).toStrictEqual([]);
    expect(problemsIn(twice.toAsyncAPI(SHOP))).toStrictEqual([]);
    const messages = Object.entries(contract.toAsyncAPI(SHOP).channels.hub.messages);
    expect(messages.map(([id, { name }]) => [id, name])).toStrictEqual([
      ["client.a_b", "a/b"],
      ["client.a_b_2", "a b"],
      ["client.gr__e_1_x_", "größe~1{x}"],
      ["client.__proto__", "__proto__"],
      ["client.sum", "sum"],
      ["client.sum.reply", "sum reply"],
      ["error", "error reply"],
      ["server.sum.reply", "sum.reply"],
    ]);
    const fits = validatorOf(twice.toAsyncAPI(SHOP));
    expect(fits("client.sum.reply", { event: "sum.reply", data: 7 })).toBe(true);
    expect(fits("client.sum.reply_2", { reply: 1, data: 8 })).toBe(true);
  });
});

describe("A document cannot be made", () => {
  test.each([
    [
      "of a schema without JSON Schema",
      { chat: v.string() },
      /^The data of "chat" has a schema of valibot that offers no/,
    ],
    ["of what JSON cannot hold, with zod", { at: z.date() }, /^The data of "at" has a schema that JSON Schema cannot/],
    ["of undefined, with zod", { ping: z.undefined() }, /Use null for an event without data/],
    [
      "of what JSON cannot hold, with valibot",
      { at: toStandardJsonSchema(v.date()) },
      /^The data of "at" has a schema/,
    ],
  ])("%s", (_, client: EventDefinitions, message) => {
    const contract = defineContract({ client });
    expect(() => contract.toAsyncAPI(SHOP)).toThrow(expect.objectContaining({ code: "ERR_HUB_CONTRACT" }));
    expect(() => contract.toAsyncAPI(SHOP)).toThrow(message);
  });

  test("of a reply without JSON Schema", () => {
    const contract = defineContract({ serverRequests: { confirm: { reply: v.boolean() } } });
    expect(() => contract.toAsyncAPI(SHOP)).toThrow(/^The reply to "confirm" has a schema of valibot/);
  });

  test.each([
    ["title", { title: "", version: "1" }],
    ["version", { title: "t", version: 1 as unknown as string }],
    ["url", { ...SHOP, url: "https://example.com" }],
    ["url", { ...SHOP, url: "/chat" }],
  ])("with a bad %s", (option, options) => {
    const make = (): unknown => defineContract({}).toAsyncAPI(options);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_HUB_ARGUMENT" }));
    expect(make).toThrow(new RegExp(`^The ${option} of an AsyncAPI document`));
  });
});
