import type { PeerName } from "../../peers/peer.ts";
import { html, type Markup } from "../markup.ts";

/** How a peer is told from the others, with colours and without. */
export interface Look {
  /** Sets `--peer`, the colour: see `style.ts`. */
  readonly className: string;
  /** The outline of its mark, around the origin. */
  readonly mark: string;
  readonly isHub: boolean;
}

const CIRCLE = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z";
const SQUARE = "M-4 -4h8v8h-8z";
const DIAMOND = "M0 -5.2l5.2 5.2l-5.2 5.2l-5.2 -5.2z";
const TRIANGLE = "M0 -5l4.8 8.6h-9.6z";
const DOWNWARDS = "M0 5l-4.8 -8.6h9.6z";
const PLUS = "M-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z";
const BAR = "M-5 -1.7h10v3.4h-10z";

/** In the order in which they are shown. */
const LOOKS: ReadonlyMap<PeerName, Look> = new Map<PeerName, Look>([
  ["hub on ws", { className: "hub-ws", mark: CIRCLE, isHub: true }],
  ["hub on uws", { className: "hub-uws", mark: DIAMOND, isHub: true }],
  ["ws loop", { className: "ws-loop", mark: SQUARE, isHub: false }],
  ["uws publish", { className: "uws-publish", mark: TRIANGLE, isHub: false }],
  ["socket.io ws", { className: "socket-io-ws", mark: DOWNWARDS, isHub: false }],
  ["socket.io uws", { className: "socket-io-uws", mark: PLUS, isHub: false }],
  ["crossws", { className: "crossws", mark: BAR, isHub: false }],
]);

/** What is no peer: how cheap it could be. */
const FLOOR: Look = { className: "floor", mark: "M-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0z", isHub: false };

const OTHER: Look = { className: "other", mark: "M-2.5 -2.5h5v5h-5z", isHub: false };

const ORDER: readonly PeerName[] = [...LOOKS.keys()];

export function lookOf(peer: PeerName): Look {
  return peer === "floor" ? FLOOR : (LOOKS.get(peer) ?? OTHER);
}

export function nameOf(peer: PeerName): string {
  return peer === "floor" ? "bare writes" : peer;
}

/** Sorted as they are shown everywhere; those without a place of their own come last. */
export function inOrder<T>(items: readonly T[], peerOf: (item: T) => PeerName): T[] {
  const place = (item: T): number => {
    const index = ORDER.indexOf(peerOf(item));
    return index === -1 ? ORDER.length : index;
  };
  return items.toSorted((a, b) => place(a) - place(b));
}

/** The mark in running text. */
export function swatch(peer: PeerName): Markup {
  const { className, mark } = lookOf(peer);
  return html`<svg class="swatch ${className}" viewBox="-6 -6 12 12" aria-hidden="true">
    <path class="mark" d="${mark}" />
  </svg>`;
}
