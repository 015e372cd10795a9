import { Hub, ReplyError, type HubOptions } from "roomcast";
import { SuiteRefusal } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { hubError } from "../support/hub-error.ts";
import { dial } from "../support/library-client.ts";
import { openMemoryHub } from "../support/memory-hub.ts";
import { openHubFixture, SUBJECTS } from "../support/hub-fixture.ts";
import { TRANSPORTS } from "../support/transports.ts";

/** Half a surrogate pair, as a string and as JSON writes it. */
const HALF = "\ud800";
const ESCAPED = String.raw`\ud800`;

describe.each(SUBJECTS)("half a surrogate pair on $name", (subject) => {
  test("that a client sends reaches the others as U+FFFD", async () => {
    const fixture = await openHubFixture(subject);
    const [hostile, honest] = await fixture.pair();
    fixture.hub.handle("chat", (data, socket) => socket.broadcast.emit("chat", data));
    hostile.client.send(`{"event":"chat","data":{"a${ESCAPED}":["${ESCAPED}${ESCAPED}b",{"c":"\\\\ud800"}]}}`);
    expect(await honest.client.next()).toBe('{"event":"chat","data":{"a\ufffd":["\ufffd\ufffdb",{"c":"\\\\ud800"}]}}');
  });

  test("in a handler's own error reaches its client as U+FFFD", async () => {
    const fixture = await openHubFixture(subject);
    const client = await fixture.connect();
    fixture.hub.handle("name", (name) => {
      throw new ReplyError("bad-name", `${String(name)} is no name.`);
    });
    client.client.send(`{"event":"name","id":1,"data":"${ESCAPED}"}`);
    expect(await client.client.next()).toBe('{"reply":1,"error":{"code":"bad-name","message":"\ufffd is no name."}}');
  });

  test("in the reason of a close reaches the other end as U+FFFD, with the code", async () => {
    const fixture = await openHubFixture(subject);
    const [one, other] = await fixture.pair();
    one.socket.close(4003, `out${HALF}`);
    fixture.hub.to("nobody").close(4003, HALF);
    fixture.hub.toSocket(other.socket.id).close(4003, HALF);
    expect(await one.client.closed).toEqual({ code: 4003, reason: "out\ufffd" });
    expect(await other.client.closed).toEqual({ code: 4003, reason: "\ufffd" });
    expect(await fixture.departures.next()).toMatchObject({ code: 4003, reason: "out\ufffd" });
  });

  test("in the reason of a client's close reaches the application as U+FFFD", async () => {
    const fixture = await openHubFixture(subject);
    const client = await fixture.connect();
    client.client.close(4003, HALF);
    expect(await fixture.departures.next()).toMatchObject({ code: 4003, reason: "\ufffd" });
  });

  test("in the message of a refusal reaches the client as U+FFFD", async () => {
    const fixture = await openHubFixture(subject, {
      authenticate: () => {
        throw new ReplyError("banned", `No${HALF}`);
      },
    });
    expect(await fixture.dial().opened.catch((error: unknown) => error)).toMatchObject({
      name: SuiteRefusal.name,
      status: 401,
      body: "No\ufffd",
    });
  });

  test.each([
    [`{"event":"${ESCAPED}"}`, "bad-packet"],
    [`{"event":"e","id":1,"key":"${ESCAPED}"}`, "bad-packet"],
  ])("is refused in the name or key of %s", async (message, code) => {
    const fixture = await openHubFixture(subject);
    const client = await fixture.connect();
    client.client.send(message);
    expect(await client.packet()).toEqual({
      event: "hub:error",
      data: { code, message: expect.stringContaining("well-formed") },
    });
  });

  test("is refused in the room that a client asks for", async () => {
    const fixture = await openHubFixture(subject, { joinable: () => true });
    const client = await fixture.connect();
    client.client.send(`{"event":"hub:join","id":1,"data":{"room":"${ESCAPED}"}}`);
    expect(await client.packet()).toEqual({
      reply: 1,
      error: { code: "invalid-data", message: expect.stringContaining("well-formed") },
    });
    expect(client.socket.rooms.size).toBe(0);
  });

  test("is refused in the id of a user", async () => {
    const fixture = await openHubFixture(subject, { authenticate: () => ({ id: HALF }) });
    await expect(fixture.dial().opened).rejects.toMatchObject({ status: 401 });
    expect(await fixture.failures.next()).toEqual({
      error: hubError("ERR_HUB_AUTHENTICATE", "well-formed"),
      context: { source: "authenticate" },
    });
  });
});

describe.each(TRANSPORTS)("half a surrogate pair for a library client on %s", (transport) => {
  async function listen(options: HubOptions): Promise<number> {
    const hub = new Hub({ transport, heartbeat: false, ...options });
    onTestFinished(() => hub.close());
    return (await hub.listen({ host: "127.0.0.1" })).port;
  }

  test("in the reason that authenticate gives arrives as U+FFFD, with the code", async () => {
    const port = await listen({
      authenticate: () => {
        throw new ReplyError(HALF, HALF);
      },
    });
    const client = await dial(port);
    client.send({ event: "hub:hello", data: { protocol: 1 } });
    expect(await client.next()).toBe('{"event":"hub:error","data":{"code":"\ufffd","message":"\ufffd"}}');
    expect(await client.closed).toEqual({ code: 4001, reason: "\ufffd" });
  });
});

test("the application is refused half a surrogate pair in a name, an id and a key", async () => {
  const { hub, socket } = await openMemoryHub();
  expect(() => socket.join(HALF)).toThrow(hubError("ERR_HUB_ROOM_NAME", "well-formed"));
  expect(() => hub.to(HALF)).toThrow(hubError("ERR_HUB_ROOM_NAME", "well-formed"));
  expect(() => hub.emit(HALF)).toThrow(hubError("ERR_HUB_EVENT_NAME", "well-formed"));
  expect(() => hub.handle(HALF, () => {})).toThrow(hubError("ERR_HUB_EVENT_NAME", "well-formed"));
  expect(() => hub.emitToNodes(HALF)).toThrow(hubError("ERR_HUB_EVENT_NAME", "well-formed"));
  expect(() => hub.toUser(HALF)).toThrow(hubError("ERR_HUB_ARGUMENT", "well-formed"));
  expect(() => hub.toSocket(HALF)).toThrow(hubError("ERR_HUB_ARGUMENT", "well-formed"));
  expect(() => hub.latest(HALF)).toThrow(hubError("ERR_HUB_ARGUMENT", "well-formed"));
});
