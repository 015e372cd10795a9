import { expect, test } from "vitest";
import { ByteBudget } from "../../../src/limits/byte-budget.ts";
import { Inbox } from "../../../src/limits/inbox.ts";
import { heldBytes } from "../../support/held-bytes.ts";

const MIB = 1024 * 1024;

test("messages that were taken out of an inbox hold nothing, however many still wait", async () => {
  const budget = new ByteBudget(100 * MIB);
  const inbox = new Inbox(budget, "ann");
  const before = await heldBytes();
  for (let count = 0; count < 16; count++) inbox.unread.push({ data: Buffer.alloc(MIB, 1), isBinary: true });
  for (let count = 0; count < 8; count++) inbox.unread.shift();
  expect(budget.bytes).toBeLessThan(9 * MIB);
  expect((await heldBytes()) - before).toBeLessThan(9 * MIB);
  inbox.clear();
  expect([budget.bytes, inbox.bytes, inbox.isEmpty]).toEqual([0, 0, true]);
});
