import { expect, test } from "vitest";
import { Hub } from "roomcast";
import { MemoryEngine } from "roomcast/testing";

/** Two hubs of one cluster, and what handlers of the second have been called with. */
async function startPair(): Promise<{ readonly sender: Hub; readonly receiver: Hub; readonly calls: unknown[] }> {
  const engine = new MemoryEngine();
  const [sender, receiver] = [1, 2].map(() => new Hub({ heartbeat: false, backplane: engine.backplane() })) as [
    Hub,
    Hub,
  ];
  await Promise.all([sender.synced(), receiver.synced()]);
  return { sender, receiver, calls: [] };
}

test("the remover of an onNode handler, called again, removes no handler that was added since", async () => {
  const { sender, receiver, calls } = await startPair();
  const remove = receiver.onNode("tick", () => calls.push("first"));
  remove();
  receiver.onNode("tick", (data) => calls.push(data));
  remove();
  const fence = new Promise((resolve) => receiver.onNode("fence", resolve));
  sender.emitToNodes("tick", 1);
  sender.emitToNodes("fence");
  await fence;
  expect(calls).toEqual([1]);
  await Promise.all([sender.close(), receiver.close()]);
});

test("an onNode handler that was added twice is called twice, and removed once by each remover", async () => {
  const { sender, receiver, calls } = await startPair();
  const handler = (data: unknown): unknown => calls.push(data);
  const removers = [receiver.onNode("tick", handler), receiver.onNode("tick", handler)];
  removers[0]?.();
  removers[0]?.();
  const fence = new Promise((resolve) => receiver.onNode("fence", resolve));
  sender.emitToNodes("tick", 1);
  sender.emitToNodes("fence");
  await fence;
  expect(calls).toEqual([1]);
  await Promise.all([sender.close(), receiver.close()]);
});
