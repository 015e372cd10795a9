import { HANDLED } from "./packet.ts";

/** What PROTOCOL.md says a server does with a message in JSON of a client that is in. */
export type Expectation =
  /** Nothing, at once or ever. */
  | { readonly answer: "none" }
  /** `hub:error` with this code; where there is none, the handler may fail with one, or not. */
  | { readonly answer: "error"; readonly code: string | undefined }
  /**
   * One reply with this number and, where there is one, this code. Of requests that a key makes the same, one is answered at
   * least: a client repeats them on another connection only.
   */
  | { readonly answer: "reply"; readonly id: number; readonly code: string | undefined; readonly sameAs: unknown };

const BAD_PACKET: Expectation = { answer: "error", code: "bad-packet" };

const NONE: Expectation = { answer: "none" };

/** Written from the document, not from the source. */
export function expectationOf(message: string | Buffer, takesMessages: boolean): Expectation {
  if (typeof message !== "string") return takesMessages ? NONE : { answer: "error", code: "unexpected-message" };
  const value = parsed(message);
  if (typeof value !== "object" || value === null || Array.isArray(value) || isTooDeep(value)) return BAD_PACKET;
  const { event, id, key, reply, error } = value as Readonly<Record<string, unknown>>;
  if (event === undefined) return isNumber(reply) && isError(error) ? NONE : BAD_PACKET;
  if (typeof event !== "string" || event === "" || event.length > 256 || !isWellFormed(event)) return BAD_PACKET;
  if (id !== undefined && !isNumber(id)) return BAD_PACKET;
  if (id !== undefined && key !== undefined && !isKey(key)) return BAD_PACKET;
  // Whatever comes with it, a sign of life is no more than that.
  if (event === "hub:pong") return NONE;
  const code = refusalOf(event);
  // Minus zero is zero.
  const sameAs = event.startsWith("hub:") ? undefined : key && JSON.stringify([event, key]);
  if (id !== undefined) return { answer: "reply", id: id + 0, code, sameAs };
  return { answer: "error", code };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalOf(event: string): string | undefined {
  if (["hub:join", "hub:leave", "kick", "terminate", ...HANDLED].includes(event)) return undefined;
  // The names that `listen` has made up.
  if (event.startsWith("own ")) return undefined;
  return event.startsWith("hub:") ? "reserved-event" : "unknown-event";
}

function isKey(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.length <= 64 && isWellFormed(value);
}

/** Whether there is no half of a surrogate pair without the other. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Whether arrays and objects are nested more than 512 deep. */
function isTooDeep(value: object): boolean {
  let level: readonly object[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === 512) return true;
    level = level.flatMap((outer) =>
      Object.values(outer).filter((inner) => typeof inner === "object" && inner !== null),
    );
  }
  return false;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isError(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Readonly<Record<string, unknown>>;
  return typeof code === "string" && typeof message === "string";
}
