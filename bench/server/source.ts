import type { Peer, PeerServer } from "../peers/peer.ts";
import { stamp } from "../stamp.ts";
import type { Churning } from "./churning.ts";
import type { Stream } from "./messages.ts";
import { padding } from "./padding.ts";

/** What is made once for a stream, so that a message costs no more than its stamp and the peer. */
interface Channel {
  readonly stream: Stream;
  readonly padding: string;
  readonly send: (body: string) => void;
  /** Whether those who come and go hear it. */
  readonly passing: boolean;
  sent: number;
}

/** Sends to the streams of one measurement in turn, and counts. */
export class Source {
  readonly #channels: readonly Channel[];
  readonly #churning: Churning | undefined;
  #next = 0;
  #deliveries = 0;

  constructor(
    { dialect }: Pick<Peer, "dialect">,
    server: Pick<PeerServer, "publish" | "publishToUnion">,
    size: number,
    streams: readonly Stream[],
    churning?: Churning,
  ) {
    this.#churning = churning;
    this.#channels = streams.map((stream) => ({
      stream,
      padding: padding(size, dialect, stream.rooms),
      send: sender(server, stream),
      passing: churning !== undefined && churning.hears(stream),
      sent: 0,
    }));
  }

  /** One message to the next stream. `time` goes into its stamp: when it was meant to leave, in microseconds. */
  send(time: number): void {
    const channel = this.#channels[this.#next];
    if (channel === undefined) return;
    this.#next = this.#next + 1 === this.#channels.length ? 0 : this.#next + 1;
    this.#deliveries += channel.stream.members;
    if (channel.passing) this.#deliveries += this.#churning?.present ?? 0;
    channel.send(channel.padding + stamp(channel.stream.id, channel.sent++, time));
  }

  /** What has been sent, with everybody counted who was in the room at the moment of each call. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** How many messages went to each stream. */
  get sent(): Readonly<Record<number, number>> {
    return Object.fromEntries(this.#channels.map(({ stream, sent }) => [stream.id, sent]));
  }
}

function sender(
  server: Pick<PeerServer, "publish" | "publishToUnion">,
  { rooms, except }: Stream,
): (body: string) => void {
  const [room] = rooms;
  if (room !== undefined && rooms.length === 1 && except.length === 0) return (body) => server.publish(room, body);
  return (body) => {
    if (server.publishToUnion === undefined) throw new Error("This peer has no unions of rooms.");
    server.publishToUnion(rooms, except, body);
  };
}
