import { isCount, isInteger, isObject } from "../../checks/option-rules.ts";
import type { Appended, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";

/** What a session asks of the primary process, which answers with the number. */
export type Request = { readonly number: number } & (
  | {
      readonly type: "append";
      readonly channel: string;
      readonly entries: readonly LogEntry[];
      readonly limits: LogLimits;
      readonly retry?: LogPosition | undefined;
    }
  | { readonly type: "read"; readonly channel: string; readonly after: LogPosition; readonly most: number }
  | { readonly type: "heads"; readonly channels: readonly string[] }
  | { readonly type: "forget"; readonly channel: string }
  | { readonly type: "interested"; readonly channels: readonly string[] }
);

/** What is answered to a request: to `append`, `heads`, `read` and `interested`, and nothing to `forget`. */
export type Answer = readonly (Appended | undefined)[] | LogTail | readonly boolean[] | undefined;

/** A message of a session in a worker to the primary process. */
export type MessageToPrimary =
  /**
   * Opens the session. `bytes` shows whether bytes arrive as bytes. Without `log`, the session is of a release that hears no
   * logs.
   */
  | { readonly type: "hello"; readonly bytes: Uint8Array; readonly log?: boolean }
  | Request
  | { readonly type: "publish"; readonly channel: string; readonly envelope: Uint8Array }
  | { readonly type: "subscribe" | "unsubscribe"; readonly channels: readonly string[] }
  /** Asks for a pong, which follows when all earlier messages have been carried out. */
  | { readonly type: "ping"; readonly number: number }
  | { readonly type: "bye" };

/** A message of the primary process to a session. */
export type MessageToSession =
  /** Answers `hello`. Without `log`, the primary process is of a release that answers no requests. */
  | { readonly type: "welcome"; readonly log?: boolean }
  | { readonly type: "answer"; readonly number: number; readonly answer: Answer }
  | { readonly type: "recorded"; readonly channel: string; readonly record: LogRecord }
  | { readonly type: "pong"; readonly number: number }
  | { readonly type: "message"; readonly channel: string; readonly envelope: Uint8Array }
  /** Ends the session. */
  | { readonly type: "fault"; readonly reason: string };

/** The property that tells these messages from those of the application. */
const KEY = "roomcast:backplane";

/** A message as it is sent, with the number of its session: a worker may have several. */
export interface Wrapped<M> {
  readonly [KEY]: { readonly session: number; readonly message: M };
}

/** Prepares a message for sending. */
export function wrap<M>(session: number, message: M): Wrapped<M> {
  return { [KEY]: { session, message } };
}

/** Returns whether a received message belongs to a session. The application has messages of its own. */
export function isOurs(value: unknown): value is { readonly [KEY]: unknown } {
  return isObject(value) && KEY in value;
}

/**
 * Reads a received message of a session. It may come from a process of another version, or from one that is broken.
 *
 * @param read - reads the message itself.
 * @returns `undefined` for the message, or for everything, where that cannot be read.
 */
export function unwrap<M>(
  { [KEY]: wrapped }: { readonly [KEY]: unknown },
  read: (message: Record<string, unknown>) => M | undefined,
): { readonly session: number; readonly message: M | undefined } | undefined {
  if (!isObject(wrapped) || !Number.isSafeInteger(wrapped["session"])) return undefined;
  const { session, message } = wrapped;
  return { session: session as number, message: isObject(message) ? read(message) : undefined };
}

/** Checks a message to the primary process. */
export function readInPrimary(message: Record<string, unknown>): MessageToPrimary | undefined {
  return isWellFormed(message, TO_PRIMARY) ? (message as unknown as MessageToPrimary) : undefined;
}

/** Checks a message to a session. */
export function readInSession(message: Record<string, unknown>): MessageToSession | undefined {
  return isWellFormed(message, TO_SESSION) ? (message as unknown as MessageToSession) : undefined;
}

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const isString = (value: unknown): boolean => typeof value === "string";
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);
const isPosition = (value: unknown): boolean =>
  isObject(value) && isString(value["epoch"]) && isInteger(value["at"], 0, Number.MAX_SAFE_INTEGER);
const isEntry = (value: unknown): boolean =>
  isObject(value) && isString(value["origin"]) && isCount(value["number"]) && isBytes(value["envelope"]);
const isRecord = (value: unknown): boolean =>
  isEntry(value) && isPosition(value) && isInteger((value as LogRecord).previous, 0, Number.MAX_SAFE_INTEGER);
const isTail = (value: unknown): boolean =>
  isObject(value) &&
  isString(value["epoch"]) &&
  [value["head"], value["floor"]].every(Number.isSafeInteger) &&
  Array.isArray(value["records"]) &&
  value["records"].every(isRecord);
const isPlace = (value: unknown): boolean => value === "unknown" || value === "refused" || isPosition(value);
const isAnswer = (value: unknown): boolean => {
  if (!Array.isArray(value)) return value === undefined || isTail(value);
  return value.every((one) => one === undefined || typeof one === "boolean" || isPlace(one));
};

const TO_PRIMARY: Readonly<Record<MessageToPrimary["type"], Fields>> = {
  // The answer to bytes that are none says what to do.
  hello: {},
  publish: { channel: isString, envelope: isBytes },
  subscribe: { channels: isStrings },
  unsubscribe: { channels: isStrings },
  ping: { number: Number.isSafeInteger },
  append: {
    number: Number.isSafeInteger,
    channel: isString,
    entries: (value) => Array.isArray(value) && value.every(isEntry),
    limits: (value) => isObject(value) && isCount(value["size"]) && isCount(value["age"]),
    retry: (value) => value === undefined || isPosition(value),
  },
  read: { number: Number.isSafeInteger, channel: isString, after: isPosition, most: isCount },
  heads: { number: Number.isSafeInteger, channels: isStrings },
  forget: { number: Number.isSafeInteger, channel: isString },
  interested: { number: Number.isSafeInteger, channels: isStrings },
  bye: {},
};

const TO_SESSION: Readonly<Record<MessageToSession["type"], Fields>> = {
  welcome: {},
  pong: { number: Number.isSafeInteger },
  message: { channel: isString, envelope: isBytes },
  answer: { number: Number.isSafeInteger, answer: isAnswer },
  recorded: { channel: isString, record: isRecord },
  fault: { reason: isString },
};

function isWellFormed(message: Record<string, unknown>, types: Readonly<Record<string, Fields>>): boolean {
  const { type } = message;
  if (typeof type !== "string" || !Object.hasOwn(types, type)) return false;
  return Object.entries(types[type] as Fields).every(([name, test]) => test(message[name]));
}
