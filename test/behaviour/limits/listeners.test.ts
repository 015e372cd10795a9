import { Hub, type HubEvents } from "roomcast";
import { memory } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { hubError } from "../../support/hub-error.ts";
import { openMemoryHub } from "../../support/memory-hub.ts";
import { openHubFixture, SUBJECTS } from "../../support/hub-fixture.ts";

const [subject] = SUBJECTS;
if (subject === undefined) throw new Error("There is always a transport.");

function ignore(): void {}

describe("Listeners", () => {
  test.each(["connection", "disconnection", "message", "refusal", "error"] as const)(
    "of %s are limited, and make room when they are removed",
    (event: keyof HubEvents) => {
      const hub = new Hub({ transport: memory(), limits: { listeners: 3 } });
      hub.on(event, ignore).on(event, ignore);
      hub.once(event, () => {});
      const full = hubError("ERR_HUB_LIMIT", `There are 3 listeners of "${event}" already.`);
      expect(() => hub.on(event, () => {})).toThrow(full);
      expect(() => hub.once(event, () => {})).toThrow(full);
      hub.off(event, ignore);
      hub.on(event, () => {});
      expect(() => hub.on(event, () => {})).toThrow(full);
    },
  );

  test("of one event do not count for other events", () => {
    const hub = new Hub({ transport: memory(), limits: { listeners: 1 } });
    hub.on("connection", () => {});
    expect(() => hub.on("error", () => {})).not.toThrow();
  });

  test("for one call make room when they were called", async () => {
    const fixture = await openHubFixture(subject, { limits: { listeners: 2 } });
    fixture.hub.once("connection", () => {});
    expect(() => fixture.hub.on("connection", () => {})).toThrow(hubError("ERR_HUB_LIMIT"));
    await fixture.connect();
    expect(() => fixture.hub.on("connection", () => {})).not.toThrow();
  });

  test("are a thousand by default", () => {
    const hub = new Hub({ transport: memory() });
    for (let n = 0; n < 1_000; n++) hub.on("message", () => {});
    expect(() => hub.on("message", () => {})).toThrow(hubError("ERR_HUB_LIMIT", '"limits.listeners"'));
  });
});

describe("Handlers of one socket", () => {
  test("are limited, and make room when they are removed", async () => {
    const fixture = await openHubFixture(subject, { limits: { listeners: 2 } });
    const [{ socket }, other] = await fixture.pair();
    socket.on("a", () => {}).on("b", () => {});
    expect(() => socket.on("c", () => {})).toThrow(
      hubError("ERR_HUB_LIMIT", "There are 2 handlers of this socket already."),
    );
    other.socket.on("c", () => {});
    socket.off("nothing");
    expect(() => socket.on("c", () => {})).toThrow(hubError("ERR_HUB_LIMIT"));
    socket.off("a").on("c", () => {});
    expect(() => socket.on("d", () => {})).toThrow(hubError("ERR_HUB_LIMIT"));
  });

  test("are a thousand by default, and those of the hub are not limited", async () => {
    const { hub, socket } = await openMemoryHub();
    for (let n = 0; n < 1_000; n++) socket.on(`event ${n}`, () => {});
    expect(() => socket.on("one more", () => {})).toThrow(hubError("ERR_HUB_LIMIT", '"limits.listeners"'));
    for (let n = 0; n < 1_500; n++) hub.handle(`event ${n}`, () => {});
  });
});
