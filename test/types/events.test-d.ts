/* oxlint-disable vitest/expect-expect -- the compiler asserts: where it expects an error and finds none, it fails */
import { Hub, type HubError, type NamedEvent, type Replies, type Socket, type Target } from "roomcast";
import { describe, expectTypeOf, test } from "vitest";

interface Point {
  x: number;
  y: number;
}

/** An interface for one map, a type alias for the other: both have to do. */
interface ClientEvents {
  chat: string;
  move: Point;
  ping: undefined;
  typing: boolean;
  note: string | undefined;
  sum: (numbers: { a: number; b: number }) => number;
  now: () => Date;
  find: (name?: string) => string | null;
}

type ServerEvents = {
  said: { from: string; text: string };
  moved: Point | null;
  reload: undefined;
  anything: unknown;
  either: "on" | "off";
  confirm: (question: string) => boolean;
  areYouThere: () => "yes";
  later: (delay: number) => Promise<string>;
};

declare const hub: Hub<{ client: ClientEvents; server: ServerEvents }>;
declare const socket: Socket<{ client: ClientEvents; server: ServerEvents }>;
declare const target: Target<{ client: ClientEvents; server: ServerEvents }>;

describe("handle and on", () => {
  test("give the handler its data and the socket", () => {
    hub.handle("chat", (text, from) => {
      expectTypeOf(text).toEqualTypeOf<string>();
      expectTypeOf(from).toEqualTypeOf<typeof socket>();
    });
    socket.on("move", (point) => {
      expectTypeOf(point).toEqualTypeOf<Point>();
    });
    hub.handle("typing", (typing) => {
      expectTypeOf(typing).toEqualTypeOf<boolean>();
    });
    hub.handle("ping", (data) => {
      expectTypeOf(data).toEqualTypeOf<undefined>();
    });
    hub.handle("note", (note) => {
      expectTypeOf(note).toEqualTypeOf<string | undefined>();
    });
    hub.handle("sum", (numbers) => {
      expectTypeOf(numbers).toEqualTypeOf<{ a: number; b: number }>();
      return numbers.a + numbers.b;
    });
    hub.handle("now", (data) => {
      expectTypeOf(data).toEqualTypeOf<undefined>();
      return new Date();
    });
    hub.handle("find", (name) => {
      expectTypeOf(name).toEqualTypeOf<string | undefined>();
      return null;
    });
  });

  test("handleAny gives the data that belongs to the event", () => {
    const remove = hub.handleAny(({ event, data }, from, { signal }) => {
      expectTypeOf(event).toEqualTypeOf<keyof ClientEvents>();
      expectTypeOf(from).toEqualTypeOf<typeof socket>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      if (event === "move") expectTypeOf(data).toEqualTypeOf<Point>();
      if (event === "sum") return data.a + data.b;
      if (event === "now") expectTypeOf(data).toEqualTypeOf<undefined>();
      // @ts-expect-error -- clients send no such event
      return event === "elsewhere";
    });
    expectTypeOf(remove).toEqualTypeOf<() => void>();
    hub.handleAny(async ({ event }) => event);
    hub.handleAny((named: NamedEvent<ClientEvents>) => named.data);
    hub.handleAny(() => {});
    new Hub().handleAny(({ event, data }, from) => {
      expectTypeOf(event).toEqualTypeOf<string>();
      expectTypeOf(data).toEqualTypeOf<unknown>();
      expectTypeOf(from).toEqualTypeOf<Socket>();
    });
    // Where clients send nothing, what they send all the same is not known.
    new Hub<{ client: object }>().handleAny(({ event, data }) => {
      expectTypeOf(event).toEqualTypeOf<string>();
      expectTypeOf(data).toEqualTypeOf<unknown>();
    });
    // @ts-expect-error -- for all events, not for one
    hub.handleAny("chat", () => {});
    // @ts-expect-error -- not the data alone
    hub.handleAny((data: Point) => data);
  });

  test("take a reply or the promise of one, and ignore what an event's handler returns", () => {
    hub.handle("sum", ({ a, b }) => a + b);
    hub.handle("sum", async ({ a, b }) => a + b);
    hub.handle("find", async (name) => name ?? null);
    hub.handle("chat", () => "not used");
    hub.handle("chat", async () => {});
    expectTypeOf(hub.handle("chat", () => {})).toEqualTypeOf<() => void>();
    expectTypeOf(socket.on("chat", () => {})).toEqualTypeOf(socket);
  });

  test("refuse other events, other data and other replies", () => {
    // @ts-expect-error -- clients send no such event
    hub.handle("chta", () => {});
    // @ts-expect-error -- the server sends this one
    hub.handle("said", () => {});
    // @ts-expect-error -- clients send no such event
    socket.on("said", () => {});
    // @ts-expect-error -- clients send no such event
    socket.off("said");
    // @ts-expect-error -- the data is a string
    hub.handle("chat", (text: number) => text);
    // @ts-expect-error -- it has no z
    socket.on("move", ({ z }) => z);
    // @ts-expect-error -- the reply is a number
    hub.handle("sum", ({ a, b }) => `${a + b}`);
    // @ts-expect-error -- the reply is missing
    hub.handle("sum", () => {});
    // @ts-expect-error -- the promised reply is a number
    hub.handle("sum", async () => "three");
    // @ts-expect-error -- the promised reply is missing
    socket.on("sum", async () => {});
    // @ts-expect-error -- not every path replies
    hub.handle("sum", ({ a }) => (a > 0 ? a : undefined));
    // @ts-expect-error -- a handler is a function
    hub.handle("chat", "text");
  });
});

describe.each([["hub"], ["target"], ["socket"]])("emit on the %s", () => {
  test("takes the event's data, and none where there is none", () => {
    hub.emit("said", { from: "a", text: "b" });
    target.emit("moved", { x: 1, y: 2 });
    socket.emit("moved", null);
    hub.emit("reload");
    hub.emit("reload", undefined);
    target.emit("anything");
    target.emit("anything", 5);
    socket.emit("either", "on");
    socket.emit("confirm", "an event that is a request may be sent without waiting");
    hub.emit("areYouThere");
    expectTypeOf(hub.emit("reload")).toEqualTypeOf<void>();
  });

  test("refuses other events and other data", () => {
    // @ts-expect-error -- the server sends no such event
    hub.emit("siad", { from: "a", text: "b" });
    // @ts-expect-error -- clients send this one
    socket.emit("chat", "text");
    // @ts-expect-error -- a property is missing
    target.emit("said", { from: "a" });
    // @ts-expect-error -- a property of another type
    hub.emit("said", { from: 1, text: "b" });
    // @ts-expect-error -- a property too many
    hub.emit("said", { from: "a", text: "b", at: 1 });
    // @ts-expect-error -- the data is missing
    socket.emit("said");
    // @ts-expect-error -- the data is missing, which null is not
    socket.emit("moved");
    // @ts-expect-error -- the data is of another type
    socket.emit("moved", undefined);
    // @ts-expect-error -- there is no data
    hub.emit("reload", {});
    // @ts-expect-error -- there is no data
    target.emit("areYouThere", true);
    // @ts-expect-error -- one of two words
    hub.emit("either", "maybe");
    // @ts-expect-error -- one argument too many
    hub.emit("either", "on", "off");
    // @ts-expect-error -- the data of the request, not its reply
    socket.emit("confirm", true);
    // @ts-expect-error -- a raw message is text or bytes
    hub.send({ from: "a", text: "b" });
    // @ts-expect-error -- a raw message is text or bytes
    socket.send(5);
  });
});

describe("request", () => {
  test("resolves with the reply of a socket, and with all those of a target", () => {
    expectTypeOf(socket.request("confirm", "sure?")).resolves.toEqualTypeOf<boolean>();
    expectTypeOf(socket.request("areYouThere")).resolves.toEqualTypeOf<"yes">();
    expectTypeOf(socket.request("areYouThere", undefined, { timeout: 5 })).resolves.toEqualTypeOf<"yes">();
    expectTypeOf(socket.request("later", 5)).resolves.toEqualTypeOf<string>();
    expectTypeOf(hub.request("confirm", "sure?")).resolves.toEqualTypeOf<Replies<boolean>>();
    expectTypeOf(target.request("later", 5, { timeout: 1_000 })).resolves.toEqualTypeOf<Replies<string>>();
    expectTypeOf<Replies<boolean>["replies"]>().toEqualTypeOf<ReadonlyMap<string, boolean>>();
    expectTypeOf<Replies<boolean>["failures"]>().toEqualTypeOf<ReadonlyMap<string, HubError>>();
  });

  test("refuses events that are no requests, and other data", () => {
    // @ts-expect-error -- this event has no reply
    void socket.request("said", { from: "a", text: "b" });
    // @ts-expect-error -- this event has no reply
    void hub.request("reload");
    // @ts-expect-error -- clients send this one
    void target.request("sum", { a: 1, b: 2 });
    // @ts-expect-error -- there is no such event
    void target.request("unknown", "sure?");
    // @ts-expect-error -- the data is missing
    void socket.request("confirm");
    // @ts-expect-error -- the data is a string
    void socket.request("confirm", 5);
    // @ts-expect-error -- the options do not take the place of the data
    void socket.request("areYouThere", { timeout: 5 });
    // @ts-expect-error -- there is no such option
    void hub.request("confirm", "sure?", { timeuot: 5 });
    // @ts-expect-error -- a number of milliseconds
    void hub.request("confirm", "sure?", { timeout: "5s" });
  });

  test("refuses replies taken for what they are not", async () => {
    // @ts-expect-error -- the reply is a boolean
    const wrong: string = await socket.request("confirm", "sure?");
    const { replies } = await hub.request("confirm", "sure?");
    // @ts-expect-error -- so are these
    const alsoWrong: ReadonlyMap<string, string> = replies;
    // @ts-expect-error -- they can only be read
    replies.set("id", true);
    expectTypeOf([wrong, alsoWrong]).toBeArray();
  });
});

describe("Without types", () => {
  const untyped = new Hub();

  test("any event takes any data, and handlers may take it apart", () => {
    untyped.handle("sum", ({ a, b }) => a + b);
    untyped.handle("chat", (text, from) => untyped.to("room").emit("chat", { from: from.id, text }));
    untyped.handle("none", () => {});
    untyped.on("connection", (one) => {
      expectTypeOf(one).toEqualTypeOf<Socket>();
      one.on("event", ({ any }) => any.thing);
      one.data["count"] = 1;
      one.emit("event");
      one.emit("event", { any: "data" });
      expectTypeOf(one.request("question", 5)).resolves.toBeAny();
      expectTypeOf(one.request("question")).resolves.toBeAny();
    });
    expectTypeOf(untyped.request("question")).resolves.toExtend<Replies<unknown>>();
  });

  test("there is still no event but a string", () => {
    // @ts-expect-error -- a name is a string
    untyped.emit(5);
    // @ts-expect-error -- a name is a string
    untyped.handle(Symbol("event"), () => {});
    // @ts-expect-error -- one argument too many
    untyped.emit("event", 1, 2);
    // @ts-expect-error -- the handler is missing
    untyped.handle("event");
  });

  test("one side may be typed alone", () => {
    const half = new Hub<{ server: { tick: number } }>();
    half.handle("whatever", ({ it }) => it);
    half.emit("tick", 1);
    // @ts-expect-error -- the server's events are known
    half.emit("tock", 1);
    // @ts-expect-error -- the data is a number
    half.emit("tick", "1");
  });
});
