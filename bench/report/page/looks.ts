import type { DotOptions } from "@observablehq/plot";
import { dashed } from "../../command-line.ts";
import type { PeerName } from "../../peers/peer.ts";

/** How a peer is told from the others without colours, in the order in which peers are shown everywhere. */
const SYMBOLS: ReadonlyMap<PeerName, string> = new Map<PeerName, string>([
  ["hub on ws", "circle"],
  ["hub on uws", "diamond2"],
  ["ws loop", "square"],
  ["uws publish", "triangle"],
  ["socket.io ws", "triangle"],
  ["socket.io uws", "cross"],
  ["crossws", "star"],
]);

const ORDER: readonly PeerName[] = [...SYMBOLS.keys()];

interface OfPeer {
  readonly peer: PeerName;
}

/** The marks of peers, each in its form and colour. */
export const MARK: DotOptions = { symbol: symbolOf, rotate: turnOf, fill: coloured, r: 4.5, className: "mark" };

function symbolOf({ peer }: OfPeer): string {
  return SYMBOLS.get(peer) ?? "hexagon";
}

/** Socket.IO's triangle on `ws` points downwards. */
function turnOf({ peer }: OfPeer): number {
  return peer === "socket.io ws" ? 180 : 0;
}

/** A variable of the style sheet. */
export function coloured({ peer }: OfPeer): string {
  return `var(--${dashed(peer)}, var(--other))`;
}

/** The colour of a peer as letters have it, which need more contrast. */
export function lettered({ peer }: OfPeer): string {
  return `var(--${dashed(peer)}-letters, ${coloured({ peer })})`;
}

export function isHub({ peer }: OfPeer): boolean {
  return peer.startsWith("hub");
}

export function nameOf({ peer }: OfPeer): string {
  return peer === "floor" ? "bare writes" : peer;
}

/** Sorts as peers are shown everywhere; those without a place of their own come last. */
export function inOrder<T extends OfPeer>(items: readonly T[]): T[] {
  const places = new Map(ORDER.map((peer, place) => [peer, place]));
  const placeOf = ({ peer }: OfPeer): number => places.get(peer) ?? ORDER.length;
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}
