import { audienceOf } from "./audience.ts";
import { broadcasts } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import type { Scenario } from "./scenario.ts";
import { bytes } from "./words.ts";

/** Rooms that are sent to in one turn. */
const ROOMS_IN_A_TURN = 16;

/**
 * Sixteen messages in a turn, each to another small room, and beside it, on the same server and the same connections, one
 * message in a turn to one room of as many clients as those sixteen have together.
 *
 * In both a turn makes the same number of deliveries to the same clients, one to each and hence one write for each, and
 * one turn after the other goes through all connections, so that both find them equally cold in the caches. What is left
 * as a difference is what a message costs that is shared by few: the encoding, the look-up of the room, the call.
 */
export const manyRooms: Scenario = {
  name: "many-rooms",
  description: "messages to ever other rooms of ten, beside the same deliveries made by large rooms: what a room costs",
  headline: "cpu",
  also: ["throughput", "writes"],
  trials: (options) =>
    combine(options.members ?? [10], options.sizes ?? [64], (members, size) => {
      const rooms = options.rooms ?? (options.full ? 500 : 100);
      const perTurn = Math.min(ROOMS_IN_A_TURN, rooms);
      const halls = Math.ceil(rooms / perTurn);
      const small = Array.from({ length: rooms }, (_, room) => ({ id: room, rooms: [`r${room}`], except: [] }));
      const large = Array.from({ length: halls }, (_, hall) => ({ id: rooms + hall, rooms: [`h${hall}`], except: [] }));
      const memberships = small.flatMap(({ id }) =>
        Array.from({ length: members }, () => [`r${id}`, `h${Math.floor(id / perTurn)}`]),
      );
      const { clients, streams } = audienceOf(memberships, [...small, ...large]);
      const name = `${rooms} rooms of ${members}, ${bytes(size)}`;
      return broadcasts({
        name,
        size,
        clients,
        cases: [
          { title: `${name}, ${perTurn} a turn`, streams: streams.slice(0, rooms), perTurn, members, rooms },
          {
            title: `${halls} rooms of ${perTurn * members}, ${bytes(size)}, 1 a turn`,
            streams: streams.slice(rooms),
            perTurn: 1,
            members: perTurn * members,
            rooms: halls,
          },
        ],
        seconds: secondsOf(options),
        latency: false,
      });
    }),
};
