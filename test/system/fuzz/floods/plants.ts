import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TransportName } from "roomcast";
import type { Installation } from "../../../support/installation.ts";

/** A fault that is put into the package, so that a flood has to find it. */
export interface Plant {
  readonly name: string;
  /** Where it is, in the package as it is built, and what takes the place of what. */
  readonly file: string;
  readonly edits: readonly (readonly [found: string, planted: string])[];
  readonly flood: string;
  /** How many pieces of the flood it takes, if more than usual. */
  readonly pieces?: number;
  /** Default: both. */
  readonly transport?: TransportName;
  /** What is complained about. */
  readonly complaint: RegExp;
}

const WEIGHT = "const weight = codec.weight(data, isBinary);";

export const PLANTS: readonly Plant[] = [
  {
    name: "Decoded data has no weight",
    file: "delivery/codecs.js",
    edits: [[WEIGHT, "const weight = 0;"]],
    flood: "awaiting, 200 KB of {}",
    complaint: /bytes that are held/,
  },
  {
    name: "Small indices in JSON have no weight",
    file: "delivery/codecs.js",
    edits: [[WEIGHT, "const weight = 0;"]],
    flood: "small indices, copied",
    complaint: /bytes that were allocated/,
  },
  {
    name: "Small indices in MessagePack have no weight",
    file: "delivery/codecs.js",
    edits: [[WEIGHT, "const weight = 0;"]],
    flood: "small indices in MessagePack",
    complaint: /bytes that were allocated/,
  },
  {
    name: "Handlers may be at work on any number of messages",
    file: "inbound/receiver.js",
    edits: [["if (handling >= limits.pendingRequests)", "if (false)"]],
    flood: "awaiting, 40 B",
    complaint: /messages that handlers are at work on/,
  },
  {
    name: "Rates never delay",
    file: "limits/rate-limits.js",
    edits: [["if (messages.level(now) >= 1 && bytes.level(now) > 0)", "if (true)"]],
    flood: "tiny events",
    pieces: 20_000,
    complaint: /calls of handlers/,
  },
  {
    name: "Rates begin anew with each connection",
    file: "limits/rate-limits.js",
    edits: [["park(client) {", "park(client) { return;"]],
    flood: "tiny events, reconnecting",
    complaint: /calls of handlers/,
  },
  {
    name: "Control frames cost nothing",
    file: "limits/rate-limits.js",
    edits: [["chargeControl(client) {", "chargeControl(client) { return true;"]],
    flood: "pongs",
    complaint: /Nobody was closed/,
  },
  {
    name: "Messages that wait count their bytes alone",
    file: "limits/inbox.js",
    edits: [["const RECORD_BYTES = 256;", "const RECORD_BYTES = 0;"]],
    flood: "empty messages",
    transport: "uws",
    complaint: /bytes that are held/,
  },
  {
    name: "Those who ask for the same are copied",
    file: "inbound/idempotency.js",
    edits: [
      [
        "return join(running.askers, asker) ? RUNNING : EXCESSIVE;",
        "{ running.list = [...(running.list ?? []), asker]; return RUNNING; }",
      ],
    ],
    flood: "repeats of one request",
    complaint: /bytes that were allocated/,
  },
  {
    name: "All rooms are copied to count them",
    file: "rooms/rooms.js",
    edits: [["const added =", "return new Set([...rooms, ...names]).size > most;\n    const added ="]],
    flood: "rooms beyond the limit",
    complaint: /bytes that were allocated/,
  },
  {
    name: "Places are given back before the descriptor is free",
    file: "hub/connections.js",
    edits: [
      ["this.#closing++;", ""],
      ["this.#closing--;", ""],
    ],
    flood: "many that are closed",
    // On the other, descriptors are free sooner than a test can look.
    transport: "uws",
    complaint: /descriptors/,
  },
  {
    name: "Ordinary connections are kept alive",
    file: "transports/ws/listening.js",
    edits: [
      ['.setHeader("Connection", "close")', ""],
      ["server.maxRequestsPerSocket = 1;", ""],
    ],
    flood: "ordinary requests that stay",
    transport: "ws",
    complaint: /descriptors/,
  },
  {
    name: "Any number of early bytes is kept",
    file: "transports/ws/early-bytes.js",
    edits: [["if (length > MOST_BYTES)", "if (false)"]],
    flood: "much before the answer",
    transport: "ws",
    complaint: /bytes that are held/,
  },
  {
    name: "Who has many answers pushes out those of others",
    file: "inbound/kept-replies.js",
    edits: [
      [
        "while (owner.oldest !== undefined && owner.bytes > maxBytesPerOwner)\n            this.#forgetEarly(owner.oldest);",
        "while (this.#oldest !== undefined && owner.bytes > maxBytesPerOwner) this.#forgetEarly(this.#oldest);",
      ],
    ],
    flood: "requests with many keys",
    complaint: /was forgotten/,
  },
  {
    name: "Who was closed for abuse is read on",
    file: "transports/ws/connection.js",
    edits: [["forsake() {", "forsake() { return;"]],
    flood: "much after the close",
    transport: "ws",
    complaint: /bytes after the close/,
  },
  {
    name: "All proxies that are named are read",
    file: "door/proxies.js",
    edits: [["count < MAX_PROXIES", "true"]],
    flood: "many proxies named",
    complaint: /More proxies were read/,
  },
];

/** Copies an installation and puts a fault into it. */
export function planted(installation: Installation, { file, edits }: Plant): Installation {
  const copy = installation.copy(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
  cpSync(join(installation.folder, "fuzz"), join(copy.folder, "fuzz"), { recursive: true });
  const path = join(copy.packageFolder("roomcast"), "dist", file);
  let source = readFileSync(path, "utf8");
  for (const [found, fault] of edits) {
    if (!source.includes(found)) throw new Error(`${file} has no "${found}" to put a fault in its place.`);
    source = source.replace(found, () => fault);
  }
  writeFileSync(path, source);
  return copy;
}
