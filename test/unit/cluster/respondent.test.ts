import { setImmediate as turn } from "node:timers/promises";
import { HubError } from "roomcast";
import { VirtualClock } from "roomcast/testing";
import { beforeEach, expect, test } from "vitest";
import type { QueryAnswer } from "../../../src/cluster/envelope.ts";
import { Respondent } from "../../../src/cluster/respondent.ts";
import { RAISING } from "../../support/raising.ts";

const ONE = "0123456789";

let told: QueryAnswer[];
let respondent: Respondent;

beforeEach(() => {
  told = [];
  respondent = new Respondent({
    clock: new VirtualClock(),
    guardian: RAISING,
    ordered: true,
    tell: (_channel, answer) => void told.push(answer),
  });
});

test("the outcomes of a turn are one answer for each request", async () => {
  respondent.settled(ONE, 1, "a", "", "reply of a");
  respondent.settled(ONE, 2, "a", "", "another");
  respondent.settled(ONE, 1, "b", "", new HubError("ERR_HUB_TIMEOUT", "too late"));
  expect(told).toEqual([]);
  await turn();
  expect(told).toEqual([
    {
      type: "answer",
      id: 1,
      replies: [["a", "", "reply of a"]],
      failures: [["b", { code: "ERR_HUB_TIMEOUT", message: "too late" }]],
    },
    { type: "answer", id: 2, replies: [["a", "", "another"]], failures: [] },
  ]);
});
