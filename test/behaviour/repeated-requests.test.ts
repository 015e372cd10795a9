import { Hub, jsonCodec, type Codec } from "roomcast";
import { memory } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Inbox } from "../../src/testing/inbox.ts";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { openHubFixture, openHubFixtureInTime, SUBJECTS } from "../support/hub-fixture.ts";

const PAY = { event: "pay", id: 7, key: "k" };
const PAID = { reply: 7, data: "paid" };
/** Room for a few replies only. */
const SMALL = { within: 120_000, maxBytes: 20_000 };

/** Handles "pay", which goes on until it is told to end, and "flood" and "fence" at once. */
function handlePayments({ hub }: HubFixture): Inbox<(reply: unknown) => void> {
  const begun = new Inbox<(reply: unknown) => void>();
  hub.handle("pay", () => new Promise((resolve) => begun.push(resolve)));
  hub.handle("flood", () => "x".repeat(100));
  hub.handle("fence", () => "fence");
  return begun;
}

/** Connects a client whose name, in its URL, is that of its user. */
function connectAs(fixture: HubFixture, name: string): Promise<ClientFixture> {
  return fixture.connect({ url: `/?name=${name}` });
}

const authenticate: NonNullable<ConstructorParameters<typeof Hub>[0]>["authenticate"] = ({ query }) => ({
  id: query.get("name") ?? "",
});

/** Sends many requests with other keys, and waits until all of them were answered. */
async function flood(peer: ClientFixture): Promise<void> {
  for (let id = 1_000; id < 1_500; id++) peer.say({ event: "flood", id, key: `${id}` });
  for (let id = 1_000; id < 1_500; id++) await peer.packet();
}

describe.each(SUBJECTS)("On $name a request with a key", (subject) => {
  test("is answered once on each connection, however often it is repeated while it is handled", async () => {
    const fixture = await openHubFixture(subject);
    const begun = handlePayments(fixture);
    const peers = await Promise.all([1, 2, 3, 4].map(() => fixture.connect()));
    for (const peer of peers) for (let n = 0; n < 200; n++) peer.say(PAY);
    for (const peer of peers) expect(await peer.ask("fence")).toStrictEqual({ reply: 1, data: "fence" });
    (await begun.next())?.("paid");
    for (const peer of peers) {
      expect(await peer.packet()).toStrictEqual(PAID);
      expect(await peer.heard()).toStrictEqual([]);
    }
    expect(begun.take()).toStrictEqual([]);
    expect(fixture.hub.stats().violations).toBe(0);
  });

  test("is refused on the 17th connection that waits for the reply, as a violation", async () => {
    const fixture = await openHubFixture(subject);
    const begun = handlePayments(fixture);
    const peers = await Promise.all(Array.from({ length: 16 }, () => fixture.connect()));
    for (const peer of peers) peer.say(PAY);
    for (const peer of peers) await peer.ask("fence");
    const last = await fixture.connect();
    last.say(PAY);
    expect(await last.packet()).toMatchObject({ reply: 7, error: { code: "too-many-requests" } });
    expect(fixture.hub.stats().violations).toBe(1);
    (await begun.next())?.("paid");
    for (const peer of peers) expect(await peer.packet()).toStrictEqual(PAID);
    last.say(PAY);
    expect(await last.packet()).toStrictEqual(PAID);
  });

  test("is handled once, whatever another user asks meanwhile and afterwards", async () => {
    const fixture = await openHubFixture(subject, { authenticate, idempotency: SMALL });
    const begun = handlePayments(fixture);
    const [ann, eve] = [await connectAs(fixture, "ann"), await connectAs(fixture, "eve")];
    ann.say(PAY);
    const pay = await begun.next();
    await flood(eve);
    ann.client.vanish();
    const again = await connectAs(fixture, "ann");
    again.say(PAY);
    await again.ask("fence");
    pay?.("paid");
    expect(await again.packet()).toStrictEqual(PAID);
    await flood(eve);
    again.say(PAY);
    expect(await again.packet()).toStrictEqual(PAID);
    expect(begun.take()).toStrictEqual([]);
    expect(fixture.hub.stats().answersForgotten).toBeGreaterThan(900);
  });

  test("keeps its reply when a repetition is refused", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, {
      limits: { pendingRequests: 1, waitingBytes: 10 },
    });
    const begun = handlePayments(fixture);
    const peer = await fixture.connect();
    peer.say(PAY);
    peer.say(PAY);
    await expect.poll(() => fixture.hub.stats().messagesIn).toBe(2);
    await clock.advance(11_000);
    expect(await peer.packet()).toMatchObject({ reply: 7, error: { code: "too-many-requests" } });
    (await begun.next())?.("paid");
    expect(await peer.packet()).toStrictEqual(PAID);
    peer.say(PAY);
    expect(await peer.packet()).toStrictEqual(PAID);
  });

  test("tells that it was handled when its reply was too long to be kept", async () => {
    const fixture = await openHubFixture(subject, { idempotency: SMALL });
    const begun = handlePayments(fixture);
    const peer = await fixture.connect();
    peer.say(PAY);
    (await begun.next())?.("x".repeat(2_000));
    expect(await peer.packet()).toStrictEqual({ reply: 7, data: "x".repeat(2_000) });
    peer.say(PAY);
    expect(await peer.packet()).toMatchObject({ reply: 7, error: { code: "reply-gone" } });
    expect(begun.take()).toStrictEqual([]);
    expect(fixture.hub.stats()).toMatchObject({ violations: 0, answersForgotten: 0 });
  });
});

describe.each(SUBJECTS)("On $name a key without a meaning is ignored", (subject) => {
  test("in a control request, which is carried out on every connection", async () => {
    const fixture = await openHubFixture(subject, { joinable: () => true });
    const JOIN = { event: "hub:join", id: 7, data: { room: "tea" } };
    for (const [index, key] of ["k", "k", "", 7].entries()) {
      const peer = await fixture.connect();
      peer.say({ ...JOIN, key: key as string });
      expect(await peer.packet()).toStrictEqual({ reply: 7 });
      expect(fixture.hub.rooms.get("tea")?.size).toBe(index + 1);
    }
  });

  test.each([null, "", 7, "x".repeat(65)])("in an event, whatever it is: %j", async (key) => {
    const fixture = await openHubFixture(subject);
    const heard = new Inbox<unknown>();
    fixture.hub.handle("tell", (data) => heard.push(data));
    const peer = await fixture.connect();
    peer.say({ event: "tell", key: key as string, data: 1 });
    expect(await heard.next()).toBe(1);
    peer.say({ event: "tell", key: key as string, data: 1, id: 7 });
    expect(await peer.packet()).toMatchObject({ event: "hub:error", data: { code: "bad-packet" } });
  });
});

test("A request with a key is handled once even if the codec fails to encode any reply to it", async () => {
  let isBroken = true;
  const codec: Codec = {
    encode(packet) {
      if (isBroken && "reply" in packet) throw new Error("The codec is broken.");
      return jsonCodec.encode(packet);
    },
    decode: (message) => jsonCodec.decode(message),
  };
  const transport = memory();
  const hub = new Hub({ transport, codec, welcome: false });
  onTestFinished(() => hub.close());
  const errors: unknown[] = [];
  hub.on("error", (error) => errors.push(error));
  let paid = 0;
  hub.handle("pay", () => ++paid);
  const client = transport.connect("/");
  const replies: unknown[] = [];
  client.addEventListener("message", (event) => replies.push(JSON.parse(String((event as MessageEvent).data))));
  await new Promise((resolve) => client.addEventListener("open", resolve));
  client.send(JSON.stringify(PAY));
  await expect.poll(() => errors.length).toBe(2);
  isBroken = false;
  client.send(JSON.stringify(PAY));
  await expect.poll(() => replies).toMatchObject([{ reply: 7, error: { code: "reply-gone" } }]);
  expect(paid).toBe(1);
});
