import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import { nanoid } from "nanoid";
import type { Appended, BackplaneLog, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";
import { isOutrun, isRefusal, type JetStream, type StoredMessage } from "./jet-stream.ts";
import {
  decodeEntries,
  encodeEntries,
  ENTRIES,
  holeOf,
  placeAt,
  placeOf,
  recordsOf,
  seqOf,
  SPAN,
  type LogMessage,
} from "./log-message.ts";
import { RefusedError } from "./requests.ts";
import { logSubjectOf, streamOf, tokenOf } from "./subject.ts";

/** Length of an epoch: enough that no two logs ever have the same one. */
const EPOCH_LENGTH = 12;

/** What a message takes at most beside its payload, and the names and values of its headers, in bytes. */
const HEADER_BYTES = 64;

/** What an entry takes at most beside its envelope, in bytes. */
const ENTRY_BYTES = 32;

/** The header without which a message is stored behind any other. */
const EXPECTED = "Nats-Expected-Last-Subject-Sequence";

const ID = "Nats-Msg-Id";

/** The most channels whose last message is remembered. */
const MAX_HEADS = 10_000;

/** The number of parts in which a long log is read at a time, and the least number of messages of one. */
const WIDTH = 8;
const LEAST_PART = 8;

/** How often an append that others have outrun tries again to be stored behind the end of the log as it knows it. */
const MAX_OUTRUN = 3;

/** How often an append looks for the end of a log that others begin at the same time. */
const MAX_ATTEMPTS = 10;

/** The last message of a log. */
interface Found {
  readonly stream: string;
  readonly subject: string;
  readonly last: LogMessage;
  readonly time: number;
}

/** A message of a stream that this node has seen. */
interface Seen {
  readonly seq: number;
  readonly id: string;
}

/** The last message that this node has seen of each stream, by its name, also on earlier connections. */
export type SeenMessages = Map<string, Seen & { readonly created: string }>;

export interface NatsLogParts {
  readonly jetStream: JetStream;
  readonly prefix: string;
  /** The size of the largest message that the server takes, in bytes. */
  readonly maxBytes: number;
  readonly createHeaders: () => MsgHdrs;
  readonly seen: SeenMessages;
}

/**
 * The logs of channels in JetStream: a stream for all logs with the same limits, and a subject of it for each log. What is
 * stored, the server publishes again on the subject of the channel.
 *
 * An epoch is in each message of its log. The message that begins one is only stored if there is no other, and later ones are
 * stored behind the message that this node knows as the last: so all nodes agree, without anything that could be out of step
 * with the stream. See `docs/decisions/0044-logs-of-nats.md`.
 */
export class NatsLog implements BackplaneLog {
  readonly #parts: NatsLogParts;
  /** The last message of each channel, as far as this node knows. */
  readonly #heads = new Map<string, Pick<LogMessage, "epoch" | "seq">>();
  #streams: readonly string[] = [];
  /** The checks of streams that are under way. */
  readonly #checks = new Map<string, Promise<void>>();
  /** When each stream was made that was checked on this connection. */
  readonly #created = new Map<string, string>();
  /** The last messages of streams that were not checked yet. */
  readonly #unchecked = new Map<string, Seen>();

  constructor(parts: NatsLogParts) {
    this.#parts = parts;
  }

  /** Reads a message of the subject of a channel; `undefined` if it is not of a log. */
  received(channel: string, { data, headers }: Msg): readonly LogRecord[] | undefined {
    const seq = Number(headers?.get("Nats-Sequence"));
    if (headers === undefined || !(seq > 0)) return undefined;
    const message = decodeEntries(seq, headers.get(ENTRIES), data);
    this.#note(channel, message);
    this.#see(headers.get("Nats-Stream"), { seq, id: headers.get(ID) });
    const last = Number(headers.get("Nats-Last-Sequence"));
    return recordsOf(message, !message.begins && last > 0 ? placeOf({ seq: last }) : before(message));
  }

  async append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    const places: Appended[] = [];
    try {
      const lookedBack = retry === undefined ? undefined : await this.#lookBack(channel, entries, retry);
      places.push(...(lookedBack?.places ?? []));
      const missing = entries.slice(places.length);
      const isKnown = lookedBack?.isKnown !== false;
      for (const part of this.#divide(
        isKnown ? missing : missing.map(({ origin, number }) => holeOf(origin, number)),
      )) {
        // oxlint-disable-next-line no-await-in-loop -- a refusal stops what follows
        const stored = await this.#store(channel, part, limits);
        places.push(...(isKnown ? stored : stored.map(() => "unknown" as const)));
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      while (places.length < entries.length) places.push("refused");
    }
    return places;
  }

  async read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    const { jetStream } = this.#parts;
    const found = await this.#find(channel);
    if (found === undefined) return undefined;
    const { stream, subject, last } = found;
    const { epoch } = last;
    const head = placeOf(last);
    const isSame = after.epoch === epoch;
    if (isSame && after.at === head) return { epoch, head, floor: head, records: [] };
    const oldest = { next_by_subj: subject, seq: 0 };
    const from = isSame ? seqOf(after.at) : ((await jetStream.get(stream, oldest))?.seq ?? 0);
    const walked = await this.#walk(found, from, last.seq, WIDTH);
    // What follows the first message that is still there was there all the time.
    const first = (await jetStream.get(stream, oldest))?.seq ?? Infinity;
    const kept = walked.filter(({ seq }) => seq >= first);
    if (isSame && (from > last.seq || (first <= from && kept[0]?.seq !== from))) {
      // The server had this position once, and has lost what was there.
      await this.forget(channel);
      return undefined;
    }
    // Nothing that was read is still there.
    if (kept.length === 0) return this.read(channel, after, most);
    const begin = kept.findLastIndex(({ begins }) => begins);
    const messages = begin === -1 ? kept : kept.slice(begin);
    const records: LogRecord[] = [];
    for (const message of messages) {
      records.push(...recordsOf(message, records.at(-1)?.at ?? before(message)));
    }
    if (isSame && messages[0]?.seq === from) {
      const behind = records.filter(({ at }) => at > after.at).slice(0, most);
      return { epoch, head, floor: begin === -1 ? after.at : 0, records: behind };
    }
    // What is before the oldest message cannot be known: it is as good as trimmed, and only what follows it is whole.
    const floor = begin === -1 && messages[0] !== undefined ? placeOf(messages[0]) : 0;
    return { epoch, head, floor, records: records.filter(({ at }) => at > floor).slice(-most) };
  }

  async heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    const all = await Promise.all(channels.map((channel) => this.#find(channel)));
    return all.map((found) => found && { epoch: found.last.epoch, at: placeOf(found.last) });
  }

  async forget(channel: string): Promise<void> {
    const { jetStream, prefix } = this.#parts;
    this.#heads.delete(channel);
    await this.#learnStreams();
    const token = tokenOf(channel);
    await Promise.all(this.#streams.map((stream) => jetStream.purge(stream, logSubjectOf(prefix, stream, token))));
  }

  /**
   * Looks for entries that may have been appended before. Returns the places of the first of them, and whether it is known
   * that the others were not.
   */
  async #lookBack(
    channel: string,
    entries: readonly LogEntry[],
    retry: LogPosition,
  ): Promise<{ readonly places: readonly Appended[]; readonly isKnown: boolean }> {
    const tail = await this.read(channel, retry, Infinity);
    const own = (tail?.records ?? []).filter(({ origin }) => origin === entries[0]?.origin);
    const newest = own.at(-1);
    const places = entries
      .filter(({ number }) => number <= (newest?.number ?? 0))
      .map(({ number }) => appendedOf(own.find((record) => record.number === number)));
    const isWhole = tail === undefined || tail.floor === 0 || (tail.epoch === retry.epoch && tail.floor <= retry.at);
    return { places, isKnown: isWhole || newest !== undefined };
  }

  /** Divides entries into parts that each are stored as one message, and so all or none of them. */
  *#divide(entries: readonly LogEntry[]): Generator<readonly LogEntry[]> {
    let part: LogEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const size = entry.envelope.byteLength + ENTRY_BYTES;
      if (part.length > 0 && (part.length === SPAN || bytes + size > this.#parts.maxBytes / 2)) {
        yield part;
        [part, bytes] = [[], 0];
      }
      part.push(entry);
      bytes += size;
    }
    if (part.length > 0) yield part;
  }

  /** Stores entries as one message. */
  async #store(channel: string, entries: readonly LogEntry[], limits: LogLimits): Promise<readonly Appended[]> {
    const { createHeaders, jetStream, maxBytes, prefix } = this.#parts;
    const stream = streamOf(prefix, limits);
    const subject = logSubjectOf(prefix, stream, tokenOf(channel));
    await this.#check(stream);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the one before
      const head = this.#heads.get(channel) ?? (await this.#end(channel, stream));
      const epoch = head?.epoch ?? nanoid(EPOCH_LENGTH);
      const { header, id, payload } = encodeEntries(epoch, head === undefined, entries);
      const fields = {
        [ENTRIES]: header,
        [ID]: `${id}/${tokenOf(channel)}`,
        // Among many that append at the same time, one that is always late has to do without.
        ...(head !== undefined && attempt > MAX_OUTRUN ? undefined : { [EXPECTED]: `${head?.seq ?? 0}` }),
      };
      const size = Object.entries(fields).reduce(
        (sum, [name, value]) => sum + name.length + value.length,
        payload.byteLength,
      );
      if (size + HEADER_BYTES > maxBytes) throw new RefusedError(`The server takes no message of ${size} bytes.`);
      const headers = createHeaders();
      for (const [name, value] of Object.entries(fields)) headers.set(name, value);
      try {
        // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the one before
        const { seq, isDuplicate } = await jetStream.store(limits, subject, payload, headers);
        const message = { seq, epoch, begins: head === undefined, entries };
        // oxlint-disable-next-line no-await-in-loop -- this is the end of the loop
        if (isDuplicate) return await this.#placesIn(stream, subject, seq, entries);
        this.#note(channel, message);
        this.#see(stream, { seq, id: fields[ID] });
        return entries.map((_, index) => ({ epoch, at: placeAt(message, index) }));
      } catch (error) {
        if (!isOutrun(error)) throw error;
        this.#heads.delete(channel);
      }
    }
    throw new Error("Other nodes begin the log of the same channel again and again.");
  }

  /** Returns the places of entries that a message has which was stored before. */
  async #placesIn(
    stream: string,
    subject: string,
    seq: number,
    entries: readonly LogEntry[],
  ): Promise<readonly Appended[]> {
    const stored = await this.#parts.jetStream.get(stream, { next_by_subj: subject, seq });
    const records = stored?.seq === seq ? recordsOf(messageOf(stored), 0) : [];
    return entries.map(({ number }) => appendedOf(records.find((record) => record.number === number)));
  }

  /** Returns the end of the log of a channel in a stream. One in another stream is of other limits, and ends. */
  async #end(channel: string, stream: string): Promise<LogMessage | undefined> {
    const found = await this.#find(channel);
    if (found === undefined || found.stream === stream) return found?.last;
    await this.forget(channel);
    return undefined;
  }

  /** Returns the last message of the log of a channel; `undefined` if there is no log. */
  async #find(channel: string): Promise<Found | undefined> {
    const known = this.#streams;
    const found = await this.#findIn(known, channel);
    if (found !== undefined) return found;
    await this.#learnStreams();
    return this.#findIn(
      this.#streams.filter((stream) => !known.includes(stream)),
      channel,
    );
  }

  async #findIn(streams: readonly string[], channel: string): Promise<Found | undefined> {
    const { jetStream, prefix } = this.#parts;
    const token = tokenOf(channel);
    const all = await Promise.all(
      streams.map(async (stream): Promise<Found[]> => {
        const subject = logSubjectOf(prefix, stream, token);
        await this.#check(stream);
        const stored = await jetStream.get(stream, { last_by_subj: subject });
        if (stored !== undefined) this.#see(stream, { seq: stored.seq, id: stored.headers.get(ID) ?? "" });
        return stored === undefined ? [] : [{ stream, subject, last: messageOf(stored), time: stored.time }];
      }),
    );
    // Where the limits have changed, a node that knows the earlier ones may have appended once more.
    return all.flat().toSorted((one, other) => other.time - one.time)[0];
  }

  async #learnStreams(): Promise<void> {
    const { jetStream } = this.#parts;
    this.#streams = await jetStream.streams();
  }

  /** Reads the messages from one place in a stream to another, several parts of it at a time. */
  async #walk(found: Found, from: number, to: number, width: number): Promise<readonly LogMessage[]> {
    if (width > 1 && to - from >= LEAST_PART) {
      const middle = from + Math.floor((to - from) / 2);
      const parts = [this.#walk(found, from, middle, width / 2), this.#walk(found, middle + 1, to, width / 2)];
      return (await Promise.all(parts)).flat();
    }
    const messages: LogMessage[] = [];
    for (let seq = from; seq <= to; seq++) {
      // oxlint-disable-next-line no-await-in-loop -- the server finds the next one behind the one before
      const stored = await this.#parts.jetStream.get(found.stream, { next_by_subj: found.subject, seq });
      if (stored === undefined || stored.seq > to) break;
      messages.push(messageOf(stored));
      ({ seq } = stored);
    }
    return messages;
  }

  /**
   * Checks, once for each connection, whether a stream still has what this node has seen of it. If it does not, the server has
   * lost the end of logs, and all logs of the stream end: others may have appended in the place of what was lost.
   */
  async #check(stream: string): Promise<void> {
    if (this.#created.has(stream)) return;
    let check = this.#checks.get(stream);
    if (check === undefined) this.#checks.set(stream, (check = this.#compare(stream)));
    try {
      await check;
    } finally {
      this.#checks.delete(stream);
    }
  }

  /** Compares a stream with what was seen of it. */
  async #compare(stream: string): Promise<void> {
    const { jetStream, seen } = this.#parts;
    const state = await jetStream.state(stream);
    const last = seen.get(stream);
    if (state === undefined) return;
    if (last?.created === state.created) {
      const stored = state.last < last.seq ? undefined : await jetStream.get(stream, { seq: last.seq });
      // What is not there any more was trimmed.
      const isLost = state.last < last.seq || (stored !== undefined && (stored.headers.get(ID) ?? "") !== last.id);
      if (isLost) await jetStream.purge(stream);
      if (isLost) seen.delete(stream);
    } else {
      seen.delete(stream);
    }
    this.#created.set(stream, state.created);
    const later = this.#unchecked.get(stream);
    if (later !== undefined) this.#see(stream, later);
  }

  /** Notes the last message that was seen of a stream. */
  #see(stream: string, { seq, id }: Seen): void {
    const created = this.#created.get(stream);
    if (created === undefined) this.#unchecked.set(stream, { seq, id });
    else if (seq > (this.#parts.seen.get(stream)?.seq ?? 0)) this.#parts.seen.set(stream, { seq, id, created });
  }

  /** Notes the last message of a channel. */
  #note(channel: string, { epoch, seq }: LogMessage): void {
    this.#heads.delete(channel);
    this.#heads.set(channel, { epoch, seq });
    if (this.#heads.size <= MAX_HEADS) return;
    for (const oldest of this.#heads.keys()) {
      this.#heads.delete(oldest);
      return;
    }
  }
}

function messageOf({ seq, headers, data }: StoredMessage): LogMessage {
  return decodeEntries(seq, headers.get(ENTRIES) ?? "", data);
}

/** Returns the place before a message that has none before it: one that nobody is at, unless it begins a log. */
function before(message: LogMessage): number {
  return message.begins ? 0 : placeAt(message, 0) - 1;
}

function appendedOf(record: LogRecord | undefined): Appended {
  return record === undefined || record.hole === true ? "unknown" : { epoch: record.epoch, at: record.at };
}
