import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeBundle,
  encodeBundle,
  encodeControl,
  encodeFrames,
  publisherOf,
  type Control,
  type FramesEnvelope,
} from "../../../src/cluster/envelope.ts";

const NODE = "0123456789";

const texts = fc.array(fc.string({ unit: "binary" }), { maxLength: 3 });
const message = fc.record({
  protocol: fc.option(fc.constantFrom("", "roomcast.v1.json", "mine"), { nil: undefined }),
  binary: fc.boolean(),
  payload: fc.uint8Array({ maxLength: 40_000 }),
});
const frames = fc.record({
  selection: fc.record(
    { sockets: texts, exceptRooms: texts, exceptSockets: texts, routes: texts, number: fc.nat() },
    { requiredKeys: [] },
  ),
  manner: fc.record(
    {
      volatile: fc.constant(true as const),
      uncompressed: fc.constant(true as const),
      policy: fc.constantFrom("close", "drop"),
      key: fc.string(),
    },
    { requiredKeys: [] },
  ),
  asking: fc.option(fc.record({ id: fc.nat(), event: fc.string(), timeout: fc.nat() }), { nil: undefined }),
  messages: fc.array(message, { maxLength: 3 }),
});

/** What is left out of an envelope is not there, rather than undefined. */
function plain({ selection, manner, asking, messages }: Omit<FramesEnvelope, "kind">): unknown {
  const payloads = messages.map((each) => ({ ...each, payload: [...each.payload] }));
  return JSON.parse(JSON.stringify({ ...selection, ...manner, asking, payloads }));
}

describe("an envelope", () => {
  test("is read as it was written, alone or in a bundle", () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 5 }), (given) => {
        const bundle = encodeBundle(
          NODE,
          given.map((each) => encodeFrames(each)),
        );
        const { from, envelopes } = decodeBundle(Uint8Array.from(bundle));
        expect(from).toBe(NODE);
        const taken = envelopes.flatMap((each) => (each.kind === "frames" ? [each] : []));
        expect(
          taken.map(({ selection, manner, asking, messages }) =>
            plain({ selection: { ...selection, ...manner, asking } as never, manner: {}, asking, messages }),
          ),
        ).toEqual(given.map((each) => plain(each)));
      }),
    );
  });

  test("keeps what structured cloning keeps", () => {
    const data = {
      when: new Date(1),
      map: new Map([[1, new Set(["a"])]]),
      bytes: new Uint8Array([1, 2]),
      big: 2n ** 70n,
    };
    const control: Control = { type: "message", event: "news", data };
    const { envelopes } = decodeBundle(encodeBundle(NODE, [encodeControl(control)]));
    expect(envelopes).toEqual([{ kind: "control", control }]);
  });

  test("of arbitrary bytes is read or refused, and nothing else happens", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isMarked) => {
        const given = isMarked ? Buffer.concat([encodeBundle(NODE, []), bytes]) : bytes;
        let outcome: unknown;
        try {
          outcome = decodeBundle(given).from;
        } catch (error) {
          outcome = error;
        }
        expect(typeof outcome === "string" || outcome instanceof Error).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of a bundle that was cut off anywhere is refused", () => {
    const envelope = encodeFrames({
      selection: { exceptRooms: ["a"] },
      manner: {},
      asking: undefined,
      messages: [{ protocol: undefined, binary: false, payload: new Uint8Array(300) }],
    });
    const bundle = encodeBundle(NODE, [envelope]);
    for (let length = 0; length < bundle.length; length++) {
      // With nothing behind its head it is a bundle of nothing.
      if (length === 1 + NODE.length) continue;
      expect(() => decodeBundle(bundle.subarray(0, length))).toThrow(RangeError);
    }
  });

  test("names its publisher without being read", () => {
    expect(publisherOf(encodeBundle(NODE, []))).toBe(NODE);
    expect(() => publisherOf(new Uint8Array([3, ...new Uint8Array(20)]))).toThrow("version 2");
  });

  test("of one message to one room costs few bytes", () => {
    const payload = new Uint8Array(100);
    const messages = [{ protocol: undefined, binary: false, payload }];
    const bundle = encodeBundle(NODE, [encodeFrames({ selection: {}, manner: {}, asking: undefined, messages })]);
    expect(bundle.length - payload.length).toBeLessThanOrEqual(20);
  });
});
