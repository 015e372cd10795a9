import type { Churn, Load, Stream } from "../server/messages.ts";

/** More in flight for one client than this much would measure the kernel's buffers. */
const BYTES_IN_FLIGHT = 512 * 1024;

/** Messages beyond those of two turns, so that a fast server does not wait for the receivers' reports. */
const SPARE_IN_FLIGHT = 32;

export interface SaturatingPlan {
  readonly streams: readonly Stream[];
  /** How many clients hear one of the streams, or several. */
  readonly listeners: number;
  /** Messages in a turn of the event loop. */
  readonly perTurn: number;
  readonly size: number;
  readonly seconds: number;
  readonly churn?: Churn;
}

/** As many messages as the server can send. */
export function saturating(plan: SaturatingPlan): Load {
  const { streams, perTurn, seconds, churn } = plan;
  return {
    streams,
    seconds,
    pace: { kind: "saturating", perTurn, inFlight: inFlight(plan) },
    ...(churn !== undefined && { churn }),
  };
}

/** So many messages a second, whatever happens. */
export function openLoop(streams: readonly Stream[], rate: number, seconds: number): Load {
  return { streams, seconds, pace: { kind: "open-loop", rate } };
}

/**
 * How many deliveries may be under way: two turns at least, so that the server always has the next one to do, and some
 * more where messages are small.
 */
export function inFlight({ streams, listeners, perTurn, size }: Omit<SaturatingPlan, "seconds" | "churn">): number {
  const members = streams.reduce((sum, stream) => sum + stream.members, 0) / streams.length;
  const inTurn = Math.min(listeners, Math.min(perTurn, streams.length) * members);
  const twoTurns = (2 * perTurn * members) / inTurn;
  return Math.ceil(inTurn * Math.max(twoTurns, Math.min(SPARE_IN_FLIGHT + twoTurns, BYTES_IN_FLIGHT / size)));
}

/** The first messages compile code and fill pools. They are of the same kind as what is measured, and thrown away. */
export function warmUpSeconds(seconds: number): number {
  return Math.min(0.2, seconds);
}
