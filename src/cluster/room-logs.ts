import { Buffer } from "node:buffer";
import type { BackplaneLog, LogLimits, LogPosition, LogRecord, LogTail } from "../backplanes/backplane.ts";
import type { Codecs, Encoding } from "../delivery/codecs.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { HubError, messageOf } from "../errors.ts";
import { watch } from "../guard.ts";
import type { Audience } from "../members/audience.ts";
import type { Codec } from "../protocol/codec.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { roomChannel, roomOf } from "./channels.ts";
import { decodeBundle, encodeBundle, encodeFrames, type EncodedMessage, type FramesEnvelope } from "./envelope.ts";
import type { Interest } from "./interest.ts";
import { LogReader, type LogGap, type Novelty } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

/** An entry of the log of a room. */
export interface LoggedEvent {
  readonly at: number;
  /** The time when the event was sent, in milliseconds since 1970. */
  readonly time: number;
  /** The members that it is not for, and how it goes to the others. */
  readonly exceptRooms: readonly string[];
  readonly exceptSockets: readonly string[];
  readonly uncompressed: boolean;
  readonly key: string | undefined;
  /** The event in all codecs in their order; `undefined` for a hole, or where this node cannot read it. */
  readonly frames: readonly OutgoingFrame[] | undefined;
}

/** The end of the log of a room. */
export interface RoomTail {
  readonly epoch: string;
  readonly head: number;
  /** The position behind which there is every event. */
  readonly floor: number;
  readonly events: readonly LoggedEvent[];
}

/** Hears the logs of rooms: see {@link LogReader}. */
interface RoomLogListener {
  begun(room: string, tail: RoomTail | undefined, gap?: LogGap): void;
  recorded(room: string, event: LoggedEvent, novelty: Novelty): void;
}

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
  readonly listener: RoomLogListener;
  readonly report: ErrorReport;
}

/** The logs of rooms that the engine keeps: appends events to them, and follows those of the rooms that this node records. */
export class RoomLogs {
  readonly #parts: RoomLogsParts;
  readonly #reader: LogReader;
  readonly #writer: LogWriter;
  /** The rooms that are followed, and those whose channel is about to be subscribed to. */
  readonly #rooms = new Set<string>();

  constructor(parts: RoomLogsParts) {
    const { clock, listener, log, maxPendingBytes, report, self } = parts;
    this.#parts = parts;
    this.#reader = new LogReader({
      log,
      clock,
      report,
      listener: {
        begun: (channel, tail, gap) => {
          for (const record of tail?.records ?? []) this.#confirm(channel, record);
          listener.begun(roomOf(channel) as string, tail && this.#tailOf(tail), gap);
        },
        recorded: (channel, record, novelty) => {
          this.#confirm(channel, record);
          listener.recorded(roomOf(channel) as string, this.#eventOf(record), novelty);
        },
      },
    });
    this.#writer = new LogWriter({
      log,
      clock,
      origin: self,
      maxPendingBytes,
      positionOf: (channel) => this.#reader.positionOf(channel),
      report,
    });
  }

  connected(): void {
    this.#reader.connected();
    this.#writer.connected();
  }

  disconnected(): void {
    this.#reader.disconnected();
    this.#writer.disconnected();
  }

  /** Takes an entry that the engine hands over. */
  take(channel: string, record: LogRecord): void {
    this.#reader.take(channel, record);
  }

  /**
   * Follows the log of a room, and hears its channel for that.
   *
   * @param size - the number of events that are kept.
   */
  follow(room: string, size: number): void {
    if (this.#rooms.has(room)) return;
    const { interest, report } = this.#parts;
    const channel = roomChannel(room);
    this.#rooms.add(room);
    interest.hold(channel);
    const begin = async (): Promise<void> => {
      try {
        await interest.synced(channel);
      } catch {
        // Whoever joins is told that the record cannot be reached, and of the refusal the hub was told.
        return;
      }
      if (this.#rooms.has(room)) this.#reader.follow(channel, size);
    };
    watch(report, begin());
  }

  unfollow(room: string): void {
    if (!this.#rooms.delete(room)) return;
    const channel = roomChannel(room);
    this.#reader.unfollow(channel);
    this.#parts.interest.release(channel);
  }

  /** Appends an event to the log of a room. See {@link LogWriter.append}. */
  append(room: string, audience: Audience, encoding: Encoding, limits: LogLimits): Promise<LogPosition> {
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
    return this.#writer.append(roomChannel(room), limits, encodeBundle(self, [envelope]));
  }

  stop(): void {
    this.#reader.stop();
    this.#writer.stop();
    for (const room of this.#rooms) this.#parts.interest.release(roomChannel(room));
    this.#rooms.clear();
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
      key: undefined,
      frames: undefined,
    };
    if (hole === true) return none;
    try {
      const [envelope] = decodeBundle(record.envelope).envelopes;
      if (envelope?.kind !== "frames") throw new TypeError("It is no event.");
      const { manner, selection } = envelope;
      return {
        at,
        time: manner.time ?? 0,
        exceptRooms: selection.exceptRooms ?? [],
        exceptSockets: selection.exceptSockets ?? [],
        uncompressed: manner.uncompressed === true,
        key: manner.key,
        frames: this.#framesOf(envelope, at),
      };
    } catch (error) {
      const message = `This node does not understand an event of the record of a room, and tells of a gap. ${messageOf(error)}`;
      this.#parts.report.failed(new HubError("ERR_HUB_BACKPLANE", message, { cause: error }), "backplane");
      return none;
    }
  }

  #framesOf({ manner, messages }: FramesEnvelope, at: number): readonly OutgoingFrame[] {
    const { codecs, overload } = this.#parts;
    const encoded = new Map<Codec, string | Uint8Array>();
    for (const { protocol = "", binary, payload } of messages) {
      const codec = codecs.named(protocol);
      if (codec !== undefined) encoded.set(codec, binary ? payload : Buffer.from(payload).toString());
    }
    const { policy, key, uncompressed } = manner;
    return codecs.placed(encoded, at, policy === undefined ? overload : { policy, key }, uncompressed !== true);
  }
}
