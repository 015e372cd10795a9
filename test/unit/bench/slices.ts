import type { Figures, Measurement, Slice } from "../../../bench/figures.ts";
import type { PeerName } from "../../../bench/peers/peer.ts";

/** One slice of `burst` with one case, 16 a turn unless something else is said. */
export function sliceOf(
  peer: PeerName,
  round: number,
  figures: Figures,
  rest: Partial<Slice> = {},
  measured: Partial<Measurement> = {},
): Slice {
  return {
    scenario: "burst",
    trial: "400 members, 64 B",
    peer,
    phase: "capacity",
    round,
    disturbance: 0,
    measurements: [
      {
        case: "16 a turn",
        phase: "capacity",
        parameters: { members: 400, size: 64, perTurn: 16 },
        figures,
        ...measured,
      },
    ],
    ...rest,
  };
}

/** The control and another peer, by rounds, with the server CPU for one delivery of each. */
export function rounds(peer: PeerName, pairs: readonly (readonly [control: number, own: number])[]): readonly Slice[] {
  return pairs.flatMap(([control, own], round) => [
    sliceOf("ws loop", round, { cpu: control }),
    sliceOf(peer, round, { cpu: own }),
  ]);
}
