import { inMemory } from "roomcast/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { Ring } from "../../../src/history/ring.ts";
import { openHubFixtureInTime } from "../../support/hub-fixture.ts";
import { dataOf, join, positionAt, recording } from "./peer.ts";

test("clients that come back within a second share what was made for the first of them", async () => {
  const read = vi.spyOn(Ring.prototype, "read");
  onTestFinished(() => read.mockRestore());
  const { fixture, clock } = await openHubFixtureInTime(inMemory(), recording());
  const { hub } = fixture;
  const before = await join(await fixture.connect(), "chat");
  for (const data of ["one", "two"]) hub.to("chat").emit("said", data);
  const missed = async (): Promise<readonly unknown[]> => {
    const after = await join(await fixture.connect(), "chat", positionAt(before));
    return dataOf(after.missed);
  };

  for (let client = 0; client < 3; client++) expect(await missed()).toStrictEqual(["one", "two"]);
  expect(read).toHaveBeenCalledTimes(1);
  hub.to("chat").emit("said", "three");
  for (let client = 0; client < 3; client++) expect(await missed()).toStrictEqual(["one", "two", "three"]);
  expect(read).toHaveBeenCalledTimes(2);
  await clock.advance(1_000);
  expect(await missed()).toStrictEqual(["one", "two", "three"]);
  expect(read).toHaveBeenCalledTimes(3);
});
