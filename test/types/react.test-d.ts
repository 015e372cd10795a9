import type { Client, ClientError, EventContext, StateChange } from "roomcast/client";
import { defineContract, type ClientContractTypes } from "roomcast/contract";
import { createHubHooks, HubProvider, useEvent, useHub, useRequest, type RoomState } from "roomcast/react";
import { usePresence } from "roomcast/react/presence";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";

const contract = defineContract({
  client: { chat: z.string() },
  server: { said: z.object({ text: z.string() }) },
  requests: { sum: { data: z.object({ a: z.number(), b: z.number() }), reply: z.number() } },
});

type Types = ClientContractTypes<typeof contract>;

const hooks = createHubHooks<Types>();

describe("Hooks of a contract", () => {
  test("have its events", () => {
    hooks.useEvent("said", (data, context) => {
      expectTypeOf(data).toEqualTypeOf<{ text: string }>();
      expectTypeOf(context).toEqualTypeOf<EventContext>();
    });
    hooks.useEvent("said", () => {}, { room: "tea" });
    hooks.useEvent("hub:state", (change) => expectTypeOf(change).toEqualTypeOf<StateChange>());
    // @ts-expect-error -- the client's own events are in no room
    hooks.useEvent("hub:state", () => {}, { room: "tea" });
    // @ts-expect-error -- no such event
    hooks.useEvent("siad", () => {});
    // @ts-expect-error -- what clients send
    hooks.useEvent("chat", () => {});
  });

  test("have its requests", () => {
    const { data, error, isPending, send } = hooks.useRequest("sum", { timeout: 1, idempotent: true });
    expectTypeOf(data).toEqualTypeOf<number | undefined>();
    expectTypeOf(error).toEqualTypeOf<ClientError | undefined>();
    expectTypeOf(isPending).toBeBoolean();
    expectTypeOf(send({ a: 1, b: 2 })).resolves.toBeNumber();
    // @ts-expect-error -- a number
    void send({ a: 1, b: "2" });
    // @ts-expect-error -- data is missing
    void send();
    // @ts-expect-error -- not a request
    hooks.useRequest("chat");
    // @ts-expect-error -- the component's end aborts
    hooks.useRequest("sum", { signal: new AbortController().signal });
  });

  test("have a client of it", () => {
    expectTypeOf(hooks.useHub()).toEqualTypeOf<Client<Types>>();
    hooks.HubProvider({ url: "/socket", options: { contract } });
    hooks.HubProvider({ client: hooks.useHub() });
    // @ts-expect-error -- a client has its options
    hooks.HubProvider({ client: hooks.useHub(), options: {} });
    // @ts-expect-error -- a client or a URL
    hooks.HubProvider({});
  });

  test("have who is present", () => {
    const { count, users } = usePresence<{ name: string }>(hooks.useHub(), "tea");
    expectTypeOf(count).toBeNumber();
    expectTypeOf(users).toEqualTypeOf<ReadonlyMap<string, { name: string } | null>>();
    expectTypeOf(usePresence(hooks.useHub(), "tea").users.get("ann")).toBeUnknown();
  });

  test("tell a refusal", () => {
    const room = hooks.useRoom("tea");
    expectTypeOf(room).toEqualTypeOf<RoomState>();
    if (room.state === "refused") expectTypeOf(room.error).toEqualTypeOf<ClientError>();
    else expectTypeOf(room.error).toEqualTypeOf<undefined>();
  });
});

test("Hooks without types take any event", () => {
  useEvent("any", (data) => expectTypeOf(data).toBeAny());
  const { data, send } = useRequest("any");
  expectTypeOf(data).toBeAny();
  void send();
  void send({ a: 1 });
  expectTypeOf(useHub()).toEqualTypeOf<Client>();
  HubProvider({ url: new URL("wss://example.org") });
});
