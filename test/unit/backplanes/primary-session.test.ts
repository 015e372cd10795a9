import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectInPrimary } from "../../../src/backplanes/cluster/session.ts";

test("a session of the primary process that has ended subscribes to nothing more", async () => {
  const heard: string[] = [];
  const report = {
    message: (channel: string): unknown => heard.push(channel),
    recorded: (): void => {},
    fault: (): void => {},
  };
  const [over, lasting] = [new AbortController(), new AbortController()];
  const session = await connectInPrimary("p:")(report, over.signal);
  const other = await connectInPrimary("p:")(report, lasting.signal);
  await session.subscribe(["a"]);
  over.abort();
  await expect(session.subscribe(["b"])).rejects.toThrow("has ended");
  for (const channel of ["a", "b"]) await other.publish(channel, new Uint8Array(1));
  await turn();
  expect(heard).toEqual([]);
  lasting.abort();
});
