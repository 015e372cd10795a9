import { setImmediate as turn } from "node:timers/promises";
import { HubError } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import type { Control, QueryAnswer } from "../../../src/cluster/envelope.ts";
import { Respondent } from "../../../src/cluster/respondent.ts";
import { RAISING } from "../../support/raising.ts";

const ONE = "0123456789";

let told: { readonly answer: QueryAnswer; readonly instead: Control | undefined }[];
let respondent: Respondent;

beforeEach(() => {
  told = [];
  respondent = new Respondent({
    clock: new VirtualClock(),
    guardian: RAISING,
    ordered: true,
    tell: (_channel, control, instead) => told.push({ answer: control as QueryAnswer, instead: instead?.() }),
  });
});

function lengthOf({ replies = [] }: QueryAnswer): number {
  return replies.reduce((sum, [, , message]) => sum + message.length, 0);
}

test("the outcomes of a turn are one answer for each request", async () => {
  respondent.settled(ONE, 1, "a", "", "reply of a");
  respondent.settled(ONE, 2, "a", "", "another");
  respondent.settled(ONE, 1, "b", "", new HubError("ERR_HUB_TIMEOUT", "too late"));
  expect(told).toEqual([]);
  await turn();
  expect(told.map(({ answer }) => answer)).toEqual([
    {
      type: "answer",
      id: 1,
      replies: [["a", "", "reply of a"]],
      failures: [["b", { code: "ERR_HUB_TIMEOUT", message: "too late" }]],
    },
    { type: "answer", id: 2, replies: [["a", "", "another"]], failures: [] },
  ]);
});

test("the outcomes of a turn are sent in parts that engines take, and a long reply alone", async () => {
  const sockets = Array.from({ length: 100 }, (_, index) => String(index));
  for (const socket of sockets) respondent.settled(ONE, 1, socket, "", "x".repeat(10_000));
  respondent.settled(ONE, 1, "long", "", "x".repeat(1024 * 1024));
  respondent.settled(ONE, 1, "short", "", "x");
  await turn();
  const parts = told.map(({ answer }) => answer);
  expect(parts.flatMap(({ replies = [] }) => replies.map(([socket]) => socket))).toEqual([...sockets, "long", "short"]);
  for (const part of parts) expect(lengthOf(part) <= 64 * 1024 || part.replies?.length === 1).toBe(true);
  expect(parts).toHaveLength(19);
});

test("a part that is lost is told in short, by the failures of its sockets", async () => {
  respondent.settled(ONE, 1, "a", "", "x".repeat(10_000));
  respondent.settled(ONE, 1, "b", "", new HubError("ERR_HUB_DISCONNECTED", "gone"));
  await turn();
  expect(told.map(({ instead }) => instead)).toEqual([
    {
      type: "answer",
      id: 1,
      failures: [
        ["b", { code: "ERR_HUB_DISCONNECTED", message: "gone" }],
        ["a", { code: "ERR_HUB_BACKPLANE", message: expect.stringContaining("lost") }],
      ],
    },
  ]);
});
