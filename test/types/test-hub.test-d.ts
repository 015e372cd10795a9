import { defineContract, Hub, type EventPacket, type HubOptions, type Socket } from "roomcast";
import type { WebSocketConstructor } from "roomcast/client";
import { createTestHub, type TestClient, type TestHub, type TestHubOptions, type TestMessage } from "roomcast/testing";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";

interface Chat {
  readonly client: { chat: string; sum: (numbers: { a: number; b: number }) => number };
  readonly data: { name: string };
}

describe("the types of the hub", () => {
  test("are those that are stated", async () => {
    const fixture = createTestHub<Chat>({ welcome: false });
    expectTypeOf(fixture).toEqualTypeOf<TestHub<Chat>>();
    expectTypeOf(fixture.hub).toEqualTypeOf<Hub<Chat>>();
    expectTypeOf(await fixture.connect()).toEqualTypeOf<TestClient<Chat>>();
    expectTypeOf<TestClient<Chat>["socket"]>().toEqualTypeOf<Socket<Chat>>();
  });

  test("are those of the hub that is made", () => {
    expectTypeOf(createTestHub((basis) => new Hub<Chat>(basis))).toEqualTypeOf<TestHub<Chat>>();
    const create = (): Hub<Chat> => new Hub<Chat>();
    expectTypeOf(createTestHub(create)).toEqualTypeOf<TestHub<Chat>>();
  });

  test("are those of the contract", () => {
    const contract = defineContract({ client: { chat: z.object({ text: z.string() }) }, server: {} });
    const { hub } = createTestHub({ contract, validateOutgoing: true });
    expectTypeOf(hub).toEqualTypeOf(new Hub({ contract }));
    expectTypeOf(hub).not.toEqualTypeOf<Hub>();
  });

  test("need the option that knows the users", () => {
    interface Known {
      user: { id: string; name: string };
    }
    const user = { id: "1", name: "a" };
    const authenticate = (): Known["user"] => user;
    expectTypeOf(createTestHub<Known>({ authenticate })).toEqualTypeOf<TestHub<Known>>();
    expectTypeOf(createTestHub((basis) => new Hub<Known>({ ...basis, authenticate }))).toEqualTypeOf<TestHub<Known>>();
    // @ts-expect-error -- nobody would be known
    expectTypeOf(createTestHub<Known>()).toEqualTypeOf<TestHub<Known>>();
    // @ts-expect-error -- likewise
    expectTypeOf(createTestHub<Known>({ welcome: false })).toEqualTypeOf<TestHub<Known>>();
  });

  test("are open where none are given", () => {
    expectTypeOf(createTestHub()).toEqualTypeOf<TestHub>();
    expectTypeOf(createTestHub({})).toEqualTypeOf<TestHub>();
  });
});

test("transport and clock are the test hub's own", () => {
  expectTypeOf<keyof HubOptions>().extract<"transport" | "clock">().toEqualTypeOf<"transport" | "clock">();
  expectTypeOf<keyof TestHubOptions>().extract<"transport" | "clock">().toBeNever();
});

test("a client hands out packets and other messages, and by name events only", () => {
  expectTypeOf<TestClient["received"]>().toEqualTypeOf<readonly TestMessage[]>();
  const client = {} as TestClient;
  expectTypeOf(() => client.next()).returns.resolves.toEqualTypeOf<TestMessage>();
  expectTypeOf(() => client.next("chat")).returns.resolves.toEqualTypeOf<EventPacket>();
});

test("the class of WebSockets is one for library clients", () => {
  expectTypeOf<TestHub["WebSocket"]>().toExtend<WebSocketConstructor>();
});
