import { WebSocket } from "ws";
import { Inbox } from "../../src/testing/inbox.ts";

/** What no server handles: its answer proves that nothing else was on its way. */
const FENCE = '{"event":"hub:fence","id":0}';
const FENCE_REPLY =
  '{"reply":0,"error":{"code":"reserved-event","message":"\\"hub:fence\\" is not an event that a client may send."}}';

/** What the placeholders of a document stand for. */
const PLACEHOLDERS = new Map([
  ["<id>", "[\\w-]{21}"],
  ["<n>", "\\d+"],
]);

/**
 * Plays the client's lines of an exchange against a server.
 *
 * @param origin - the server, such as `ws://127.0.0.1:8080`.
 * @param exchange - as section 10 of `docs/PROTOCOL.md` explains.
 * @returns what was really exchanged, up to the first line that is not as expected: all of `exchange`, if none is.
 */
export async function replay(origin: string, exchange: string): Promise<string> {
  const client = new LineClient(origin);
  const known = new Map<string, string>();
  const transcript: string[] = [];
  for (const line of exchange.trimEnd().split("\n")) {
    const text = line.slice(3);
    if (line.startsWith("C: ")) {
      client.write(fill(text, known));
      transcript.push(line);
    } else {
      transcript.push(`S: ${recognise(await client.read(), text, known)}`);
      if (transcript.at(-1) !== line) break;
    }
  }
  transcript.push(...(await client.rest()).map((text) => `S: ${text}`));
  return `${transcript.join("\n")}\n`;
}

function fill(text: string, known: ReadonlyMap<string, string>): string {
  return [...known].reduce((filled, [placeholder, value]) => filled.replaceAll(placeholder, value), text);
}

/** What was received, with the placeholders of what was expected. Learns what they stand for. */
function recognise(received: string | undefined, expected: string, known: Map<string, string>): string {
  if (received === undefined) return "<end>";
  for (const [placeholder, pattern] of PLACEHOLDERS) {
    const [before = "", after] = expected.split(placeholder, 2);
    const value = after === undefined ? null : new RegExp(`^${pattern}`).exec(received.slice(before.length));
    if (value !== null && !known.has(placeholder)) known.set(placeholder, value[0]);
  }
  return received === fill(expected, known) ? expected : received;
}

/** A bare WebSocket client that speaks and hears the lines of an exchange. */
class LineClient {
  readonly #origin: string;
  readonly #lines = new Inbox<string>();
  #socket: WebSocket | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  write(line: string): void {
    const [, verb, rest = ""] = /^<(connect|binary|close) ?(.*)>$/.exec(line) ?? [];
    if (verb === "connect") this.#connect(rest);
    else if (verb === "binary") this.#socket?.send(Buffer.from(rest.replaceAll(" ", ""), "hex"));
    else if (verb === "close") this.#socket?.close(Number(rest.slice(0, 4)), rest.slice(5));
    else this.#socket?.send(line);
  }

  read(): Promise<string | undefined> {
    return this.#lines.next();
  }

  /** Everything that is still to come. The connection is cut then. */
  async rest(): Promise<readonly string[]> {
    const open = this.#socket?.readyState === WebSocket.OPEN;
    if (open) this.#socket?.send(FENCE);
    const lines: string[] = [];
    for (let line = await this.read(); line !== undefined && line !== FENCE_REPLY; line = await this.read()) {
      lines.push(line);
    }
    this.#socket?.terminate();
    return lines;
  }

  #connect(request: string): void {
    const [path = "/", offer] = request.split(" offering ", 2);
    const socket = new WebSocket(`${this.#origin}${path}`, offer?.split(", ") ?? []);
    this.#socket = socket;
    let refused = false;
    socket.on("open", () => this.#lines.push(tag("accept", socket.protocol)));
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      this.#lines.push(isBinary ? tag("binary", bytes.toString("hex").replaceAll(/..\B/g, "$& ")) : bytes.toString());
    });
    socket.on("unexpected-response", (_request, { statusCode }) => {
      refused = true;
      this.#lines.push(tag("refuse", String(statusCode)));
      socket.terminate();
    });
    // Whatever it is, the connection closes after it.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      if (!refused) this.#lines.push(tag("close", `${code} ${reason.toString()}`.trimEnd()));
      this.#lines.end();
    });
  }
}

function tag(verb: string, rest: string): string {
  return rest === "" ? `<${verb}>` : `<${verb} ${rest}>`;
}
