import { setImmediate as turn } from "node:timers/promises";
import { defineContract, Hub, HubError, ReplyError, type Call, type HubOptions } from "roomcast";
import { memory } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Inbox } from "../../src/testing/inbox.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { hubError } from "../support/hub-error.ts";
import { openHubFixture, SUBJECTS } from "../support/hub-fixture.ts";

const FAILED = { code: "handler-failed", message: "The server failed to handle this." };

const [subject] = SUBJECTS;
if (subject === undefined) throw new Error("There is always a transport.");

const open = (options?: HubOptions): Promise<HubFixture> => openHubFixture(subject, options);

describe.each(SUBJECTS)("Middleware on $name", (each) => {
  test("runs around the handler, in the order in which it was added", async () => {
    const fixture = await openHubFixture(each);
    const order: string[] = [];
    for (const name of ["outer", "inner"]) {
      fixture.hub.use((_call, next) => {
        order.push(`${name} before`);
        const result = next();
        order.push(`${name} after`);
        return `${name}(${String(result)})`;
      });
    }
    fixture.hub.handle("work", (data: unknown) => {
      order.push("handler");
      return data;
    });
    const peer = await fixture.connect();
    expect(await peer.ask("work", "x")).toStrictEqual({ reply: 1, data: "outer(inner(x))" });
    expect(order).toStrictEqual(["outer before", "inner before", "handler", "inner after", "outer after"]);
  });

  test("that is synchronous keeps the replies in the order of the requests", async () => {
    const fixture = await openHubFixture(each);
    fixture.hub.use((_call, next) => next());
    fixture.hub.handle("sync", (data: unknown) => data);
    fixture.hub.handle("async", async (data: unknown) => data);
    const peer = await fixture.connect();
    for (let id = 1; id <= 5; id++) peer.say({ event: id === 1 ? "async" : "sync", id, data: id });
    const replies: unknown[] = [];
    while (replies.length < 5) replies.push(await peer.packet());
    const ids = replies.map((reply) => (reply as { readonly reply: number }).reply);
    expect(ids.filter((id) => id !== 1)).toStrictEqual([2, 3, 4, 5]);
  });
});

describe("Middleware", () => {
  test("that is synchronous lets a synchronous handler run, and answer, at once", async () => {
    const fixture = await open();
    const done: string[] = [];
    fixture.hub.use((_call, next) => {
      const result = next();
      done.push(`returned ${String(result)}`);
      return result;
    });
    fixture.hub.handle("work", () => {
      queueMicrotask(() => done.push("microtask"));
      return "result";
    });
    const peer = await fixture.connect();
    await peer.ask("work");
    expect(done).toStrictEqual(["returned result", "microtask"]);
  });

  test("may be asynchronous", async () => {
    const fixture = await open();
    fixture.hub.use(async (_call, next) => {
      await turn();
      return [await next()];
    });
    fixture.hub.handle("work", async (data: unknown) => data);
    const peer = await fixture.connect();
    expect(await peer.ask("work", 7)).toStrictEqual({ reply: 1, data: [7] });
  });

  test("receives the event, the data, the socket, and whether a reply is wanted", async () => {
    const fixture = await open();
    const calls = new Inbox<Call<unknown>>();
    fixture.hub.use((call, next) => {
      calls.push(call);
      return next();
    });
    fixture.hub.handle("work", () => {});
    const peer = await fixture.connect();
    peer.say({ event: "work", data: [1] });
    await peer.ask("work");
    const { socket } = peer;
    expect(await calls.next()).toMatchObject({ event: "work", data: [1], socket, isRequest: false });
    expect(await calls.next()).toMatchObject({ event: "work", data: undefined, socket, isRequest: true });
  });

  test("may replace the data for what comes after it", async () => {
    const fixture = await open();
    const seen: unknown[] = [];
    fixture.hub.use((call, next) => {
      seen.push(call.data);
      call.data = [call.data];
      return next();
    });
    fixture.hub.use((call, next) => {
      seen.push(call.data);
      call.data = { wrapped: call.data };
      return next();
    });
    fixture.hub.handle("work", (data: unknown) => data);
    const peer = await fixture.connect();
    expect(await peer.ask("work", 7)).toStrictEqual({ reply: 1, data: { wrapped: [7] } });
    expect(seen).toStrictEqual([7, [7]]);
  });

  test("may answer without running the rest and the handler", async () => {
    const fixture = await open();
    const ran: string[] = [];
    fixture.hub.use(({ data }, next) => (data === "stop" ? { cached: true } : next()));
    fixture.hub.use((_call, next) => {
      ran.push("inner");
      return next();
    });
    fixture.hub.handle("work", () => ran.push("handler"));
    const peer = await fixture.connect();
    expect(await peer.ask("work", "stop")).toStrictEqual({ reply: 1, data: { cached: true } });
    peer.say({ event: "work", data: "stop" });
    expect(ran).toStrictEqual([]);
    await peer.ask("work", "go");
    expect(ran).toStrictEqual(["inner", "handler"]);
  });

  test("may refuse with a ReplyError, at once or later, which is not reported", async () => {
    const fixture = await open();
    fixture.hub.use(({ data }, next) => {
      if (data === "now") throw new ReplyError("not-now", "Later.");
      return data === "later" ? Promise.reject(new ReplyError("never", "No.")) : next();
    });
    fixture.hub.handle("work", () => "done");
    const peer = await fixture.connect();
    expect(await peer.ask("work", "now")).toStrictEqual({ reply: 1, error: { code: "not-now", message: "Later." } });
    expect(await peer.ask("work", "later")).toStrictEqual({ reply: 1, error: { code: "never", message: "No." } });
    expect(await peer.ask("work")).toStrictEqual({ reply: 1, data: "done" });
    expect(fixture.failures.take()).toStrictEqual([]);
    expect(fixture.hub.stats().handlerErrors).toBe(0);
  });

  test.each([
    ["throws", raise],
    ["rejects", (thrown: unknown) => Promise.reject(thrown)],
  ])("that %s by itself is reported as middleware, once", async (_does, fail) => {
    for (const error of [new Error("broken"), undefined, null, 0, Number.NaN, "broken"]) {
      const fixture = await open();
      fixture.hub.use((_call, next) => next());
      fixture.hub.use(() => fail(error));
      fixture.hub.handle("work", () => "done");
      const peer = await fixture.connect();
      expect(await peer.ask("work")).toStrictEqual({ reply: 1, error: FAILED });
      const context = { source: "middleware", event: "work", socket: peer.socket };
      expect(fixture.failures.take()).toStrictEqual([{ error, context }]);
      expect(fixture.hub.stats().handlerErrors).toBe(1);
    }
  });

  test.each([
    ["throws", raise],
    ["rejects", (thrown: unknown) => Promise.reject(thrown)],
  ])("does not become the source of an error when the handler %s", async (_does, fail) => {
    for (const error of [new Error("broken"), undefined, null, 0, Number.NaN, "broken"]) {
      const fixture = await open();
      fixture.hub.use((_call, next) => next());
      fixture.hub.use(async (_call, next) => await next());
      fixture.hub.handle("work", () => fail(error));
      const peer = await fixture.connect();
      expect(await peer.ask("work")).toStrictEqual({ reply: 1, error: FAILED });
      const context = { source: "handler", event: "work", socket: peer.socket };
      expect(fixture.failures.take()).toStrictEqual([{ error, context }]);
      expect(fixture.hub.stats().handlerErrors).toBe(1);
    }
  });

  test("that replaces the handler's error is reported as middleware", async () => {
    const fixture = await open();
    const cause = new Error("of the handler");
    fixture.hub.use(async (_call, next) => {
      try {
        return await next();
      } catch (error) {
        throw new Error("of the middleware", { cause: error });
      }
    });
    fixture.hub.handle("work", () => raise(cause));
    const peer = await fixture.connect();
    expect(await peer.ask("work")).toStrictEqual({ reply: 1, error: FAILED });
    const failures = fixture.failures.take();
    expect(failures).toMatchObject([
      { error: { message: "of the middleware", cause }, context: { source: "middleware" } },
    ]);
  });

  test("that catches the handler's error keeps it from being reported", async () => {
    const fixture = await open();
    fixture.hub.use((_call, next) => {
      try {
        return next();
      } catch {
        return "all is well";
      }
    });
    fixture.hub.use(async (_call, next) => {
      try {
        return await next();
      } catch (error) {
        throw new ReplyError("mapped", (error as Error).message, { cause: error });
      }
    });
    fixture.hub.handle("sync", () => raise(new Error("broken")));
    const remove = fixture.hub.use((_call, next) => next());
    const peer = await fixture.connect();
    expect(await peer.ask("sync")).toStrictEqual({ reply: 1, error: { code: "mapped", message: "broken" } });
    remove();
    expect(fixture.failures.take()).toStrictEqual([]);
    expect(fixture.hub.stats().handlerErrors).toBe(0);
  });

  test("that swallows a synchronous failure answers with its own result", async () => {
    const fixture = await open();
    fixture.hub.use((_call, next) => {
      try {
        return next();
      } catch {
        return "all is well";
      }
    });
    fixture.hub.handle("work", () => raise(new Error("broken")));
    const peer = await fixture.connect();
    expect(await peer.ask("work")).toStrictEqual({ reply: 1, data: "all is well" });
    expect(fixture.failures.take()).toStrictEqual([]);
  });

  test("that ignores the promise of next() ends nothing, and the handler's rejection is reported once", async () => {
    const fixture = await open();
    const error = new Error("broken");
    const begun = new Inbox<(error: unknown) => void>();
    fixture.hub.use((_call, next) => {
      next();
    });
    fixture.hub.handle("work", () => new Promise((_resolve, reject) => begun.push(reject)));
    const peer = await fixture.connect();
    expect(await peer.ask("work")).toStrictEqual({ reply: 1 });
    (await begun.next())?.(error);
    await turn();
    const context = { source: "handler", event: "work", socket: peer.socket };
    expect(fixture.failures.take()).toStrictEqual([{ error, context }]);
    expect(await peer.heard()).toStrictEqual([]);
  });

  test("that calls next() twice gets an error, and the handler runs once", async () => {
    const fixture = await open();
    let calls = 0;
    fixture.hub.use((_call, next) => {
      next();
      return next();
    });
    fixture.hub.handle("work", () => ++calls);
    const peer = await fixture.connect();
    expect(await peer.ask("work")).toStrictEqual({ reply: 1, error: FAILED });
    const [failure] = fixture.failures.take();
    expect(failure?.error).toBeInstanceOf(HubError);
    expect(failure).toMatchObject({
      error: { code: "ERR_HUB_ARGUMENT", message: expect.stringContaining("next() was called twice") as string },
      context: { source: "middleware", event: "work" },
    });
    expect(calls).toBe(1);
  });

  test("is removed by the function that use() returned, and no other is", async () => {
    const fixture = await open();
    const ran: string[] = [];
    const log = (name: string) => (_call: unknown, next: () => unknown) => {
      ran.push(name);
      return next();
    };
    const twice = log("twice");
    const removeFirst = fixture.hub.use(twice);
    fixture.hub.use(log("other"));
    fixture.hub.use(twice);
    fixture.hub.handle("work", () => {});
    const peer = await fixture.connect();
    removeFirst();
    removeFirst();
    await peer.ask("work");
    expect(ran).toStrictEqual(["other", "twice"]);
  });

  test("that is added or removed during a call takes part in the next one", async () => {
    const fixture = await open();
    const ran: string[] = [];
    const remove = fixture.hub.use((_call, next) => {
      ran.push("first");
      remove();
      fixture.hub.use((_inner, go) => {
        ran.push("added");
        return go();
      });
      return next();
    });
    fixture.hub.use((_call, next) => {
      ran.push("second");
      return next();
    });
    fixture.hub.handle("work", () => ran.push("handler"));
    const peer = await fixture.connect();
    await peer.ask("work");
    expect(ran).toStrictEqual(["first", "second", "handler"]);
    ran.length = 0;
    await peer.ask("work");
    expect(ran).toStrictEqual(["second", "added", "handler"]);
  });

  test("runs around the handlers of one socket, and not for the protocol's events, replies or unhandled events", async () => {
    const fixture = await open({ joinable: () => true });
    const events: string[] = [];
    fixture.hub.use((call, next) => {
      events.push(call.event);
      return next();
    });
    const peer = await fixture.connect();
    peer.socket.on("own", () => "of the socket");
    const reply = peer.socket.request("question");
    const { id } = (await peer.packet()) as { readonly id: number };
    peer.say({ reply: id, data: "answer" });
    expect(await reply).toBe("answer");
    peer.say({ event: "hub:pong" });
    await peer.ask("hub:join", { room: "a" });
    await peer.ask("hub:leave", { room: "a" });
    await peer.ask("nobody handles this");
    expect(await peer.ask("own")).toStrictEqual({ reply: 1, data: "of the socket" });
    expect(events).toStrictEqual(["own"]);
  });

  test("sees the output of the contract's schemas, and no data that does not fit", async () => {
    const contract = defineContract({ client: { add: z.object({ by: z.coerce.number() }) }, server: {} });
    const fixture = await open({ contract: contract as NonNullable<HubOptions["contract"]> });
    const seen: unknown[] = [];
    fixture.hub.use(({ data }, next) => {
      seen.push(data);
      return next();
    });
    fixture.hub.handle("add", (data: unknown) => data);
    const peer = await fixture.connect();
    await peer.ask("add", { by: "7", more: true });
    expect(await peer.ask("add", {})).toMatchObject({ error: { code: "invalid-data" } });
    expect(seen).toStrictEqual([{ by: 7 }]);
  });

  test("must be a function", () => {
    const hub = new Hub({ transport: memory() });
    expect(() => hub.use({} as never)).toThrow(hubError("ERR_HUB_ARGUMENT", "Middleware"));
  });
});

function raise(error: unknown): never {
  throw error;
}
