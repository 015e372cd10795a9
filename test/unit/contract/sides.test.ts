import { HubError } from "roomcast/contract";
import { describe, expect, test } from "vitest";
import { libraries } from "./libraries.ts";

describe.each(libraries)("The server's side, with $name", ({ contract: { hub } }) => {
  test("accepts what fits, as the schema makes it", () => {
    const order = { items: [{ name: "tea", price: 3 }] };
    expect(hub.accept("order", order)).toStrictEqual({ ok: true, data: order });
    expect(hub.accept("age", "41")).toStrictEqual({ ok: true, data: 41 });
    expect(hub.accept("note", undefined)).toStrictEqual({ ok: true, data: undefined });
    expect(hub.accept("leave", undefined)).toStrictEqual({ ok: true, data: undefined });
    expect(hub.accept("sum", [1, 2])).toStrictEqual({ ok: true, data: [1, 2] });
    expect(hub.accept("now", undefined)).toStrictEqual({ ok: true, data: undefined });
  });

  test("names the path of what does not", () => {
    const items = [
      { name: "tea", price: 3 },
      { name: "milk", price: 1 },
      { name: "sugar", price: "2" },
    ];
    expect(hub.accept("order", { items })).toStrictEqual({
      ok: false,
      message: expect.stringMatching(/^data\.items\[2\]\.price: .*number/) as string,
    });
    expect(hub.accept("order", null)).toStrictEqual({ ok: false, message: expect.stringMatching(/^data: /) as string });
    expect(hub.accept("leave", null)).toStrictEqual({ ok: false, message: "data: There must be none" });
    expect(hub.accept("now", {})).toStrictEqual({ ok: false, message: "data: There must be none" });
  });

  test("knows what clients may send, and nothing else", () => {
    expect(["order", "leave", "sum", "nothing"].every((event) => hub.knows(event))).toBe(true);
    expect(["said", "confirm", "other", ""].some((event) => hub.knows(event))).toBe(false);
    expect(hub.accept("said", { from: "a", text: "b" })).toStrictEqual({ ok: false, unknown: true });
    expect(hub.accept("confirm", "1")).toStrictEqual({ ok: false, unknown: true });
  });

  test("accepts the replies of clients likewise", () => {
    expect(hub.acceptReply("confirm", "7")).toStrictEqual({ ok: true, data: 7 });
    expect(hub.acceptReply("confirm", 7)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^data: /) as string,
    });
    expect(hub.acceptReply("said", "not described")).toStrictEqual({ ok: true, data: undefined });
    expect(hub.acceptReply("sum", "7")).toStrictEqual({ ok: false, unknown: true });
  });

  test("checks what the server sends, and leaves it as it is", () => {
    const said = { from: "a", text: "b", more: "c" };
    expect(hub.checkSent("said", said)).toBe(said);
    expect(hub.checkSent("age", "41")).toBe("41");
    expect(hub.checkSent("confirm", "1")).toBe("1");
    expect(() => hub.checkSent("said", { from: "a" })).toThrow(
      /^The data of "said" does not fit the contract\. data\.text: /,
    );
    expect(() => hub.checkSent("age", 41)).toThrow(HubError);
    expect(() => hub.checkSent("order", { items: [] })).toThrow('"order" is not an event that the server may send');
  });

  test("checks what handlers answer, and leaves it as it is", () => {
    expect(hub.checkReply("sum", "3")).toBe("3");
    expect(hub.checkReply("nothing", "not described")).toBe("not described");
    expect(hub.checkReply("order", undefined)).toBe(undefined);
    expect(() => hub.checkReply("sum", 3)).toThrow(/^The reply to "sum" does not fit the contract\. data: /);
    expect(() => hub.checkReply("sum", 3)).toThrow(expect.objectContaining({ code: "ERR_HUB_CONTRACT" }));
    expect(() => hub.checkReply("confirm", "3")).toThrow('"confirm" is not an event that clients may send');
  });
});

describe.each(libraries)("The client's side, with $name", ({ contract: { client } }) => {
  test("checks what the client sends, and leaves it as it is", () => {
    expect(client.checkSent("age", "41")).toBe("41");
    expect(client.checkSent("sum", [1])).toStrictEqual([1]);
    expect(client.checkSent("leave", undefined)).toBe(undefined);
    expect(() => client.checkSent("leave", 1)).toThrow(
      'The data of "leave" does not fit the contract. data: There must be none.',
    );
    expect(() => client.checkSent("order", { items: [{}] })).toThrow(/data\.items\[0\]\.name: /);
    expect(() => client.checkSent("said", { from: "a", text: "b" })).toThrow(
      '"said" is not an event that clients may send',
    );
  });

  test("gives what the server sent as the schema makes it", () => {
    expect(client.checkReceived("age", "41")).toBe(41);
    expect(client.checkReceived("confirm", "7")).toBe(7);
    expect(() => client.checkReceived("said", { from: "a" })).toThrow(/data\.text: /);
    expect(() => client.checkReceived("newer", 1)).toThrow('"newer" is not an event that the server may send');
  });

  test("gives replies as the schema makes them", () => {
    expect(client.checkReply("sum", "3")).toBe(3);
    expect(client.checkReply("nothing", "not described")).toBe(undefined);
    expect(() => client.checkReply("sum", 3)).toThrow(/^The reply to "sum" does not fit the contract\. data: /);
  });

  test("checks what the client answers the server, and leaves it as it is", () => {
    expect(client.checkAnswer("confirm", "7")).toBe("7");
    expect(() => client.checkAnswer("confirm", 7)).toThrow(
      /^The reply to "confirm" does not fit the contract\. data: /,
    );
  });
});
