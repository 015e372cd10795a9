import type { Measurement } from "../figures.ts";
import { measurementOf } from "../observation.ts";
import type { Sending } from "../receivers/messages.ts";
import type { Stage } from "../stage.ts";
import { streamTo } from "./audience.ts";
import { connect } from "./broadcasts.ts";
import { atLeastOne, combine, secondsOf } from "./defaults.ts";
import { inFlight, warmUpSeconds } from "./loads.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { bytes } from "./words.ts";

/** One member of a chat in so many says something. */
const MEMBERS_FOR_ONE_SENDER = 10;

/** The receivers send by themselves: nobody has to be told what has arrived meanwhile. */
const SELDOM = 1_000_000_000;

export const chat: Scenario = {
  name: "chat",
  description: "clients send, the server relays to everybody else in the room: what people build first",
  headline: "cpu",
  also: ["throughput", "writes", "p99"],
  trials: (options) =>
    combine(options.members ?? (options.full ? [50, 200, 500] : [200]), options.sizes ?? [64], (members, size) =>
      trial(members, size, secondsOf(options)),
    ),
};

function trial(members: number, size: number, seconds: number): Trial {
  const senders = Array.from({ length: senderCount(members) }, (_, client) => ({
    client,
    stream: client,
    members: members - 1,
  }));
  const name = `${members} members, ${senders.length} senders, ${bytes(size)}`;
  const enter = (stage: Stage): Promise<void> =>
    connect(
      stage,
      Array.from({ length: members }, (_, id) => ({
        id,
        rooms: ["r0"],
        streams: senders.filter(({ client }) => client !== id).map(({ stream }) => stream),
      })),
    );
  const relay = async (
    stage: Stage,
    pace: Sending["pace"],
    about: Pick<Measurement, "phase" | "load">,
  ): Promise<Measurement> => {
    const sending: Sending = { senders, size, seconds, pace };
    await stage.relay({ reportEvery: SELDOM, senders: { ...sending, seconds: warmUpSeconds(seconds) } });
    return measurementOf(await stage.relay({ reportEvery: SELDOM, senders: sending }), {
      case: name,
      parameters: { members, size, senders: senders.length },
      ...about,
    });
  };
  return {
    name,
    size,
    compression: false,
    capacity: async (stage) => {
      await enter(stage);
      const streams = [streamTo("r0", 0, members - 1)];
      const pace = {
        kind: "saturating",
        inFlight: inFlight({ streams, listeners: members, perTurn: senders.length, size }),
      } as const;
      return [await relay(stage, pace, { phase: "capacity" })];
    },
    latency: async (stage, messages, loads) => {
      await enter(stage);
      const measurements: Measurement[] = [];
      for (const load of loads) {
        const pace = { kind: "open-loop", rate: messages * load } as const;
        measurements.push(await relay(stage, pace, { phase: "latency", load }));
      }
      return measurements;
    },
  };
}

function senderCount(members: number): number {
  return Math.min(members - 1, atLeastOne(members / MEMBERS_FOR_ONE_SENDER));
}
