/* oxlint-disable vitest/expect-expect -- the compiler asserts: where it expects an error and finds none, it fails */
import type { Call, Hub, Middleware, Socket } from "roomcast";
import { describe, expectTypeOf, test } from "vitest";

interface Types {
  client: { chat: string };
  server: { chat: string };
  data: { nickname: string };
  user: { id: string; name: string };
}

declare const hub: Hub<Types>;
declare const socket: Socket<Types>;
declare const timed: Middleware<Socket<Types>>;
declare const anybodys: Middleware<unknown>;
declare const others: Middleware<Socket<{ data: { score: number } }>>;

describe("Middleware", () => {
  test("gets a call of one of this hub's sockets", () => {
    hub.use((call, next) => {
      expectTypeOf(call).toEqualTypeOf<Call<Socket<Types>>>();
      expectTypeOf(call.event).toEqualTypeOf<string>();
      expectTypeOf(call.socket.user).toEqualTypeOf<Types["user"]>();
      expectTypeOf(call.socket.data.nickname).toEqualTypeOf<string>();
      expectTypeOf(call.isRequest).toEqualTypeOf<boolean>();
      // What a client sent is not known before it was looked at, whatever the event.
      expectTypeOf(call.data).toEqualTypeOf<unknown>();
      expectTypeOf(next).toEqualTypeOf<() => unknown>();
      return next();
    });
  });

  test("may replace the data, and nothing else", () => {
    hub.use((call) => {
      call.data = 7;
      // @ts-expect-error -- where a message goes is settled
      call.event = "other";
      // @ts-expect-error -- who it came from, too
      call.socket = socket;
      // @ts-expect-error -- and what the client waits for
      call.isRequest = false;
    });
  });

  test("may be asynchronous, and have a name", () => {
    expectTypeOf(hub.use(timed)).toEqualTypeOf<() => void>();
    hub.use(async ({ event }, next) => [event, await next()]);
    hub.use(() => {});
  });

  test("of any socket fits every hub", () => {
    expectTypeOf<Call<unknown>["socket"]>().toEqualTypeOf<unknown>();
    expectTypeOf(hub.use(anybodys)).toEqualTypeOf<() => void>();
  });

  test("of another hub's sockets does not fit, nor what is no function", () => {
    // @ts-expect-error -- its sockets have other data
    hub.use(others);
    // @ts-expect-error -- not a function
    hub.use("log");
    // @ts-expect-error -- next takes nothing: what is replaced is replaced in the call
    hub.use((_call, next) => next(7));
  });
});
