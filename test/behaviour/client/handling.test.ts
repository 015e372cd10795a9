import { ReplyError } from "roomcast/client";
import { expect, test } from "vitest";
import { nextError, openClient, reached, thrown } from "../../support/clients.ts";

test("a handler replies with what it returns, or what its promise resolves with", async () => {
  const { client, peer } = await openClient();
  client.handle("double", (n: number) => 2 * n);
  client.handle("later", async (n: number) => n + 1);
  client.handle("nothing", () => undefined);
  for (const [id, event] of ["double", "later", "nothing"].entries()) peer.send({ event, id, data: 4 });
  const replies = [await peer.next(), await peer.next(), await peer.next()] as { readonly reply: number }[];
  expect(replies.toSorted((a, b) => a.reply - b.reply)).toEqual([
    { reply: 0, data: 8 },
    { reply: 1, data: 5 },
    { reply: 2 },
  ]);
});

test("a ReplyError is the reply; any other error is reported to the application, and the server learns no details", async () => {
  const { client, peer } = await openClient();
  const secret = new Error("secret");
  client.handle("refuse", () => {
    throw new ReplyError("busy", "Not now.");
  });
  client.handle("fail", () => Promise.reject(secret));
  client.handle("unserialisable", () => 1n);
  peer.send({ event: "refuse", id: 1 });
  expect(await peer.next()).toEqual({ reply: 1, error: { code: "busy", message: "Not now." } });

  const failed = nextError(client);
  peer.send({ event: "fail", id: 2 });
  const answer = await peer.next();
  expect(answer).toMatchObject({ reply: 2, error: { code: "handler-failed" } });
  expect(JSON.stringify(answer)).not.toContain("secret");
  expect(await failed).toMatchObject({ code: "ERR_CLIENT_LISTENER", cause: secret });

  const unserialisable = nextError(client);
  peer.send({ event: "unserialisable", id: 3 });
  expect(await peer.next()).toMatchObject({ reply: 3, error: { code: "handler-failed" } });
  expect(await unserialisable).toMatchObject({ code: "ERR_CLIENT_LISTENER" });
});

test("a request that nobody handles is answered with an error, also if somebody listens to the event", async () => {
  const { client, peer } = await openClient();
  const heard = new Promise((resolve) => void client.on("question", resolve));
  peer.send({ event: "question", id: 7, data: "?" });
  expect(await peer.next()).toMatchObject({ reply: 7, error: { code: "unknown-event" } });
  expect(await heard).toBe("?");
});

test("an event has one handler until it is removed", async () => {
  const { client, peer } = await openClient();
  const remove = client.handle("event", () => 1);
  expect(thrown(() => client.handle("event", () => 2))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  expect(thrown(() => client.handle("hub:join", () => 2))).toMatchObject({ code: "ERR_CLIENT_ARGUMENT" });
  remove();
  client.handle("event", () => 3);
  remove();
  peer.send({ event: "event", id: 1 });
  expect(await peer.next()).toEqual({ reply: 1, data: 3 });
});

test("the remover of a handler, called again, does not remove the same function given again", async () => {
  const { client, peer } = await openClient();
  let calls = 0;
  const handler = (): number => ++calls;
  const remove = client.handle("event", handler);
  remove();
  const removeAgain = client.handle("event", handler);
  remove();
  peer.send({ event: "event", id: 1 });
  expect(await peer.next()).toEqual({ reply: 1, data: 1 });
  removeAgain();
  peer.send({ event: "event", id: 2 });
  expect(await peer.next()).toMatchObject({ reply: 2, error: { code: "unknown-event" } });
});

test("the reply goes to the connection of the request, or nowhere", async () => {
  const { server, client, peer } = await openClient();
  const answers: ((value: string) => void)[] = [];
  const asked = new Promise<void>((resolve) => {
    client.handle("slow", () => {
      resolve();
      return new Promise<string>((settle) => {
        answers.push(settle);
      });
    });
  });
  peer.send({ event: "slow", id: 1 });
  await asked;
  const open = reached(client, "open");
  peer.cut();
  const next = await server.admit();
  await open;
  for (const answer of answers) answer("late");
  expect(answers).toHaveLength(1);
  expect(await next.rest()).toEqual([]);
});
