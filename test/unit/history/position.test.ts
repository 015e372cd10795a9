import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readPosition, streamOf } from "../../../src/history/position.ts";

const id = fc.stringMatching(/^[\w-]{21,31}$/);

test("a position is read as it was told, with the last four sockets of the client", () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 8 }), fc.maxSafeNat(), (sockets, at) => {
      const stream = streamOf("anEpoch-12", ...sockets);
      expect(readPosition({ stream, at })).toStrictEqual({ epoch: "anEpoch-12", at, sockets: sockets.slice(0, 4) });
    }),
  );
});

test("whatever a client gives is a position, none, or one that nobody knows", () => {
  const garbage = fc.oneof(fc.anything(), fc.record({ stream: fc.anything(), at: fc.anything() }));
  fc.assert(
    fc.property(garbage, (since) => {
      const position = readPosition(since);
      expect(position === undefined).toBe(since === undefined || since === null);
      const isGood = position === undefined || (position.sockets.length <= 4 && Number.isSafeInteger(position.at));
      expect(isGood).toBe(true);
    }),
  );
});

test("a stream is never longer than a client may give back, whatever it has named as its sockets", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 6 }), (sockets) => {
      expect(streamOf("anEpoch-12", ...sockets).length).toBeLessThanOrEqual(256);
    }),
  );
});
