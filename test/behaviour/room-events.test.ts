import { expect, test, vi } from "vitest";
import { inMemory } from "roomcast/testing";
import { openHubFixture } from "../support/hub-fixture.ts";

const NAMES = Array.from({ length: 1_000 }, (_, number) => `room ${number}`);

test("joining and leaving rooms schedules nothing while nobody listens", async () => {
  const fixture = await openHubFixture(inMemory());
  const { socket } = await fixture.connect();
  const heard = vi.fn<() => void>();
  fixture.hub.on("room", heard);
  fixture.hub.off("room", heard);
  const schedule = vi.spyOn(globalThis, "queueMicrotask");
  try {
    socket.join(NAMES);
    socket.leave(NAMES);
    expect(schedule).not.toHaveBeenCalled();
    fixture.hub.on("room", heard);
    socket.join("lobby");
    expect(schedule).toHaveBeenCalledTimes(2);
  } finally {
    schedule.mockRestore();
  }
  await Promise.resolve();
  expect(heard.mock.calls).toEqual([[{ type: "created", room: "lobby" }], [{ type: "joined", room: "lobby", socket }]]);
});
