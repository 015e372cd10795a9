import { WireErrorCode } from "../../../../src/protocol/packet.ts";
import type { Expectation } from "./expectation.ts";

interface Packet {
  readonly event?: string;
  readonly reply?: number;
  readonly data?: { readonly code?: string };
  readonly error?: { readonly code: string };
}

/** What the application answers with. */
const OWN_CODES = ["forbidden", "refused"] as const;

const CODES: ReadonlySet<string> = new Set([...Object.values(WireErrorCode), ...OWN_CODES]);

/** What the server sends without being asked. */
const EVENTS: ReadonlySet<string> = new Set([
  "hub:welcome",
  "hub:ping",
  "hub:dropped",
  "tick",
  "news",
  "said",
  "key",
  "question",
]);

/** What the server answered, and whether that is what it has to. */
export class Answers {
  readonly outcomes: string[] = [];
  readonly complaints: string[] = [];
  readonly #replies = new Map<number, (string | undefined)[]>();
  readonly #errors = new Map<string, number>();

  /** `id` of the fence is none of the hostile packets'. */
  constructor(packets: readonly unknown[], fenceId: number) {
    for (const packet of packets as readonly Packet[]) {
      if (packet.reply === fenceId) continue;
      if (packet.reply !== undefined) this.#reply(packet.reply, packet.error?.code);
      else if (packet.event === "hub:error") this.#error(packet.data?.code ?? "");
      else if (!EVENTS.has(packet.event ?? "")) this.complaints.push(`It sent ${JSON.stringify(packet)}.`);
    }
  }

  /** Compares with what has to be: all of it, or, of a connection that ended early, no more than that. */
  compare(expectations: readonly Expectation[], isWhole: boolean): void {
    const codes = new Map<string, number>();
    const requests = new Map<number, Expectation[]>();
    let open = 0;
    for (const expectation of expectations) {
      if (expectation.answer === "reply") {
        requests.set(expectation.id, [...(requests.get(expectation.id) ?? []), expectation]);
      } else if (expectation.answer === "error" && expectation.code === undefined) open += 1;
      else if (expectation.answer === "error") {
        codes.set(expectation.code ?? "", (codes.get(expectation.code ?? "") ?? 0) + 1);
      }
    }
    for (const [code, count] of this.#errors) {
      const most = codes.get(code) ?? (BLAMES.has(code) ? 0 : open);
      if (count > most) this.complaints.push(`${count} times hub:error with ${code}, not ${most}.`);
    }
    if (isWhole) {
      for (const [code, count] of codes) {
        const sent = this.#errors.get(code) ?? 0;
        if (sent < count) this.complaints.push(`${sent} times hub:error with ${code}, not ${count}.`);
      }
    }
    this.#compareReplies(requests, isWhole);
  }

  #compareReplies(requests: ReadonlyMap<number, readonly Expectation[]>, isWhole: boolean): void {
    for (const [id, codes] of this.#replies) {
      if (codes.length > (requests.get(id)?.length ?? 0)) {
        this.complaints.push(`${codes.length} replies to ${requests.get(id)?.length ?? 0} requests with id ${id}.`);
      }
    }
    if (!isWhole) return;
    for (const [id, expected] of requests) {
      const sent = this.#replies.get(id) ?? [];
      const least = distinct(expected);
      if (sent.length < least) this.complaints.push(`${sent.length} replies to ${least} requests with id ${id}.`);
      for (const code of BLAMES) {
        const refused = expected.filter((expectation) => "code" in expectation && expectation.code === code).length;
        const told = sent.filter((reply) => reply === code).length;
        if (refused !== told) this.complaints.push(`${told} replies with ${code} to id ${id}, not ${refused}.`);
      }
    }
  }

  #reply(id: number, code: string | undefined): void {
    this.#replies.set(id, [...(this.#replies.get(id) ?? []), code]);
    this.outcomes.push(code === undefined ? "a reply" : `refused with ${code}`);
    this.#check(code);
  }

  #error(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    this.outcomes.push(`told of ${code}`);
    this.#check(code);
  }

  #check(code: string | undefined): void {
    if (code !== undefined && !CODES.has(code)) this.complaints.push(`The code ${code} is not documented.`);
  }
}

/** How many of the requests are not the same. */
function distinct(requests: readonly Expectation[]): number {
  const keys = requests.map((request) => ("sameAs" in request ? request.sameAs : undefined));
  const keyed = keys.filter((key) => key !== undefined);
  return keys.length - keyed.length + new Set(keyed).size;
}

/** What depends on the packet alone. */
const BLAMES: ReadonlySet<string> = new Set([
  WireErrorCode.badPacket,
  WireErrorCode.unexpectedMessage,
  WireErrorCode.unknownEvent,
  WireErrorCode.reservedEvent,
]);
