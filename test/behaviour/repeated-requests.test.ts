import { Hub, jsonCodec, type Codec } from "roomcast";
import { memory } from "roomcast/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Inbox } from "../../src/testing/inbox.ts";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { openStage, SUBJECTS } from "../support/stages.ts";

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
function connectAs(stage: HubFixture, name: string): Promise<ClientFixture> {
  return stage.connect({ url: `/?name=${name}` });
}

const authenticate: NonNullable<ConstructorParameters<typeof Hub>[0]>["authenticate"] = ({ query }) => ({
  id: query.get("name") ?? "",
});

/** Sends many requests with other keys, and waits until all of them were answered. */
async function flood(guest: ClientFixture): Promise<void> {
  for (let id = 1_000; id < 1_500; id++) guest.say({ event: "flood", id, key: `${id}` });
  for (let id = 1_000; id < 1_500; id++) await guest.packet();
}

describe.each(SUBJECTS)("On $name a request with a key", (subject) => {
  test("is answered once on each connection, however often it is repeated while it is handled", async () => {
    const stage = await openStage(subject);
    const begun = handlePayments(stage);
    const guests = await Promise.all([1, 2, 3, 4].map(() => stage.connect()));
    for (const guest of guests) for (let n = 0; n < 200; n++) guest.say(PAY);
    for (const guest of guests) expect(await guest.ask("fence")).toStrictEqual({ reply: 1, data: "fence" });
    (await begun.next())?.("paid");
    for (const guest of guests) {
      expect(await guest.packet()).toStrictEqual(PAID);
      expect(await guest.heard()).toStrictEqual([]);
    }
    expect(begun.take()).toStrictEqual([]);
    expect(stage.hub.stats().violations).toBe(0);
  });

  test("is refused on the 17th connection that waits for the reply, as a violation", async () => {
    const stage = await openStage(subject);
    const begun = handlePayments(stage);
    const guests = await Promise.all(Array.from({ length: 16 }, () => stage.connect()));
    for (const guest of guests) guest.say(PAY);
    for (const guest of guests) await guest.ask("fence");
    const last = await stage.connect();
    last.say(PAY);
    expect(await last.packet()).toMatchObject({ reply: 7, error: { code: "too-many-requests" } });
    expect(stage.hub.stats().violations).toBe(1);
    (await begun.next())?.("paid");
    for (const guest of guests) expect(await guest.packet()).toStrictEqual(PAID);
    last.say(PAY);
    expect(await last.packet()).toStrictEqual(PAID);
  });

  test("is handled once, whatever another user asks meanwhile and afterwards", async () => {
    const stage = await openStage(subject, { authenticate, idempotency: SMALL });
    const begun = handlePayments(stage);
    const [ann, eve] = [await connectAs(stage, "ann"), await connectAs(stage, "eve")];
    ann.say(PAY);
    const pay = await begun.next();
    await flood(eve);
    ann.client.vanish();
    const again = await connectAs(stage, "ann");
    again.say(PAY);
    await again.ask("fence");
    pay?.("paid");
    expect(await again.packet()).toStrictEqual(PAID);
    await flood(eve);
    again.say(PAY);
    expect(await again.packet()).toStrictEqual(PAID);
    expect(begun.take()).toStrictEqual([]);
    expect(stage.hub.stats().answersForgotten).toBeGreaterThan(900);
  });

  test("keeps its reply when a repetition is refused", async () => {
    const stage = await openStage(subject, { limits: { pendingRequests: 1 } });
    const begun = handlePayments(stage);
    const guest = await stage.connect();
    guest.say(PAY);
    guest.say(PAY);
    expect(await guest.packet()).toMatchObject({ reply: 7, error: { code: "too-many-requests" } });
    (await begun.next())?.("paid");
    expect(await guest.packet()).toStrictEqual(PAID);
    guest.say(PAY);
    expect(await guest.packet()).toStrictEqual(PAID);
  });

  test("tells that it was handled when its reply was too long to be kept", async () => {
    const stage = await openStage(subject, { idempotency: SMALL });
    const begun = handlePayments(stage);
    const guest = await stage.connect();
    guest.say(PAY);
    (await begun.next())?.("x".repeat(2_000));
    expect(await guest.packet()).toStrictEqual({ reply: 7, data: "x".repeat(2_000) });
    guest.say(PAY);
    expect(await guest.packet()).toMatchObject({ reply: 7, error: { code: "reply-gone" } });
    expect(begun.take()).toStrictEqual([]);
    expect(stage.hub.stats()).toMatchObject({ violations: 0, answersForgotten: 0 });
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
