import type { Random } from "../random.ts";
import type { Carrier } from "../../transports/memory/pipe.ts";
import type { Timeline } from "./timeline.ts";

/** The usual delay of a message, in milliseconds. */
const USUAL = 2;

/** The longest delay of a message in a slow network, in milliseconds. */
const LONG = 300;

/** The delays of a network. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  /** The probability that a message takes long. */
  slowness = 0;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** Returns the delay of the next message, in milliseconds. Half of the messages arrive together with others. */
  delay(): number {
    const random = this.#random;
    const { now } = this.#timeline;
    const delay = random.next() * (this.slowness > 0 && random.chance(this.slowness) ? LONG : USUAL);
    return random.chance(0.5) ? delay : Math.ceil(now + delay) - now;
  }

  /** Carries messages between clients and nodes, which goes on when a node stands still. */
  readonly carry: Carrier = (arrive) => {
    const timeline = this.#timeline;
    timeline.schedule(arrive, this.delay(), timeline.world);
  };
}
