import { once } from "node:events";
import { expect, test } from "vitest";
import { nextError, openClient, startClient, startServer, thrown } from "../../support/clients.ts";

const hear = (): void => {};

test("listeners hear the data, the event and the room, in the order in which they were added", async () => {
  const { client, peer } = await openClient();
  const heard: unknown[] = [];
  client.on("said", (data, { event, room }) => heard.push(["first", data, event, room]));
  client.on("said", (data) => heard.push(["second", data]));
  const fence = new Promise((resolve) => void client.once("fence", resolve));
  peer.send({ event: "said", data: { a: null }, room: "tea" });
  peer.send({ event: "fence" });
  await fence;
  expect(heard).toEqual([
    ["first", { a: null }, "said", "tea"],
    ["second", { a: null }],
  ]);
});

test("`off` removes one of equal listeners, and a listener added during an event hears the next one", async () => {
  const { client, peer } = await openClient();
  const heard: string[] = [];
  const twice = (): unknown => heard.push("twice");
  client.on("event", twice).on("event", twice).off("event", twice);
  client.once("event", () => {
    heard.push("once");
    client.on("event", () => heard.push("later"));
  });
  for (const event of ["event", "event", "fence"]) peer.send({ event });
  await new Promise((resolve) => void client.on("fence", resolve));
  expect(heard).toEqual(["twice", "once", "twice", "later"]);
});

test("a listener that fails stops no other, and is reported", async () => {
  const { client, peer } = await openClient();
  const problems = [new Error("thrown"), new Error("rejected")];
  const errors: unknown[] = [];
  const both = new Promise<void>((resolve) => {
    client.on("hub:error", (error) => {
      if (errors.push(error) === 2) resolve();
    });
  });
  const heard = new Promise((resolve) => {
    client
      .on("event", () => {
        throw problems[0];
      })
      .on("event", () => Promise.reject(problems[1]))
      .on("event", resolve);
  });
  peer.send({ event: "event", data: "data" });
  expect(await heard).toBe("data");
  await both;
  expect(errors).toMatchObject(problems.map((cause) => ({ code: "ERR_CLIENT_LISTENER", cause })));
});

test("an error of a listener is uncaught where nobody listens to errors, and so is one of a listener to errors", async () => {
  const { client, peer } = await openClient();
  const handlers = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    const problem = new Error("of a listener");
    client.on("event", () => {
      throw problem;
    });
    const uncaught = once(process, "uncaughtException");
    peer.send({ event: "event" });
    expect((await uncaught)[0]).toBe(problem);

    const worse = new Error("of the error listener");
    client.on("hub:error", () => {
      throw worse;
    });
    const next = once(process, "uncaughtException");
    peer.send({ event: "event" });
    expect((await next)[0]).toBe(worse);
  } finally {
    for (const handler of handlers) process.on("uncaughtException", handler);
  }
});

test("all listeners hear the states in order, also when one of them closes the client", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const heard: string[] = [];
  let first = 0;
  client.on("hub:state", ({ state }) => {
    if (state === "open") void client.close();
  });
  const all = new Promise<void>((resolve) => {
    client
      .once("hub:state", () => (first += 1))
      .on("hub:state", ({ state, previous }) => {
        heard.push(`${previous} > ${state}`);
        if (heard.length === 2) resolve();
      });
  });
  const peer = await server.admit();
  expect(await peer.closed).toMatchObject({ code: 1000 });
  await all;
  expect(heard).toEqual(["connecting > open", "open > closed"]);
  expect(first).toBe(1);
});

test("listeners hear the state before the messages of the new connection, and its end after them", async () => {
  const server = await startServer();
  const client = startClient(server.url);
  const heard: string[] = [];
  client.on("hub:state", ({ state }) => heard.push(state)).on("event", () => heard.push("event"));
  const peer = await server.accept();
  await peer.next();
  const closed = new Promise<void>((resolve) => {
    client.on("hub:state", ({ state }) => {
      if (state === "closed") resolve();
    });
  });
  // All at once: the client reads them in one go.
  peer.welcome();
  peer.send({ event: "event" });
  peer.close(4_000);
  await closed;
  expect(heard).toEqual(["open", "event", "closed"]);
});

test("nothing is reported before the caller of `connect` can listen", async () => {
  let asked = false;
  const client = startClient("ws://127.0.0.1:1", {
    auth: () => {
      asked = true;
      throw new Error("no credentials");
    },
  });
  expect(client.state).toBe("connecting");
  const error = await nextError(client);
  expect(asked).toBe(true);
  expect(error.code).toBe("ERR_CLIENT_AUTH");
});

test("a message that is not a packet is `hub:message`, as text or as bytes", async () => {
  const { client, peer } = await openClient();
  const heard: unknown[] = [];
  client.on("hub:message", (message) => heard.push(message));
  const texts = ["no JSON", "[1]", "5", "null", '"text"', "{}", '{"event":5}', '{"reply":"1"}', '{"data":1}'];
  for (const text of texts) peer.sendRaw(text);
  peer.sendRaw(new Uint8Array([0, 255]));
  peer.send({ event: "fence" });
  await new Promise((resolve) => void client.once("fence", resolve));
  expect(heard).toEqual([...texts, new Uint8Array([0, 255])]);
  expect(heard.at(-1)?.constructor).toBe(Uint8Array);
});

test("control events of the server, known or not, do not reach the application", async () => {
  const { client, peer } = await openClient();
  const heard: unknown[] = [];
  client.on("hub:message", () => heard.push("message"));
  const error = nextError(client);
  client.on("hub:state", () => heard.push("state"));
  for (const event of ["hub:state", "hub:message"]) peer.send({ event, data: { state: "closed" } });
  peer.send({ event: "hub:later", id: 1 });
  peer.send({ event: "hub:error", data: { code: "bad-packet", message: "What?" } });
  expect(await error).toMatchObject({ code: "ERR_CLIENT_REMOTE", reason: "bad-packet", message: "What?" });
  expect(await peer.rest()).toEqual([]);
  expect(heard).toEqual([]);
});

test.each(["hub:connect", "hub:ping", "", 5, "x".repeat(257)])(
  "nothing listens to %j, which would never happen",
  async (name) => {
    const { client } = await openClient();
    const event = name as string;
    const room = client.room("tea");
    for (const call of [
      () => client.on(event, hear),
      () => client.once(event, hear),
      () => room.on(event, hear),
      () => room.once(event, hear),
    ]) {
      expect(thrown(call)).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
    }
  },
);

test("a listener or handler that is no function is refused", async () => {
  const { client } = await openClient();
  const listener = "listener" as unknown as () => void;
  for (const call of [
    () => client.on("event", listener),
    () => client.once("hub:state", listener),
    () => client.room("tea").on("event", listener),
    () => client.handle("event", listener),
  ]) {
    expect(thrown(call)).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  }
});
