import { defineContract, HubError } from "roomcast/contract";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";

const define = defineContract as (definition: unknown) => ReturnType<typeof defineContract>;

describe("A definition", () => {
  test("may leave out every group", () => {
    expect(defineContract({}).hub.knows("chat")).toBe(false);
    expect(defineContract({}).definition).toStrictEqual({ client: {}, server: {}, requests: {}, serverRequests: {} });
    expect(define({ client: undefined, server: { said: z.string() } }).client.checkReceived("said", "x")).toBe("x");
  });

  test("may mix libraries, and take schemas that are functions", () => {
    const schema = Object.assign(() => {}, {
      "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value: [value] }) } as const,
    });
    const contract = defineContract({ client: { a: z.string(), b: v.string(), c: schema } });
    expect(contract.hub.accept("a", "x")).toStrictEqual({ ok: true, data: "x" });
    expect(contract.hub.accept("b", "x")).toStrictEqual({ ok: true, data: "x" });
    expect(contract.hub.accept("c", "x")).toStrictEqual({ ok: true, data: ["x"] });
  });

  test("keeps its schemas, and is not changed by what happens to the object later", () => {
    const client: Record<string, z.ZodString> = { chat: z.string() };
    const contract = defineContract({ client });
    expect(contract.definition.client["chat"]).toBe(client["chat"]);
    client["later"] = z.string();
    expect(contract.hub.knows("later")).toBe(false);
  });

  test("may name events like members of every object", () => {
    const { hub } = defineContract({ client: { constructor: z.string(), ["__proto__"]: z.number() } });
    expect(hub.accept("constructor", "x")).toStrictEqual({ ok: true, data: "x" });
    expect(hub.accept("__proto__", 1)).toStrictEqual({ ok: true, data: 1 });
    expect(hub.accept("toString", 1)).toStrictEqual({ ok: false, unknown: true });
    expect(defineContract({}).hub.knows("__proto__")).toBe(false);
  });

  test("may have a name in both directions, and a name of the longest length", () => {
    const long = "x".repeat(256);
    const { hub } = defineContract({ client: { chat: z.string(), [long]: null }, serverRequests: { chat: {} } });
    expect(hub.accept("chat", "x")).toStrictEqual({ ok: true, data: "x" });
    expect(hub.knows(long)).toBe(true);
    expect(hub.checkSent("chat", undefined)).toBe(undefined);
  });

  test.each([
    ["no object", null, "A contract must be an object of groups, not null."],
    ["an array", [], "A contract must be an object of groups, not an array."],
    ["an unknown group", { sever: {} }, 'A contract has no group "sever", only client, server, requests,'],
    ["a group that is none", { client: "chat" }, '"client" must be an object of names and schemas, not string.'],
    ["no schema", { client: { ping: {} } }, 'client["ping"] must be a Standard Schema (of zod, valibot, …), or null'],
    ["undefined for a schema", { server: { ping: undefined } }, 'server["ping"] must be a Standard Schema'],
    ["another version", { client: { a: { "~standard": { version: 2, validate: String } } } }, 'client["a"] must be a'],
    ["no validate", { client: { a: { "~standard": { version: 1 } } } }, 'client["a"] must be a Standard Schema'],
    [
      "a schema for a request",
      { requests: { sum: z.string() } },
      'requests["sum"] must be an object such as { data: schema',
    ],
    ["null for a request", { serverRequests: { sum: null } }, 'serverRequests["sum"] must be an object such as'],
    [
      "a misspelt part",
      { requests: { sum: { replay: z.string() } } },
      'requests["sum"] may have "data" and "reply", but no "replay"',
    ],
    ["no schema as data", { requests: { sum: { data: "x" } } }, 'requests["sum"].data must be a Standard Schema'],
    ["no schema as reply", { requests: { sum: { reply: null } } }, 'requests["sum"].reply must be a Standard Schema'],
    ["an empty name", { client: { "": z.string() } }, '"client" has an event without a name.'],
    ["a long name", { client: { ["x".repeat(257)]: null } }, "A name must be at most 256 characters."],
    ["a reserved name", { requests: { "hub:join": {} } }, '"hub:join" is reserved'],
    ["one name twice", { client: { a: null }, requests: { a: {} } }, '"a" is in client and in requests.'],
    ["one name twice", { server: { a: null }, serverRequests: { a: {} } }, '"a" is in server and in serverRequests.'],
  ])("is refused with %s", (_, definition, message) => {
    expect(() => define(definition)).toThrow(HubError);
    expect(() => define(definition)).toThrow(expect.objectContaining({ code: "ERR_HUB_CONTRACT" }));
    expect(() => define(definition)).toThrow(message);
  });
});
