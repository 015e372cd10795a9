import { HubError } from "roomcast/contract";
import { describe, expect, test } from "vitest";
import { libraries } from "./libraries.ts";

describe.each(libraries)("The server's side, with $name", ({ contract: { hub } }) => {
  test("accepts data that fits and returns the schema's output", () => {
    const order = { items: [{ name: "tea", price: 3 }] };
    expect(hub.accept("order", order)).toStrictEqual({ ok: true, data: order });
    expect(hub.accept("age", "41")).toStrictEqual({ ok: true, data: 41 });
    expect(hub.accept("note", undefined)).toStrictEqual({ ok: true, data: undefined });
    expect(hub.accept("leave", undefined)).toStrictEqual({ ok: true, data: undefined });
    expect(hub.accept("sum", [1, 2])).toStrictEqual({ ok: true, data: [1, 2] });
    expect(hub.accept("now", undefined)).toStrictEqual({ ok: true, data: undefined });
  });

  test("names the path of data that does not fit", () => {
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

  test("knows the events that clients may send, and no others", () => {
    expect(["order", "leave", "sum", "nothing"].every((event) => hub.knows(event))).toBe(true);
    expect(["said", "confirm", "other", ""].some((event) => hub.knows(event))).toBe(false);
    expect(hub.accept("said", { from: "a", text: "b" })).toStrictEqual({ ok: false, unknown: true });
    expect(hub.accept("confirm", "1")).toStrictEqual({ ok: false, unknown: true });
  });

  test("accepts the replies of clients in the same way", () => {
    expect(hub.acceptReply("confirm", "7")).toStrictEqual({ ok: true, data: 7 });
    expect(hub.acceptReply("confirm", 7)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^data: /) as string,
    });
    expect(hub.acceptReply("said", "not described")).toStrictEqual({ ok: true, data: undefined });
    expect(hub.acceptReply("sum", "7")).toStrictEqual({ ok: false, unknown: true });
  });

  test("checks the data that the server sends without changing it", () => {
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

  test("checks the replies of handlers without changing them", () => {
    expect(hub.checkReply("sum", "3")).toBe("3");
    expect(hub.checkReply("nothing", "not described")).toBe("not described");
    expect(hub.checkReply("order", undefined)).toBe(undefined);
    expect(() => hub.checkReply("sum", 3)).toThrow(/^The reply to "sum" does not fit the contract\. data: /);
    expect(() => hub.checkReply("sum", 3)).toThrow(expect.objectContaining({ code: "ERR_HUB_CONTRACT" }));
    expect(() => hub.checkReply("confirm", "3")).toThrow('"confirm" is not an event that clients may send');
  });
});

describe.each(libraries)("The client's side, with $name", ({ contract: { client } }) => {
  test("checks the data that the client sends without changing it", () => {
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

  test("returns the schema's output for the data that the server sent", () => {
    expect(client.checkReceived("age", "41")).toBe(41);
    expect(client.checkReceived("confirm", "7")).toBe(7);
    expect(() => client.checkReceived("said", { from: "a" })).toThrow(/data\.text: /);
    expect(() => client.checkReceived("newer", 1)).toThrow('"newer" is not an event that the server may send');
  });

  test("returns the schema's output for replies", () => {
    expect(client.checkReply("sum", "3")).toBe(3);
    expect(client.checkReply("nothing", "not described")).toBe(undefined);
    expect(() => client.checkReply("sum", 3)).toThrow(/^The reply to "sum" does not fit the contract\. data: /);
  });

  test("checks the client's replies to the server without changing them", () => {
    expect(client.checkAnswer("confirm", "7")).toBe("7");
    expect(() => client.checkAnswer("confirm", 7)).toThrow(
      /^The reply to "confirm" does not fit the contract\. data: /,
    );
  });
});
