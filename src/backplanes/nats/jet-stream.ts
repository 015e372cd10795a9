import { Buffer } from "node:buffer";
import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import { isObject } from "../../checks/option-rules.ts";
import { later } from "../../guard.ts";
import type { LogLimits } from "../backplane.ts";
import { isUnheard, RefusedError, type Requests } from "./requests.ts";
import { logSubjectOf, logSubjectsOf, streamOf } from "./subject.ts";

/** How the streams are kept that hold the logs. */
export interface StreamSettings {
  readonly storage: "file" | "memory";
  readonly replicas: number;
}

/** A message as a stream keeps it. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly data: Uint8Array;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
}

export interface StreamState {
  /** When it was made: a text, which another stream of the same name does not have. */
  readonly created: string;
  /** The number of the last message that it ever had. */
  readonly last: number;
}

/** What a stream has done with a message. */
export interface Stored {
  readonly seq: number;
  /** Whether the stream had the message before, by its id. */
  readonly isDuplicate: boolean;
}

const NO_JETSTREAM =
  "NATS has no JetStream for this account, which keeps the records of rooms. Enable it in the configuration of the servers, or leave out the option history.";

/** Least age of messages that a stream can have, in milliseconds. */
const LEAST_AGE = 100;

/** The time for which a stream knows the ids of its messages, in milliseconds. */
const DUPLICATE_WINDOW = 120_000;

const NANOSECONDS = 1_000_000;

// The numbers of errors.
const NOT_ENABLED = new Set<unknown>([10_039, 10_076]);
/** Those of a message, and of a stream, that is not there. */
const MISSING = new Set([10_037, 10_059]);
const OTHER_CONFIGURATION = 10_058;
const WRONG_LAST_SEQUENCE = 10_071;
/** Those of a cluster that is about to elect a leader. */
const PASSING = new Set([10_008, 10_009]);

/** How often a message is handed to a stream that nobody hears, and the pause behind the second attempt and each later one. */
const ATTEMPTS = 5;
const PAUSE = 50;

/** JetStream has answered that it does not do something. */
class JetStreamError extends Error {
  readonly number: number;

  constructor(message: string, number: number) {
    super(message);
    this.number = number;
  }
}

/** Returns whether an error says for sure that something was not done, and will not be done soon. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RefusedError || (error instanceof JetStreamError && !PASSING.has(error.number));
}

/** Returns whether a message was not stored because the last of its subject is another one than was expected. */
export function isOutrun(error: unknown): boolean {
  return error instanceof JetStreamError && error.number === WRONG_LAST_SEQUENCE;
}

/** The streams of JetStream that keep logs, by plain requests: see the JetStream API of NATS. */
export class JetStream {
  readonly #requests: Requests;
  readonly #prefix: string;
  readonly #settings: StreamSettings;
  /** The streams that are known to exist. */
  readonly #made = new Map<string, Promise<void>>();

  constructor(requests: Requests, prefix: string, settings: StreamSettings) {
    this.#requests = requests;
    this.#prefix = prefix;
    this.#settings = settings;
  }

  /** Returns the names of the streams that keep logs. */
  async streams(): Promise<readonly string[]> {
    const { streams } = await this.#call("STREAM.NAMES", { subject: logSubjectsOf(this.#prefix) });
    // It is `null` if there are none.
    return Array.isArray(streams) ? (streams as readonly string[]) : [];
  }

  /** Returns the state of a stream; `undefined` if there is none. */
  async state(stream: string): Promise<StreamState | undefined> {
    const answer = await this.#look(`STREAM.INFO.${stream}`, {});
    if (answer === undefined) return undefined;
    const { created, state } = answer as { readonly created: string; readonly state: { readonly last_seq: number } };
    return { created, last: state.last_seq };
  }

  /** Returns a message of a stream; `undefined` if there is none. */
  async get(
    stream: string,
    which: { readonly last_by_subj: string } | { readonly next_by_subj?: string; readonly seq: number },
  ): Promise<StoredMessage | undefined> {
    const answer = await this.#look(`STREAM.MSG.GET.${stream}`, which);
    if (answer === undefined) return undefined;
    const { subject, seq, hdrs = "", data = "", time } = answer["message"] as Record<string, string>;
    return {
      subject: subject as string,
      seq: Number(seq),
      headers: new Map(Buffer.from(hdrs, "base64").toString().split("\r\n").map(fieldOf)),
      data: Buffer.from(data, "base64"),
      time: Date.parse(time as string),
    };
  }

  /** Removes all messages from a stream, or all with a subject. */
  async purge(stream: string, subject?: string): Promise<void> {
    await this.#look(`STREAM.PURGE.${stream}`, { filter: subject });
  }

  /** Stores a message in the stream for such limits, which is made if it is not there. */
  async store(limits: LogLimits, subject: string, payload: Uint8Array, headers: MsgHdrs): Promise<Stored> {
    for (let attempt = 1; ; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- there are a few attempts at most
      await this.#make(limits);
      // oxlint-disable-next-line no-await-in-loop
      const answer = await this.#requests.ask(subject, payload, headers);
      if (!isUnheard(answer)) {
        const { seq, duplicate } = read(answer);
        return { seq: Number(seq), isDuplicate: duplicate === true };
      }
      if (attempt === ATTEMPTS) throw new Error("The stream of JetStream does not answer.");
      // It was deleted, or was made so recently that it does not hear yet.
      this.#made.delete(streamOf(this.#prefix, limits));
      // oxlint-disable-next-line no-await-in-loop
      if (attempt > 1) await new Promise<void>((resolve, reject) => later({ error: reject }, attempt * PAUSE, resolve));
    }
  }

  /** Makes the stream for such limits, unless it is there. */
  #make(limits: LogLimits): Promise<void> {
    const name = streamOf(this.#prefix, limits);
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = this.#create(name, limits);
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }

  async #create(name: string, limits: LogLimits): Promise<void> {
    const subject = logSubjectOf(this.#prefix, name, "*");
    const { storage, replicas } = this.#settings;
    // A position is one entry more, and may be as much older than the entries behind it as a log may be silent.
    const age = Math.max(2 * limits.age, LEAST_AGE);
    const configuration = {
      name,
      description: "The records of rooms, kept by roomcast",
      subjects: [subject],
      storage,
      num_replicas: replicas,
      retention: "limits",
      discard: "old",
      max_msgs_per_subject: limits.size + 1,
      max_age: toNanoseconds(age),
      duplicate_window: toNanoseconds(Math.min(DUPLICATE_WINDOW, age)),
      republish: { src: subject, dest: `${this.#prefix}.$1` },
    };
    try {
      await this.#call(`STREAM.CREATE.${name}`, configuration);
    } catch (error) {
      // Somebody has moved it, or changed its number of replicas.
      if (!(error instanceof JetStreamError && error.number === OTHER_CONFIGURATION)) throw error;
    }
  }

  /** Calls a function of something that may not be there. */
  async #look(name: string, body: unknown): Promise<Record<string, unknown> | undefined> {
    try {
      return await this.#call(name, body);
    } catch (error) {
      if (error instanceof JetStreamError && MISSING.has(error.number)) return undefined;
      throw error;
    }
  }

  async #call(name: string, body: unknown): Promise<Record<string, unknown>> {
    const answer = await this.#requests.ask(`$JS.API.${name}`, JSON.stringify(body));
    if (isUnheard(answer)) throw new JetStreamError(NO_JETSTREAM, 0);
    return read(answer);
  }
}

function toNanoseconds(milliseconds: number): number {
  return Math.min(milliseconds * NANOSECONDS, Number.MAX_SAFE_INTEGER);
}

/** Reads a line of headers. */
function fieldOf(line: string): [name: string, value: string] {
  const end = line.indexOf(":");
  return [line.slice(0, end), line.slice(end + 1).trim()];
}

function read(message: Msg): Record<string, unknown> {
  const answer = message.json<Record<string, unknown>>();
  const { error } = answer;
  if (!isObject(error)) return answer;
  const { err_code: number, description } = error;
  const text = String(description);
  throw new JetStreamError(
    NOT_ENABLED.has(number) ? `${NO_JETSTREAM} (${text})` : `JetStream: ${text}.`,
    Number(number),
  );
}
