import { defineContract, type Contract, type StandardIssue, type StandardSchema } from "roomcast/contract";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";

type Validate = StandardSchema["~standard"]["validate"];

function contractOf(schema: StandardSchema): Contract<{ client: { chat: StandardSchema } }> {
  return defineContract({ client: { chat: schema } });
}

function own(validate: Validate): StandardSchema {
  return { "~standard": { version: 1, vendor: "own", validate } };
}

function messageFor(...issues: readonly StandardIssue[]): string {
  const acceptance = contractOf(own(() => ({ issues }))).hub.accept("chat", "x");
  if (acceptance.ok || "unknown" in acceptance) throw new Error("It was accepted.");
  return acceptance.message;
}

describe("The message", () => {
  test("writes a path as JavaScript writes it", () => {
    const path = ["items", 2, "größe", "a b", "9", Symbol("s"), { key: "x" }, { key: 0 }, "$_1", ""];
    expect(messageFor({ message: "No", path })).toBe('data.items[2].größe["a b"]["9"][Symbol(s)].x[0].$_1[""]: No');
    expect(messageFor({ message: "No" })).toBe("data: No");
    expect(messageFor()).toBe("data: It is not valid");
  });

  test("names three issues and counts the rest", () => {
    const issues = ["a", "b", "c", "d", "e"].map((key) => ({ message: "No", path: [key] }));
    expect(messageFor(...issues.slice(0, 3))).toBe("data.a: No; data.b: No; data.c: No");
    expect(messageFor(...issues)).toBe("data.a: No; data.b: No; data.c: No; and 2 more");
  });

  test("of a huge key, path, text or number of issues stays short", () => {
    expect(messageFor({ message: "No", path: ["k".repeat(1e6)] })).toBe(`data.${"k".repeat(39)}…: No`);
    expect(messageFor({ message: "No", path: [`"${"k".repeat(1e6)}`] })).toBe(`data["\\"${"k".repeat(38)}…"]: No`);
    expect(messageFor({ message: "No", path: Array.from({ length: 1e5 }, () => "k") })).toMatch(
      /^data(\.k){57,58}.?…: No$/,
    );
    expect(messageFor({ message: "m".repeat(1e6) })).toBe(`data: ${"m".repeat(393)}…`);
    expect(messageFor({ message: `${"m".repeat(392)}😀${"m".repeat(9)}` })).toBe(`data: ${"m".repeat(392)}…`);
    expect(messageFor(...Array.from({ length: 1e5 }, () => ({ message: "m".repeat(1e3) }))).length).toBe(400);
  });

  test.each([
    ["zod", z.strictObject({ a: z.array(z.number()) })],
    ["valibot", v.strictObject({ a: v.array(v.number()) })],
  ])("stays short for hostile data, with %s", (_, schema) => {
    const hostile = [
      { a: Array.from({ length: 1e4 }, () => "x") },
      { a: [], ["k".repeat(1e5)]: 1 },
      { a: "x".repeat(1e5) },
      JSON.parse('{"__proto__":{"a":[]},"a":[{"toString":1}]}'),
    ];
    for (const data of hostile) {
      const acceptance = contractOf(schema).hub.accept("chat", data);
      expect(acceptance).toStrictEqual({ ok: false, message: expect.stringMatching(/^data[.:[]/) as string });
      expect(JSON.stringify(acceptance).length).toBeLessThan(500);
    }
  });
});

describe("A schema that fails", () => {
  const cause = new Error("the password is 123");

  test("by throwing is reported, and the client learns no details", () => {
    const { hub, client } = contractOf(
      own(() => {
        throw cause;
      }),
    );
    const error: unknown = expect.objectContaining({
      code: "ERR_HUB_CONTRACT",
      message: expect.stringContaining('The data of "chat" could not be validated') as string,
      cause,
    });
    expect(hub.accept("chat", "x")).toStrictEqual({ ok: false, message: "data: It could not be validated", error });
    expect(() => client.checkSent("chat", "x")).toThrow(error);
  });

  test.each([
    ["a promise of its own", own(async (value) => ({ value }))],
    ["a promise that rejects", own(async () => Promise.reject(cause))],
    ["zod", z.string().refine(async () => true)],
    [
      "zod, throwing",
      z.string().refine(() => {
        throw cause;
      }),
    ],
    [
      "valibot",
      v.pipeAsync(
        v.string(),
        v.checkAsync(async () => true),
      ),
    ],
    [
      "valibot, throwing",
      v.pipeAsync(
        v.string(),
        v.checkAsync(async () => {
          throw cause;
        }),
      ),
    ],
  ])("to answer at once is reported: %s", async (_, schema) => {
    const rejections: unknown[] = [];
    const hear = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", hear);
    const { hub, client } = contractOf(schema);
    expect(hub.accept("chat", "x")).toStrictEqual({
      ok: false,
      message: "data: It could not be validated",
      error: expect.objectContaining({
        code: "ERR_HUB_CONTRACT",
        message: expect.stringMatching(
          /^The data of "chat" could not be validated at once: its schema is async/,
        ) as string,
      }) as unknown,
    });
    expect(() => client.checkSent("chat", "x")).toThrow("could not be validated at once");
    // Unhandled rejections are told when the microtasks have run, before the next turn of the event loop.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.off("unhandledRejection", hear);
    expect(rejections).toStrictEqual([]);
  });

  test("because a client nested its data too deeply brings nothing down", () => {
    const nested: z.ZodType = z.lazy(() => z.array(nested));
    const data: unknown = JSON.parse("[".repeat(2e5) + "]".repeat(2e5));
    expect(contractOf(nested).hub.accept("chat", data)).toMatchObject({
      ok: false,
      message: "data: It could not be validated",
      error: { code: "ERR_HUB_CONTRACT" },
    });
  });

  test("by returning nothing, or issues that are not issues, is reported", () => {
    for (const result of [undefined, null, { issues: null }, { issues: [null] }, { issues: [{ path: 3 }] }]) {
      const acceptance = contractOf(own(() => result as never)).hub.accept("chat", "x");
      expect(acceptance).toMatchObject({ ok: false, error: { code: "ERR_HUB_CONTRACT" } });
    }
  });
});
