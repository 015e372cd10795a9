import { crowd } from "./audience.ts";
import { HANDSHAKES } from "./broadcasts.ts";
import type { Scenario } from "./scenario.ts";

/** A loopback address has some 28,000 ports to connect from, and those of earlier slices are not free again at once. */
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}`);

/**
 * Connections that come before the first reading, and stay. They compile code, fill pools and let the young generation
 * grow to its size. If they went, what they leave behind would be used again by those that are counted, who would then
 * seem to need less than they do.
 */
const WARM_UP = 1_000;

/**
 * Resident memory also holds what the handshakes have left behind and the collector not returned: several KB for each of
 * a thousand connections, next to nothing for each of ten thousand. The heap is exact.
 */
const FEWEST_FOR_RESIDENT = 5_000;

/**
 * A young generation that does not grow, and no holes in the old one. With V8's defaults the young one grows once, by 10 to
 * 12 MB, in whichever interval the peer happens to have allocated enough: for a peer that is all C++, in none.
 */
const FLAGS = ["--max-semi-space-size=1", "--compact-on-every-full-gc"];

export const idle: Scenario = {
  name: "idle",
  description: "clients that are connected, in a room, and silent: the memory of the server for each of them",
  headline: "heapPerConnection",
  also: ["residentPerConnection"],
  trials: (options) =>
    (options.members ?? (options.full ? [1_000, 10_000] : [10_000])).map((count) => {
      const name = `${count.toLocaleString("en")} idle connections`;
      return {
        name,
        size: 64,
        compression: false,
        flags: FLAGS,
        capacity: async (stage) => {
          const member = { rooms: ["r0"], streams: [] };
          const connect = (number: number, firstId: number): Promise<unknown> =>
            stage.connect({ clients: crowd(number, member, firstId), concurrency: HANDSHAKES, from: ADDRESSES });
          await connect(Math.min(WARM_UP, count), count);
          const before = await stage.memory();
          await connect(count, 0);
          const after = await stage.memory();
          return [
            {
              case: name,
              parameters: { connections: count },
              phase: "capacity",
              remarks: [`Node.js with ${FLAGS.join(" ")}, after ${WARM_UP.toLocaleString("en")} connections more`],
              figures: {
                heapPerConnection: (after.heap - before.heap) / count,
                ...(count >= FEWEST_FOR_RESIDENT && {
                  residentPerConnection: (after.resident - before.resident) / count,
                }),
              },
            },
          ];
        },
      };
    }),
};
