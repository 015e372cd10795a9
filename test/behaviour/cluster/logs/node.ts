import type { LogPosition, LogRecord, LogTail } from "../../../../src/backplanes/backplane.ts";
import { LogReader } from "../../../../src/cluster/log-reader.ts";
import { LogWriter } from "../../../../src/cluster/log-writer.ts";
import type { LogGap, Novelty } from "../../../../src/members/room-feed.ts";
import { Line, type Engine } from "./engine.ts";

export type Told =
  | {
      readonly kind: "begun";
      readonly tail: LogTail | undefined;
      readonly gap: LogGap | undefined;
      readonly count: number;
    }
  | { readonly kind: "recorded"; readonly record: LogRecord; readonly novelty: Novelty };

/** An event of this node, and what became of it. */
export interface Sent {
  readonly channel: string;
  readonly origin: string;
  readonly number: number;
  place: LogPosition | "rejected" | undefined;
}

const LIMITS_AGE = 600_000;

/** A node as far as logs are concerned, and what its members were told. */
export class Node {
  readonly id: string;
  readonly line: Line;
  readonly reader: LogReader;
  readonly writer: LogWriter;
  readonly told: Map<string, Told[]> = new Map();
  readonly sent: Sent[] = [];
  readonly failures: unknown[] = [];

  constructor(engine: Engine, id: string, maxPendingBytes: number) {
    this.id = id;
    this.line = new Line(engine, {
      heard: (channel, record) => this.reader.take(channel, record),
      up: () => {
        this.reader.connected();
        this.writer.connected();
      },
      down: () => {
        this.reader.disconnected();
        this.writer.disconnected();
      },
    });
    const report = { failed: (error: unknown) => this.failures.push(error) };
    this.reader = new LogReader({
      log: this.line,
      clock: engine.timeline,
      report,
      listener: {
        begun: (channel, tail, gap) => {
          this.#tell(channel, { kind: "begun", tail, gap, count: engine.history.length });
          for (const record of tail?.records ?? []) this.#confirm(channel, record);
          this.writer.proceed(channel);
        },
        recorded: (channel, record, novelty) => {
          this.#tell(channel, { kind: "recorded", record, novelty });
          this.#confirm(channel, record);
        },
      },
    });
    const positionOf = (channel: string): LogPosition => this.reader.positionOf(channel);
    this.writer = new LogWriter({
      log: this.line,
      clock: engine.timeline,
      origin: id,
      maxPendingBytes,
      positionOf,
      isFollowed: (channel) => this.line.channels.has(channel),
      isHeld: () => false,
      report,
    });
  }

  follow(channel: string, size: number): void {
    this.line.channels.add(channel);
    this.reader.follow(channel, size);
  }

  emit(channel: string, size: number): void {
    const sent: Sent = { channel, origin: this.id, number: this.sent.length + 1, place: undefined };
    this.sent.push(sent);
    const envelope = new Uint8Array(100);
    this.writer.append(channel, { size, age: LIMITS_AGE }, envelope).then(
      (place) => (sent.place = place),
      () => (sent.place = "rejected"),
    );
  }

  #confirm(channel: string, record: LogRecord): void {
    if (record.origin === this.id) this.writer.heard(channel, record, { epoch: record.epoch, at: record.at });
  }

  #tell(channel: string, told: Told): void {
    const all = this.told.get(channel);
    if (all === undefined) this.told.set(channel, [told]);
    else all.push(told);
  }
}
