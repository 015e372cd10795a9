import { Hub, type HubOptions } from "roomcast";
import { memory } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { hubError } from "../../support/hub-error.ts";

const create = (limits: unknown): Hub => {
  return new Hub({ transport: memory(), limits: limits as NonNullable<HubOptions["limits"]> });
};

describe("The option limits", () => {
  const bad: readonly unknown[] = [
    null,
    7,
    "none",
    [],
    { message: { perSecond: 1, burst: 1 } },
    { toString: 1 },
    ...["messages", "bytes", "violations"].flatMap((name) =>
      [
        null,
        5,
        {},
        { perSecond: 1 },
        { burst: 1 },
        { perSecond: 0, burst: 1 },
        { perSecond: -1, burst: 1 },
        { perSecond: Number.NaN, burst: 1 },
        { perSecond: Number.POSITIVE_INFINITY, burst: 1 },
        { perSecond: 1, burst: 0 },
        { perSecond: 1, burst: 1.5 },
        { perSecond: 1, burst: Number.POSITIVE_INFINITY },
        { perSecond: "1", burst: 1 },
        { perSecond: 1, burst: 1, perMinute: 1 },
      ].map((rate) => ({ [name]: rate })),
    ),
    ...["rooms", "roomNameLength", "pendingRequests", "listeners"].flatMap((name) =>
      [null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "7", {}].map((count) => ({ [name]: count })),
    ),
  ];

  test.each(bad.map((value) => [value]))("refuses %j", (value) => {
    expect(() => create(value)).toThrow(hubError("ERR_HUB_OPTION", '"limits"'));
  });

  test.each([
    [{}],
    [{ messages: undefined, rooms: undefined }],
    [{ messages: { perSecond: 0.5, burst: 1 } }],
    [{ rooms: 1, roomNameLength: 1, pendingRequests: 1, listeners: 1 }],
    [{ rooms: Number.MAX_SAFE_INTEGER }],
  ])("takes %j", (value) => {
    expect(() => create(value)).not.toThrow();
  });
});
