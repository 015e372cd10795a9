import { OpenLoopSchedule } from "../open-loop-schedule.ts";
import { now } from "../stamp.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Sending } from "./messages.ts";
import type { Sender } from "./sender.ts";

/** What all have sent together. */
export interface SentMessages {
  readonly sent: Readonly<Record<number, number>>;
  readonly deliveries: number;
}

/** The clients that send, and the pace at which they do it. */
export class Senders {
  readonly #senders: readonly Sender[];
  readonly #arrivals: Arrivals;
  readonly #finished: (messages: SentMessages) => void;
  #next = 0;
  #deliveries = 0;
  #done = false;
  #deadline: NodeJS.Timeout | undefined;

  /** `finished` is called once, when everything has been sent. */
  constructor(senders: readonly Sender[], arrivals: Arrivals, finished: (messages: SentMessages) => void) {
    this.#senders = senders;
    this.#arrivals = arrivals;
    this.#finished = finished;
  }

  start({ pace, seconds }: Sending): void {
    if (pace.kind === "open-loop") {
      // Awake, these processes would look busy. The stamps tell when a message was meant to leave: late ones are late for all.
      this.#sendDue(new OpenLoopSchedule(now(), pace.rate, seconds, { spinning: false }));
      return;
    }
    // What gets lost on the way never makes room for more: the end must not depend on it.
    this.#deadline = setTimeout(() => this.#finish(), seconds * 1e3);
    this.#saturate(pace.inFlight);
  }

  stop(): void {
    this.#done = true;
    clearTimeout(this.#deadline);
  }

  #saturate(inFlight: number): void {
    if (this.#done) return;
    const arrived = this.#arrivals.deliveries;
    const time = now();
    for (let turn = 0; turn < this.#senders.length && this.#deliveries - arrived < inFlight; turn++) this.#send(time);
    const again = (): void => void setImmediate(() => this.#saturate(inFlight));
    if (this.#deliveries - arrived < inFlight) again();
    // To spin until there is room would make these processes look busy.
    else this.#arrivals.when(this.#deliveries - inFlight + 1, again);
  }

  /** Sends what should have left by now, and comes back for the rest. */
  #sendDue(schedule: OpenLoopSchedule, index = 0): void {
    if (this.#done) return;
    const time = now();
    let following = index;
    while (following < schedule.length && schedule.intended(following) <= time) {
      this.#send(schedule.intended(following));
      following++;
    }
    if (following === schedule.length) this.#finish();
    else setTimeout(() => this.#sendDue(schedule, following), schedule.sleep(following, now()));
  }

  #send(time: number): void {
    const sender = this.#senders[this.#next] as Sender;
    this.#next = (this.#next + 1) % this.#senders.length;
    this.#deliveries += sender.members;
    sender.send(time);
  }

  #finish(): void {
    if (this.#done) return;
    this.stop();
    this.#finished({
      sent: Object.fromEntries(this.#senders.map(({ stream, sent }) => [stream, sent])),
      deliveries: this.#deliveries,
    });
  }
}
