import { createEmitter, Hub } from "roomcast";
import { MemoryEngine } from "roomcast/testing";
import { expect, onTestFinished, test } from "vitest";
import { Target } from "../../../src/hub/target.ts";

/** The members that mean something else, or nothing, where there is no target: `everybody` has them. Rooms are recorded. */
const OWN = { hub: ["close", "record", "sockets"], emitter: ["close", "local", "record", "sockets"] };

test.each(["hub", "emitter"] as const)("%s has every member of a target", async (kind) => {
  const backplane = new MemoryEngine().backplane();
  const sender = kind === "hub" ? new Hub({ heartbeat: false, backplane }) : createEmitter(backplane);
  onTestFinished(() => sender.close());
  const members = Object.getOwnPropertyNames(Target.prototype).filter((name) => name !== "constructor");
  expect(members.filter((name) => !OWN[kind].includes(name) && !(name in sender))).toStrictEqual([]);
  expect(sender.everybody).toBeInstanceOf(Target);
  expect(sender.everybody).toBe(sender.everybody);
});
