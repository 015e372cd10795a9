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
  Mark,
  RoomFeed,
  RoomFeedListener,
  RoomTail,
} from "../members/room-feed.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { roomChannel, roomOf } from "./channels.ts";
import {
  decodeBundle,
  encodeBundle,
  encodeFrames,
  type EncodedMessage,
  type FramesEnvelope,
  type RoomNumber,
} from "./envelope.ts";
import type { Interest } from "./interest.ts";
import { LogReader, NOWHERE } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

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
  /** Hands over to the engine what was published before, which an event must not overtake. */
  readonly flush: () => void;
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
  #isCut = false;

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
          this.#writer.proceed(channel);
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
      flush: parts.flush,
      report,
    });
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get mark(): Mark {
    return { origin: this.#parts.self, number: this.#writer.lastNumber };
  }

  /**
   * Returns those of these rooms with events of this node that other nodes may not have yet, with the number of the last one in
   * each.
   *
   * @param rooms - default: all.
   */
  recentIn(rooms?: readonly string[]): readonly RoomNumber[] {
    if (rooms === undefined) {
      return Array.from(this.#writer.recent, ([channel, number]): RoomNumber => [roomOf(channel) as string, number]);
    }
    return rooms.flatMap((room): readonly RoomNumber[] => {
      const number = this.#writer.recentOf(roomChannel(room));
      return number === undefined ? [] : [[room, number]];
    });
  }

  pendingOf(room: string): number | undefined {
    return this.#writer.pendingOf(roomChannel(room));
  }

  get reads(): number {
    return this.#reader.reads;
  }

  get repairs(): number {
    return this.#reader.repairs;
  }

  connected(): void {
    this.#isCut = false;
    this.#reader.connected();
    // What the engine refused before, it may refuse again.
    for (const room of this.#rooms) this.#subscribe(room);
    this.#writer.connected();
  }

  disconnected(): void {
    this.#isCut = true;
    this.#reader.disconnected();
    this.#writer.disconnected();
  }

  /** Takes an entry that the engine hands over. */
  take(channel: string, record: LogRecord): void {
    this.#reader.take(channel, record);
  }

  follow(room: string, size: number): void {
    if (this.#rooms.has(room)) return;
    const channel = roomChannel(room);
    this.#rooms.add(room);
    this.#reader.follow(channel, size, false);
    this.#parts.interest.hold(channel);
    this.#subscribe(room);
  }

  unfollow(room: string): void {
    if (!this.#rooms.delete(room)) return;
    const channel = roomChannel(room);
    this.#reader.unfollow(channel);
    this.#parts.interest.release(channel);
    this.#writer.proceed(channel);
  }

  whenKnown(room: string, since: FeedPosition | undefined, known: () => void): () => void {
    return this.#reader.whenKnown(roomChannel(room), since ?? NOWHERE, known);
  }

  append(room: string, audience: Audience, encoding: Encoding | undefined, limits: FeedLimits): Promise<FeedPosition> {
    const envelope = encoding === undefined ? undefined : this.#envelopeOf(audience, encoding);
    return this.#writer.append(roomChannel(room), limits, envelope);
  }

  async forget(room: string, limits: FeedLimits): Promise<void> {
    const channel = roomChannel(room);
    try {
      await this.#writer.forget(channel, limits);
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      throw new HubError("ERR_HUB_BACKPLANE", "The engine has not confirmed that it has forgotten the record.", {
        cause,
      });
    }
  }

  settled(): Promise<unknown> | undefined {
    return this.#writer.settled();
  }

  heardOf(room: string, origin: string): number {
    return this.#reader.heardOf(roomChannel(room), origin);
  }

  /** Notes that the engine does not let this node hear a channel. */
  refused(channel: string): void {
    const room = roomOf(channel);
    if (room === undefined || !this.#rooms.has(room)) return;
    this.#reader.refused(channel);
    this.#parts.listener.lost(room);
  }

  stop(): void {
    this.#reader.stop();
    this.#writer.stop();
    for (const room of this.#rooms) this.#parts.interest.release(roomChannel(room));
    this.#rooms.clear();
  }

  /** Reads the log of a room once its channel is subscribed to. */
  #subscribe(room: string): void {
    const { interest, report } = this.#parts;
    const channel = roomChannel(room);
    const begin = async (): Promise<void> => {
      try {
        await interest.synced(channel);
      } catch {
        // Whoever joins is told that the record cannot be reached, and of the refusal the hub was told.
        return;
      }
      this.#reader.subscribed(channel);
    };
    watch(report, begin());
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

  #tailOf({ epoch, head, floor, records }: LogTail): RoomTail {
    return {
      epoch,
      head,
      floor,
      events: records.map((record) => this.#eventOf(record)),
    };
  }

  #eventOf(record: LogRecord): LoggedEvent {
    const { at, hole, origin, number } = record;
    const none = {
      origin,
      number,
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
        origin,
        number,
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
