import { describe, expect, test } from "vitest";
import { encodeAnswer } from "../../../src/cluster/answer.ts";
import { decodeBundle, encodeBundle, type QueryAnswer, type RawReply } from "../../../src/cluster/envelope.ts";

const NODE = "0123456789";

function decode(envelope: Buffer): QueryAnswer {
  const [decoded] = decodeBundle(encodeBundle(NODE, [envelope])).envelopes;
  if (decoded?.kind !== "control" || decoded.control.type !== "answer") throw new TypeError("This is no answer.");
  return decoded.control;
}

/** Encodes an answer, and decodes its parts. */
function partsOf(answer: QueryAnswer, maxBytes: number): QueryAnswer[] {
  return encodeAnswer(answer, maxBytes).map(({ envelope }) => decode(envelope));
}

/** The answer that parts make together. */
function joined(parts: readonly QueryAnswer[]): object {
  return {
    asked: parts.flatMap(({ asked = [] }) => asked),
    replies: parts.flatMap(({ replies = [] }) => replies),
    failures: parts.flatMap(({ failures = [] }) => failures),
    descriptions: parts.flatMap(({ descriptions = [] }) => descriptions),
    refused: parts.flatMap(({ refused = [] }) => refused),
  };
}

const replies = Array.from({ length: 100 }, (_, index): RawReply => [`socket ${index}`, "", "é".repeat(10 * index)]);
const LONG: QueryAnswer = {
  type: "answer",
  id: 7,
  asked: replies.map(([socket]) => socket),
  replies,
  failures: replies.map(([socket]) => [socket, { code: "ERR_HUB_TIMEOUT", message: "too late" }] as const),
  descriptions: replies.map(([id]) => ({ id, data: { at: new Date(0) } })),
  refused: ["deaf"],
  complete: true,
};

describe("an answer", () => {
  test("that an engine takes is one envelope", () => {
    expect(partsOf(LONG, 1e6)).toEqual([LONG]);
  });

  test.each([300, 1_000, 5_000, 40_000])(
    "is divided into parts of %i bytes, the last of which completes it",
    (maxBytes) => {
      const parts = encodeAnswer(LONG, maxBytes);
      const decoded = parts.map(({ envelope }) => decode(envelope));
      expect(joined(decoded)).toEqual(joined([LONG]));
      for (const [index, { envelope }] of parts.entries()) {
        const { replies: some = [] } = decode(envelope);
        expect(envelope.byteLength <= maxBytes || some.length === 1).toBe(true);
        expect(decoded[index]?.id).toBe(7);
      }
      expect(decoded.map(({ complete }) => complete).filter((complete) => complete === true)).toHaveLength(1);
      expect(decoded.at(-1)?.complete).toBe(true);
    },
  );

  test("with one item that is too large is left as it is", () => {
    const answer: QueryAnswer = { type: "answer", id: 1, descriptions: ["x".repeat(1_000)], complete: true };
    expect(partsOf(answer, 100)).toEqual([answer]);
  });

  test("of a node itself that is lost becomes its failure, and is complete", () => {
    const reply: RawReply = ["a", "", Buffer.alloc(2_000)];
    const [part, ...others] = encodeAnswer({ type: "answer", id: 1, replies: [reply], complete: true }, 1_000);
    const failures = [["a", { code: "ERR_HUB_BACKPLANE", message: expect.stringContaining("lost") }]];
    expect(part?.instead().map(decode)).toEqual([{ type: "answer", id: 1, failures, complete: true }]);
    expect(others).toEqual([]);
  });

  test("of replies that is lost becomes the failures of their sockets, in parts that the engine takes", () => {
    const failures = [["b", { code: "ERR_HUB_DISCONNECTED", message: "gone" }]] as const;
    const [part] = encodeAnswer({ type: "answer", id: 1, replies: [["a", "", "x"]], failures }, 1_000);
    expect(part?.instead().map(decode)).toEqual([
      {
        type: "answer",
        id: 1,
        failures: [...failures, ["a", { code: "ERR_HUB_BACKPLANE", message: expect.stringContaining("lost") }]],
      },
    ]);
    const many = encodeAnswer({ type: "answer", id: 1, replies: replies.map(([id]) => [id, "", ""]) }, 1_000);
    const instead = many.flatMap((lost) => lost.instead());
    expect(instead.every(({ byteLength }) => byteLength <= 1_000)).toBe(true);
    expect(instead.map(decode).flatMap(({ failures: some = [] }) => some.map(([id]) => id))).toEqual(LONG.asked);
  });

  test.each([{ asked: ["a"] }, { descriptions: [1] }, { complete: true }] as const)(
    "of %o that is lost becomes a failure of the node",
    (answer) => {
      const [part] = encodeAnswer({ type: "answer", id: 1, ...answer }, 1_000);
      expect(part?.instead().map(decode)).toEqual([{ type: "answer", id: 1, failed: true }]);
    },
  );
});
