import { assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeEvent } from "../../../bench/peers/events.ts";
import { Churning } from "../../../bench/server/churning.ts";
import { padding } from "../../../bench/server/padding.ts";
import { Source } from "../../../bench/server/source.ts";
import { STAMP_LENGTH, stamp } from "../../../bench/stamp.ts";

const WEBSOCKET = { dialect: "websocket" } as const;

describe("padding", () => {
  test("fills a message up to its size, whatever its envelope", () => {
    assert(
      property(integer({ min: 64, max: 20_000 }), integer({ min: 0, max: 999 }), (size, room) => {
        const body = padding(size, "websocket", [`r${room}`]) + stamp(1, 2, 3);
        expect(Buffer.byteLength(encodeEvent(`r${room}`, body))).toBe(size);
        const union = padding(size, "websocket", ["r0", "r1"]) + stamp(1, 2, 3);
        expect(Buffer.byteLength(encodeEvent(undefined, union))).toBe(size);
        const packet = `42${JSON.stringify(["m", padding(size, "engine.io", ["r0"]) + stamp(1, 2, 3)])}`;
        expect(Buffer.byteLength(packet)).toBe(size);
      }),
      { numRuns: 50 },
    );
  });

  test("refuses a size that even the stamp does not fit into", () => {
    const least = encodeEvent("r0", "").length + STAMP_LENGTH;
    expect(padding(least, "websocket", ["r0"])).toBe("");
    expect(() => padding(least - 1, "websocket", ["r0"])).toThrow(RangeError);
  });
});

describe("source", () => {
  test("takes its streams in turn, numbers each from 0 and stamps the time it is given", () => {
    const sent: string[] = [];
    const server = { publish: (room: string, body: string) => void sent.push(`${room} ${body.slice(-STAMP_LENGTH)}`) };
    const streams = [4, 9].map((id) => ({ id, rooms: [`r${id}`], except: [], members: id * 10 }));
    const source = new Source(WEBSOCKET, server, 100, streams);
    for (const time of [10, 20, 30]) source.send(time);
    expect(sent).toStrictEqual([`r4 ${stamp(4, 0, 10)}`, `r9 ${stamp(9, 0, 20)}`, `r4 ${stamp(4, 1, 30)}`]);
    expect(source.sent).toStrictEqual({ 4: 2, 9: 1 });
    expect(source.deliveries).toBe(170);
  });

  test("says where a peer has no unions", () => {
    const streams = [{ id: 0, rooms: ["r0", "r1"], except: [], members: 1 }];
    const source = new Source(WEBSOCKET, { publish: () => {} }, 100, streams);
    expect(() => source.send(0)).toThrow("no unions");
  });

  test("counts those who come and go with those who were there at the call", () => {
    const present = new Set<number>([11]);
    const server = {
      publish: () => {},
      join: (client: number) => void present.add(client),
      leave: (client: number) => void present.delete(client),
    };
    const churning = new Churning(server, { room: "r0", clients: [11, 12, 13], perTurn: 2 });
    const streams = [
      { id: 0, rooms: ["r0"], except: [], members: 100 },
      { id: 1, rooms: ["r1"], except: [], members: 1_000 },
    ];
    const source = new Source(WEBSOCKET, server, 100, streams, churning);
    const rooms: number[][] = [];
    for (let turn = 0; turn < 3; turn++) {
      churning.step();
      rooms.push([...present]);
      source.send(0);
      source.send(0);
    }
    expect(rooms).toStrictEqual([[11, 12], [12, 13], []]);
    expect(source.deliveries).toBe(3 * 1_100 + 2 + 2 + 0);
    expect(churning.joins).toBe(3);
    churning.step();
    churning.end();
    expect([...present]).toStrictEqual([]);
  });
});
