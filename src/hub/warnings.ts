import process from "node:process";
import type { Refusal } from "../door/refusal.ts";
import { HubError, isInstance } from "../errors.ts";
import type { ErrorSource } from "../report.ts";
import type { Clock } from "../time/clock.ts";

/** The most warnings of one source within {@link MINUTE}. */
const MOST = 5;
const MINUTE = 60_000;
/** The most kinds that are remembered of one source. After this number of kinds it gets no more warnings. */
const MOST_KINDS = 1_000;
/** The most characters of a text, and lines of a stack, that are shown. */
const MOST_CHARACTERS = 500;
const MOST_FRAMES = 20;

/** What is wrong where code for another library throws: the source, the text of the error, and the advice. */
const HINTS: readonly (readonly [ErrorSource, RegExp, string])[] = [
  [
    "handler",
    /^TypeError: (?:ack|callback|cb|done|fn|respond) is not a function$/,
    " A handler gets no callback: what it returns is the reply.",
  ],
  [
    "authenticate",
    /^TypeError: Cannot (?:read properties of|destructure property .* as it is) undefined/,
    " handshake.auth is what the client gives, connect(url, { auth }), and undefined for clients that give nothing.",
  ],
  [
    "middleware",
    /^TypeError: Cannot (?:read properties of undefined \(reading|destructure property) '(?:address|auth|headers|query|session)'/,
    ' hub.use() runs around messages, with (call, next); for connections use the option "authenticate".',
  ],
];

/** The warnings of one source. */
interface Shown {
  readonly kinds: Set<string>;
  /** The times of the last ones, oldest first. */
  readonly times: number[];
}

/**
 * Makes process warnings of failures without a listener: one of each kind, and at most five of each source within a
 * minute. Where a handler takes any event, clients choose the kinds, and must not leave other sources without warnings.
 *
 * Their texts may contain a client's words, and warnings usually go to a terminal, so only printable ASCII is shown.
 */
export class Warnings {
  readonly #clock: Clock;
  /** The way to listen to failures, for the text of a warning. */
  readonly #remedy: string;
  readonly #sources = new Map<string, Shown>();

  constructor(clock: Clock, remedy: string) {
    this.#clock = clock;
    this.#remedy = remedy;
  }

  /** Warns of a failure. Its kind is its source, its event and, of a {@link HubError}, the code. */
  failed(error: unknown, source: ErrorSource, event = ""): void {
    const code = isInstance(error, HubError) ? error.code : "";
    if (!this.#mayShow(source, `${code} ${event}`)) return;
    const { text, frames } = describe(error);
    const subject = event === "" ? source : `${source}, "${printable(event)}"`;
    const hint = HINTS.find(([where, pattern]) => where === source && pattern.test(text))?.[2] ?? "";
    const message = `Unheard failure (${subject}): ${text} -${hint} Listen with ${this.#remedy}. Others like this are not shown.`;
    process.emitWarning(message, { type: "HubWarning", code: "HUB_UNHEARD_FAILURE", detail: frames });
  }

  /** Warns of a page that was refused for its origin; its kind is the advice. Other refusals need no warning. */
  refused({ reason, handshake, host = "", advice = "" }: Refusal): void {
    if (reason !== "origin" || !this.#mayShow(reason, advice)) return;
    const origin = printable(handshake.headers["origin"] ?? "");
    const message =
      `Unheard refusal: the option "origins" keeps pages of "${origin}" from the host "${printable(host)}". ` +
      `${advice} In a list it is the entry "${origin}", and "same" the server's own pages. ` +
      'Listen with hub.on("refusal", ...). Others like this are not shown. See docs/TROUBLESHOOTING.md of roomcast.';
    process.emitWarning(message, { type: "HubWarning", code: "HUB_UNHEARD_REFUSAL" });
  }

  /** Tells whether a warning of this kind is due, and counts it. */
  #mayShow(source: string, kind: string): boolean {
    const shown = this.#sources.get(source) ?? { kinds: new Set(), times: [] };
    this.#sources.set(source, shown);
    const { kinds, times } = shown;
    if (kinds.has(kind) || kinds.size >= MOST_KINDS) return false;
    const now = this.#clock.now();
    const [oldest = 0] = times;
    if (times.length === MOST) {
      if (now - oldest < MINUTE) return false;
      times.shift();
    }
    times.push(now);
    kinds.add(kind);
    return true;
  }
}

/** Returns what was thrown, and where, as printable text. Whatever is done with a thrown value can fail. */
function describe(error: unknown): { readonly text: string; readonly frames?: string } {
  try {
    if (!(error instanceof Error)) return { text: printable(String(error)) };
    return { text: printable(`${error.name}: ${error.message}`), frames: framesOf(String(error.stack), error.message) };
  } catch {
    return { text: "an error that cannot be shown" };
  }
}

/** Returns the lines behind the message in a stack. Lines of the message itself may only look like those of a stack. */
function framesOf(stack: string, message: string): string {
  const start = stack.indexOf(message);
  if (start === -1) return printable(stack);
  const lines = stack.slice(start + message.length).split("\n");
  const frames = lines.filter((line) => line.startsWith("    at "));
  return frames.slice(0, MOST_FRAMES).map(printable).join("\n");
}

/** Escapes what is not printable ASCII, such as line breaks, controls of terminals and marks that reverse text. */
function printable(text: string): string {
  const shown = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
  return shown.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
