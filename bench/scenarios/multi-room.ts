import { audienceOf } from "./audience.ts";
import { broadcasts, casesFor, type BroadcastCase } from "./broadcasts.ts";
import { combine, secondsOf } from "./defaults.ts";
import { Lot } from "./lot.ts";
import type { Scenario } from "./scenario.ts";
import { aTurn, describe } from "./words.ts";

const STREAMS = 50;

/** Of how many rooms a client is in one. */
const ROOMS_FOR_EACH_OF_A_CLIENT = 5;

/** Who is in several of the rooms hears a message once, who is in the room that is left out does not hear it. */
export const multiRoom: Scenario = {
  name: "multi-room",
  description: "unions of 2 to 4 rooms less one, clients in 8 rooms of 40: what it costs to send to each of them once",
  headline: "cpu",
  also: ["throughput", "writes", "p99"],
  unable: (peer) => (peer === "crossws" ? "has topics, but neither unions nor exclusions" : undefined),
  trials: (options) =>
    combine(options.members ?? [400], options.sizes ?? [64], (members, size) => {
      const lot = new Lot(options.seed);
      const rooms = Array.from({ length: options.rooms ?? 40 }, (_, room) => `r${room}`);
      const perClient = Math.ceil(rooms.length / ROOMS_FOR_EACH_OF_A_CLIENT);
      const memberships = Array.from({ length: members }, () => lot.draw(perClient, rooms));
      const drawn = Array.from({ length: STREAMS }, (_, id) => {
        const [except = "", ...union] = lot.draw(3 + lot.below(3), rooms);
        return { id, rooms: union, except: [except] };
      });
      const { clients, streams } = audienceOf(memberships, drawn);
      const heard = streams.filter((stream) => stream.members > 0);
      const each = Math.round(heard.reduce((sum, stream) => sum + stream.members, 0) / heard.length);
      const name = `${describe(members, size)}, ${perClient} of ${rooms.length} rooms each`;
      const caseOf = (perTurn: number): BroadcastCase => ({
        title: `${name}, ${aTurn(perTurn)}`,
        streams: heard,
        perTurn,
        members: each,
        rooms: rooms.length,
      });
      return broadcasts({
        name,
        size,
        clients,
        cases: casesFor(options.rates ?? [1, 16], caseOf),
        seconds: secondsOf(options),
        latency: true,
      });
    }),
};
