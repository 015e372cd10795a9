import { Buffer } from "node:buffer";
import type { Appended, BackplaneLog, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";
import type { RedisClient } from "./copies.ts";
import { isDelay, isLogRefusal, isUnknownScript } from "./errors.ts";
import { decodeEntry, encodeEntry } from "./log-message.ts";
import { APPEND, READ, type Script } from "./scripts.ts";

/** The byte that begins a string in the protocol of Redis. The package makes text of these, unless it is told otherwise. */
const BLOB_STRING = 36;

/** What {@link APPEND} answers. */
type AppendAnswer = Buffer | FoundAnswer;
type FoundAnswer = readonly [epoch: Buffer, ...places: number[]];

/** What {@link READ} answers. */
type ReadAnswer = readonly [
  epoch: Buffer,
  head: number,
  floor: number,
  entries: readonly (readonly [id: Buffer, fields: readonly [name: Buffer, entry: Buffer]])[],
];

/** An epoch that no log ever has. */
const NO_EPOCH = "-";

const NOWHERE: LogPosition = { epoch: "", at: 0 };

/** The logs of a session. */
export class RedisLog implements BackplaneLog {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #fault: (error: unknown) => void;
  /** The epochs of the logs that were appended to. */
  readonly #epochs = new Map<string, string>();

  /** @param fault - called with an error after which the session cannot be used any more. */
  constructor(client: RedisClient, prefix: string, fault: (error: unknown) => void) {
    this.#client = client.withTypeMapping({ [BLOB_STRING]: Buffer });
    this.#prefix = prefix;
    this.#fault = fault;
  }

  async append(
    channel: string,
    entries: readonly LogEntry[],
    { size, age }: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]> {
    const known = retry === undefined ? this.#epochs.get(channel) : undefined;
    const next = known === undefined ? "" : known.replace(/-.*/, "-*");
    const tried = retry === undefined ? ["", ""] : [retry.epoch || NO_EPOCH, `${retry.at}`];
    const head = [`${size}`, `${age}`, next, known ?? "", ...tried];
    try {
      const answer = (await this.#run(APPEND, channel, [...head, ...entries.map(encodeEntry)])) as AppendAnswer;
      if (known !== undefined && answer instanceof Uint8Array) {
        const first = placeOf(answer);
        return entries.map((_, index) => ({ epoch: known, at: first + index }));
      }
      const [name, ...places] = answer as FoundAnswer;
      const epoch = name.toString();
      this.#epochs.set(channel, epoch);
      return places.map((place) => (place === 0 ? "unknown" : { epoch, at: place }));
    } catch (error) {
      if (isLogRefusal(error)) return entries.map(() => "refused");
      throw error;
    }
  }

  async read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined> {
    const answer = (await this.#run(READ, channel, [after.epoch, `${after.at}`, `${most}`])) as ReadAnswer | null;
    if (answer === null) return undefined;
    const [name, head, floor, entries] = answer;
    const epoch = name.toString();
    const records = entries.map(([id, [, entry]]): LogRecord => {
      const at = placeOf(id);
      // To everybody, what nobody can read is missing.
      const unreadable: LogRecord = { epoch, at, previous: at - 1, origin: "", number: 0, envelope: entry, hole: true };
      return decodeEntry(entry, { epoch, at }) ?? unreadable;
    });
    return { epoch, head, floor, records };
  }

  heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]> {
    return Promise.all(
      channels.map(async (channel) => {
        const tail = await this.read(channel, NOWHERE, 0);
        return tail && { epoch: tail.epoch, at: tail.head };
      }),
    );
  }

  async forget(channel: string): Promise<void> {
    await this.#guarded(() => this.#client.del(this.#prefix + channel));
  }

  /**
   * Has the epoch of every log looked for again. A server may have become a replica and a master again without losing its
   * connections, and holds other entries then.
   */
  refresh(): void {
    this.#epochs.clear();
  }

  #run({ text, sha }: Script, channel: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    const options = { keys: [this.#prefix + channel], arguments: args };
    return this.#guarded(async () => {
      try {
        return await this.#client.evalSha(sha, options);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        return this.#client.eval(text, options);
      }
    });
  }

  async #guarded<V>(command: () => Promise<V>): Promise<V> {
    try {
      return await command();
    } catch (error) {
      if (!isLogRefusal(error) && !isDelay(error)) this.#fault(error);
      throw error;
    }
  }
}

/** Returns the place of an entry that has this id. */
function placeOf(id: Buffer): number {
  return Number(id.toString().split("-")[1]);
}
