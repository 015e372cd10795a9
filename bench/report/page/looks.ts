import type { DotOptions } from "@observablehq/plot";
import { dashed } from "../../command-line.ts";
import type { PeerName } from "../../peers/peer.ts";

interface OfPeer {
  readonly peer: PeerName;
}

/** How a peer is told from the others without colours, in the order in which peers are shown everywhere. */
const MARKS: ReadonlyMap<PeerName, readonly [symbol: string, turned?: number]> = new Map([
  ["hub on ws", ["circle"]],
  ["hub on uws", ["diamond2"]],
  ["ws loop", ["square"]],
  ["uws publish", ["triangle"]],
  ["socket.io ws", ["triangle", 180]],
  ["socket.io uws", ["cross"]],
  ["crossws", ["star"]],
]);

const ORDER: readonly PeerName[] = [...MARKS.keys()];

/** The marks of peers, each in its form and colour. */
export const MARK: DotOptions = {
  symbol: ({ peer }: OfPeer) => MARKS.get(peer)?.[0] ?? "hexagon",
  rotate: ({ peer }: OfPeer) => MARKS.get(peer)?.[1] ?? 0,
  fill: coloured,
  r: 4.5,
  className: "mark",
};

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
  const placeOf = ({ peer }: OfPeer): number => (ORDER.includes(peer) ? ORDER.indexOf(peer) : ORDER.length);
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}
