import { Buffer } from "node:buffer";
import type { BackplaneLog, LogRecord, LogTail } from "../backplanes/backplane.ts";
import type { Codecs, Encoding } from "../delivery/codecs.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { HubError, messageOf } from "../errors.ts";
import { watch } from "../guard.ts";
import type { Audience } from "../members/audience.ts";
import type {
  FeedLimits,
  FeedPosition,
  LoggedEvent,
  RoomFeed,
  RoomFeedListener,
  RoomTail,
} from "../members/room-feed.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { roomChannel, roomOf } from "./channels.ts";
import { decodeBundle, encodeBundle, encodeFrames, type EncodedMessage, type FramesEnvelope } from "./envelope.ts";
import type { Interest } from "./interest.ts";
import { LogReader, NOWHERE } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

/** The longest time for which events wait until this node knows the log of their room, in milliseconds. */
const ACQUAINTANCE = 5_000;

export interface RoomLogsParts {
  /** The id of this node. */
  readonly self: string;
  readonly log: BackplaneLog;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly interest: Interest;
  readonly maxPendingBytes: number;
  /** The default policy for events to sockets that are behind. */
  readonly overload: Overload;
  readonly listener: RoomFeedListener;
  readonly report: ErrorReport;
}

/** The logs of rooms that the engine keeps: appends events to them, and follows those of the rooms that this node records. */
export class RoomLogs implements RoomFeed {
  readonly #parts: RoomLogsParts;
  readonly #reader: LogReader;
  readonly #writer: LogWriter;
  /** The rooms that are followed, and those whose channel is about to be subscribed to. */
  readonly #rooms = new Set<string>();
  /** The channels whose log is not known yet, with what ends the wait for it. */
  readonly #unknown = new Map<string, Timer>();
  #isConnected = false;

  constructor(parts: RoomLogsParts) {
    const { clock, listener, log, maxPendingBytes, report, self } = parts;
    this.#parts = parts;
    this.#reader = new LogReader({
      log,
      clock,
      report,
      listener: {
        begun: (channel, tail, gap) => {
          listener.begun(roomOf(channel) as string, tail && this.#tailOf(tail), gap);
          for (const record of tail?.records ?? []) this.#confirm(channel, record);
          this.#proceed(channel);
        },
        recorded: (channel, record, novelty) => {
          listener.recorded(roomOf(channel) as string, this.#eventOf(record), novelty);
          this.#confirm(channel, record);
        },
      },
    });
    this.#writer = new LogWriter({
      log,
      clock,
      origin: self,
      maxPendingBytes,
      positionOf: (channel) => this.#reader.positionOf(channel),
      isFollowed: (channel) => this.#rooms.has(roomOf(channel) as string),
      isHeld: (channel) => this.#unknown.has(channel),
      report,
    });
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get reads(): number {
    return this.#reader.reads;
  }

  get repairs(): number {
    return this.#reader.repairs;
  }

  connected(): void {
    this.#isConnected = true;
    this.#reader.connected();
    this.#writer.connected();
  }

  disconnected(): void {
    this.#isConnected = false;
    this.#reader.disconnected();
    this.#writer.disconnected();
  }

  /** Takes an entry that the engine hands over. */
  take(channel: string, record: LogRecord): void {
    this.#reader.take(channel, record);
  }

  follow(room: string, size: number): void {
    if (this.#rooms.has(room)) return;
    const { clock, interest, report } = this.#parts;
    const channel = roomChannel(room);
    this.#rooms.add(room);
    // What is sent after a join has its place behind that of the new member.
    this.#unknown.set(
      channel,
      clock.setTimeout(() => this.#proceed(channel), ACQUAINTANCE),
    );
    this.#reader.follow(channel, size, false);
    interest.hold(channel);
    const begin = async (): Promise<void> => {
      try {
        await interest.synced(channel);
      } catch {
        // Whoever joins is told that the record cannot be reached, and of the refusal the hub was told.
        this.#proceed(channel);
        return;
      }
      this.#reader.subscribed(channel);
    };
    watch(report, begin());
  }

  unfollow(room: string): void {
    if (!this.#rooms.delete(room)) return;
    const channel = roomChannel(room);
    this.#reader.unfollow(channel);
    this.#parts.interest.release(channel);
    this.#proceed(channel);
  }

  whenKnown(room: string, since: FeedPosition | undefined, known: () => void): () => void {
    return this.#reader.whenKnown(roomChannel(room), since ?? NOWHERE, known);
  }

  append(room: string, audience: Audience, encoding: Encoding | undefined, limits: FeedLimits): Promise<FeedPosition> {
    const envelope = encoding === undefined ? undefined : this.#envelopeOf(audience, encoding);
    return this.#writer.append(roomChannel(room), limits, envelope);
  }

  inLine(rooms: readonly string[] | undefined, isBehindAll: boolean, act: () => void): void {
    this.#writer.inLine(rooms?.map(roomChannel), isBehindAll, act);
  }

  async forget(room: string): Promise<void> {
    const channel = roomChannel(room);
    try {
      await this.#parts.log.forget(channel);
    } catch (cause) {
      throw new HubError("ERR_HUB_BACKPLANE", "The engine has not confirmed that it has forgotten the record.", {
        cause,
      });
    }
  }

  /** Whether something waits to be appended. */
  get isWaiting(): boolean {
    return this.#writer.isWaiting;
  }

  /** Resolves when everything that was to be appended by now is settled. */
  settled(): Promise<void> {
    return this.#writer.settled();
  }

  stop(): void {
    this.#reader.stop();
    this.#writer.stop();
    for (const timer of this.#unknown.values()) timer.cancel();
    this.#unknown.clear();
    for (const room of this.#rooms) this.#parts.interest.release(roomChannel(room));
    this.#rooms.clear();
  }

  /** Lets go what has waited for the log of a channel. */
  #proceed(channel: string): void {
    this.#unknown.get(channel)?.cancel();
    this.#unknown.delete(channel);
    this.#writer.proceed(channel);
  }

  #envelopeOf(audience: Audience, encoding: Encoding): Uint8Array {
    const { clock, codecs, self } = this.#parts;
    const { exceptRooms, exceptSockets, overload, uncompressed } = audience;
    const frames = encoding instanceof OutgoingFrame ? [[codecs.plain, encoding] as const] : [...encoding];
    const messages = frames.map(([codec, { binary, payload }]): EncodedMessage => {
      return { protocol: codecs.nameOf(codec), binary, payload };
    });
    const envelope = encodeFrames({
      selection: { exceptRooms, exceptSockets },
      manner: {
        ...(uncompressed ? { uncompressed } : undefined),
        ...(overload === undefined ? undefined : { policy: overload.policy }),
        ...(overload?.key === undefined ? undefined : { key: overload.key }),
        time: clock.wall(),
      },
      asking: undefined,
      messages,
    });
    return encodeBundle(self, [envelope]);
  }

  #confirm(channel: string, record: LogRecord): void {
    if (record.origin !== this.#parts.self) return;
    this.#writer.heard(channel, record, { epoch: record.epoch, at: record.at });
  }

  #tailOf({ epoch, head, records }: LogTail): RoomTail {
    return {
      epoch,
      head,
      floor: records[0]?.previous ?? head,
      events: records.map((record) => this.#eventOf(record)),
    };
  }

  #eventOf(record: LogRecord): LoggedEvent {
    const { at, hole } = record;
    const none = {
      at,
      time: 0,
      exceptRooms: [],
      exceptSockets: [],
      uncompressed: false,
      overload: undefined,
      frames: undefined,
    };
    if (hole === true) return none;
    try {
      const [envelope] = decodeBundle(record.envelope).envelopes;
      if (envelope?.kind !== "frames") throw new TypeError("It is no event.");
      const { manner, selection } = envelope;
      const { policy, key } = manner;
      const overload = policy === undefined ? undefined : { policy, key };
      return {
        at,
        time: manner.time ?? 0,
        exceptRooms: selection.exceptRooms ?? [],
        exceptSockets: selection.exceptSockets ?? [],
        uncompressed: manner.uncompressed === true,
        overload,
        frames: this.#framesOf(envelope, at, overload),
      };
    } catch (error) {
      const message = `This node does not understand an event of the record of a room, and tells of a gap. ${messageOf(error)}`;
      this.#parts.report.failed(new HubError("ERR_HUB_BACKPLANE", message, { cause: error }), "backplane");
      return none;
    }
  }

  #framesOf({ manner, messages }: FramesEnvelope, at: number, overload?: Overload): readonly OutgoingFrame[] {
    const { codecs } = this.#parts;
    const encoded = new Map<Codec, string | Uint8Array>();
    for (const { protocol = "", binary, payload } of messages) {
      const codec = codecs.named(protocol);
      if (codec !== undefined) encoded.set(codec, binary ? payload : Buffer.from(payload).toString());
    }
    return codecs.placed(encoded, at, overload ?? this.#parts.overload, manner.uncompressed !== true);
  }
}
