/* oxlint-disable vitest/expect-expect -- the compiler asserts: where it expects an error and finds none, it fails */
import { Hub, type HubTypes, type Socket } from "roomcast";
import { connect, type Client } from "roomcast/client";
import { defineContract, type ClientContractTypes, type ContractTypes, type StandardSchema } from "roomcast/contract";
import * as v from "valibot";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";

const contract = defineContract({
  client: {
    chat: z.object({ text: z.string(), at: z.coerce.date() }),
    typing: v.boolean(),
    age: v.pipe(v.string(), v.transform(Number)),
    note: z.string().optional(),
    leave: null,
    nothing: z.undefined(),
  },
  server: {
    said: z.object({ text: z.string() }),
    count: z.string().transform(Number),
    reload: null,
  },
  requests: {
    sum: { data: v.pipe(v.string(), v.transform(Number)), reply: z.string().transform(Number) },
    now: { reply: z.string() },
    save: { data: z.string() },
    beat: {},
  },
  serverRequests: {
    confirm: { data: z.string().transform(Number), reply: v.pipe(v.string(), v.transform(Number)) },
    areYouThere: {},
  },
});

interface Account {
  id: string;
  name: string;
}

type Types = ContractTypes<typeof contract>;
type ClientTypes = ClientContractTypes<typeof contract>;

const hub = new Hub({ contract });

describe("The types of a contract", () => {
  test("are those of the server: it gets what schemas make, and sends what they take", () => {
    expectTypeOf<Types["client"]["chat"]>().toEqualTypeOf<{ text: string; at: Date }>();
    expectTypeOf<Types["client"]["typing"]>().toEqualTypeOf<boolean>();
    expectTypeOf<Types["client"]["age"]>().toEqualTypeOf<number>();
    expectTypeOf<Types["client"]["note"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Types["client"]["leave"]>().toEqualTypeOf<undefined>();
    expectTypeOf<Types["client"]["nothing"]>().toEqualTypeOf<undefined>();
    expectTypeOf<Types["client"]["sum"]>().toEqualTypeOf<(data: number) => string>();
    expectTypeOf<Types["client"]["now"]>().toEqualTypeOf<() => string>();
    expectTypeOf<Types["client"]["save"]>().toEqualTypeOf<(data: string) => void>();
    expectTypeOf<Types["client"]["beat"]>().toEqualTypeOf<() => void>();
    expectTypeOf<Types["server"]>().toEqualTypeOf<{
      said: { text: string };
      count: string;
      reload: undefined;
      confirm: (data: string) => number;
      areYouThere: () => void;
    }>();
  });

  test("are, the other way round, those of a client", () => {
    expectTypeOf<ClientTypes["client"]["chat"]>().toEqualTypeOf<{ text: string; at: unknown }>();
    expectTypeOf<ClientTypes["client"]["age"]>().toEqualTypeOf<string>();
    expectTypeOf<ClientTypes["client"]["leave"]>().toEqualTypeOf<undefined>();
    expectTypeOf<ClientTypes["client"]["sum"]>().toEqualTypeOf<(data: string) => number>();
    expectTypeOf<ClientTypes["client"]["now"]>().toEqualTypeOf<() => string>();
    expectTypeOf<ClientTypes["server"]>().toEqualTypeOf<{
      said: { text: string };
      count: number;
      reload: undefined;
      confirm: (data: number) => string;
      areYouThere: () => void;
    }>();
  });

  test("have no events where a group is absent", () => {
    type Empty = ContractTypes<ReturnType<typeof emptyContract>>;
    expectTypeOf<keyof Empty["client"]>().toEqualTypeOf<never>();
    expectTypeOf<keyof Empty["server"]>().toEqualTypeOf<never>();
    const silent = new Hub({ contract: emptyContract() });
    // @ts-expect-error -- the server sends nothing
    silent.emit("said");
  });

  test("are never of what is no contract", () => {
    expectTypeOf<ContractTypes<{ client: object }>>().toEqualTypeOf<never>();
    expectTypeOf<ClientContractTypes<string>>().toEqualTypeOf<never>();
  });
});

function emptyContract() {
  return defineContract({});
}

describe("A definition", () => {
  test("refuses what is none", () => {
    // @ts-expect-error -- misspelt
    expectTypeOf(defineContract({ sever: {} })).toBeObject();
    // @ts-expect-error -- no schema
    expectTypeOf(defineContract({ client: { ping: {} } })).toBeObject();
    // @ts-expect-error -- a request has a schema for the data and one for the reply
    expectTypeOf(defineContract({ requests: { sum: z.string() } })).toBeObject();
    // @ts-expect-error -- not null, but left out
    expectTypeOf(defineContract({ requests: { sum: { reply: null } } })).toBeObject();
  });

  test("takes any library that follows the standard", () => {
    const own = {} as StandardSchema<string, Date>;
    const types = {} as ContractTypes<ReturnType<typeof ownContract>>;
    function ownContract() {
      return defineContract({ client: { at: own } });
    }
    expectTypeOf(types.client.at).toEqualTypeOf<Date>();
  });
});

describe("A hub with a contract", () => {
  test("infers its types", () => {
    expectTypeOf(hub).toEqualTypeOf<Hub<Types>>();
    expectTypeOf(new Hub({ contract, authenticate: () => ({ id: "1" }) })).toEqualTypeOf<Hub<Types>>();
    hub.on("connection", (socket) => expectTypeOf(socket).toEqualTypeOf<Socket<Types>>());
  });

  test("gives handlers what the schemas make, and takes the replies that they take", () => {
    hub.handle("chat", (message, socket) => {
      expectTypeOf(message).toEqualTypeOf<{ text: string; at: Date }>();
      expectTypeOf(socket).toEqualTypeOf<Socket<Types>>();
    });
    hub.handle("age", (age) => {
      expectTypeOf(age).toEqualTypeOf<number>();
    });
    hub.handle("leave", (nothing) => {
      expectTypeOf(nothing).toEqualTypeOf<undefined>();
    });
    hub.handle("sum", (number) => {
      expectTypeOf(number).toEqualTypeOf<number>();
      return String(number);
    });
    hub.handle("now", async () => "now");
    hub.handle("save", () => {});
    hub.handle("save", async (text) => {
      expectTypeOf(text).toEqualTypeOf<string>();
    });
    // @ts-expect-error -- the reply has yet to pass the schema
    hub.handle("sum", (number) => number);
    // @ts-expect-error -- there is no reply in the contract
    hub.handle("save", (text) => text);
    // @ts-expect-error -- clients send no such event
    hub.handle("said", () => {});
  });

  test("sends what the schemas take, and gets what they make of replies", () => {
    hub.emit("said", { text: "hi" });
    hub.emit("count", "1");
    hub.emit("reload");
    // @ts-expect-error -- the schema takes a string
    hub.emit("count", 1);
    // @ts-expect-error -- without data
    hub.emit("reload", 1);
    // @ts-expect-error -- that is what clients send
    hub.emit("chat", { text: "hi", at: new Date() });
    hub.on("connection", (socket) => {
      expectTypeOf(socket.request("confirm", "1")).resolves.toEqualTypeOf<number>();
      expectTypeOf(socket.request("areYouThere")).resolves.toEqualTypeOf<void>();
      // @ts-expect-error -- the schema takes a string
      void socket.request("confirm", 1);
      // @ts-expect-error -- an event is no request
      void socket.request("said", { text: "hi" });
    });
  });

  test("may have types of its own in addition", () => {
    const typed = new Hub<Types & { data: { nickname: string }; user: Account }>({
      contract,
      authenticate: () => ({ id: "1", name: "a" }),
    });
    typed.handle("chat", ({ at }, socket) => {
      expectTypeOf(at).toEqualTypeOf<Date>();
      expectTypeOf(socket.data).toEqualTypeOf<{ nickname: string }>();
      expectTypeOf(socket.user).toEqualTypeOf<Account>();
    });
    typed.emit("count", "1");
    // @ts-expect-error -- the user lacks a name
    expectTypeOf(new Hub<Types & { user: Account }>({ contract, authenticate: () => ({ id: "1" }) })).toBeObject();
  });

  test("refuses types that the contract does not have", () => {
    // @ts-expect-error -- of another application
    expectTypeOf(new Hub<{ client: { other: string } }>({ contract })).toBeObject();
    // @ts-expect-error -- any event
    expectTypeOf(new Hub<HubTypes>({ contract })).toBeObject();
    // @ts-expect-error -- the definition alone
    expectTypeOf(new Hub({ contract: contract.definition })).toBeObject();
  });

  test("without one takes its types as before", () => {
    expectTypeOf(new Hub({ contract: undefined })).toEqualTypeOf<Hub>();
    const plain = new Hub();
    expectTypeOf(plain).toEqualTypeOf<Hub>();
    plain.emit("anything", { at: "all" });
    const generic = new Hub<{ client: { chat: string }; server: { sum: (numbers: number[]) => number } }>();
    generic.handle("chat", (text) => expectTypeOf(text).toEqualTypeOf<string>());
    expectTypeOf(generic.request("sum", [1])).resolves.toHaveProperty("replies");
    // @ts-expect-error -- the server sends no such event
    generic.emit("chat", "hi");
  });
});

describe("A client with a contract", () => {
  const client = connect("wss://example.com", { contract });

  test("infers its types, or is given them without the schemas", () => {
    expectTypeOf(client).toEqualTypeOf<Client<ClientTypes>>();
    expectTypeOf(connect<ClientTypes>("wss://example.com")).toEqualTypeOf(client);
    expectTypeOf(connect<ClientTypes>("wss://example.com", { contract })).toEqualTypeOf(client);
    expectTypeOf(connect("wss://example.com")).toEqualTypeOf<Client>();
    expectTypeOf(connect("wss://example.com", { contract: undefined })).toEqualTypeOf<Client>();
    // @ts-expect-error -- those of the server
    expectTypeOf(connect<Types>("wss://example.com", { contract })).toBeObject();
  });

  test("sends what the schemas take, and gets what they make of replies", () => {
    client.emit("chat", { text: "hi", at: "2026-01-01" });
    client.emit("age", "41");
    client.emit("note");
    client.emit("leave");
    client.emit("nothing");
    expectTypeOf(client.request("sum", "1", { timeout: 5 })).resolves.toEqualTypeOf<number>();
    expectTypeOf(client.request("now")).resolves.toEqualTypeOf<string>();
    expectTypeOf(client.request("save", "text")).resolves.toEqualTypeOf<void>();
    expectTypeOf(client.request("beat", undefined, { timeout: 5 })).resolves.toEqualTypeOf<void>();
    // @ts-expect-error -- the schema takes a string
    client.emit("age", 41);
    // @ts-expect-error -- the data is missing
    client.emit("typing");
    // @ts-expect-error -- without data
    client.emit("leave", {});
    // @ts-expect-error -- that is what the server sends
    client.emit("said", { text: "hi" });
    // @ts-expect-error -- an event is no request
    void client.request("chat", { text: "hi", at: 1 });
    // @ts-expect-error -- the request has no data
    void client.request("now", 1);
  });

  test("gets what the schemas make, and answers what they take", () => {
    client.on("count", (count) => expectTypeOf(count).toEqualTypeOf<number>());
    client.on("reload", (nothing) => expectTypeOf(nothing).toEqualTypeOf<undefined>());
    client.handle("confirm", (question) => {
      expectTypeOf(question).toEqualTypeOf<number>();
      return "1";
    });
    client.handle("areYouThere", () => {});
    // @ts-expect-error -- the reply has yet to pass the schema
    client.handle("confirm", () => 1);
    // @ts-expect-error -- that is what clients send
    client.on("chat", () => {});
  });
});
