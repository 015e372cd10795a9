import { connect, ReplyError, type Client, type ClientError } from "roomcast/client";
import type { Codec } from "../../../src/protocol/codec.ts";
import { WebSocket } from "ws";
import { notationOf, valueOf } from "../../support/vectors/notation.ts";
import { Subject, type StateChange } from "../../support/vectors/subject.ts";
import type { CallStep, SeenStep } from "../../support/vectors/vectors.ts";

/** The shortest and the longest time that is waited here, in milliseconds. */
const MIN_DELAY = 10;
const MAX_DELAY = 40;

const FAILURES: Readonly<Record<string, "remote" | "disconnected" | "closed">> = {
  ERR_CLIENT_REMOTE: "remote",
  ERR_CLIENT_DISCONNECTED: "disconnected",
  ERR_CLIENT_CLOSED: "closed",
};

/** An application of `roomcast/client`. */
export class Application extends Subject {
  readonly #client: Client;
  readonly #outcomes = new Map<string, Promise<SeenStep>>();

  constructor(
    url: string,
    auth: unknown,
    codec: Codec & { readonly protocol: string },
    settings: { readonly stableAfter?: number },
  ) {
    super();
    const reconnect = { minDelay: MIN_DELAY, maxDelay: MAX_DELAY, stableAfter: 0, ...settings };
    this.#client = connect(url, { auth, codec, WebSocket, reconnect });
    this.#client
      .on("hub:state", (change: StateChange) => this.states.push(change))
      .on("hub:error", ({ reason = "" }: ClientError) => this.heard.push({ hears: { error: reason } }))
      .on("hub:message", (message: string | Uint8Array) => this.heard.push({ hears: { text: String(message) } }))
      .on("hub:dropped", (data: { count: number }) => this.heard.push({ hears: { event: "hub:dropped", data } }))
      .on("hub:left", (data: { room: string }) => this.heard.push({ hears: { event: "hub:left", data } }))
      .on("hub:gap", ({ room, reason }) => this.heard.push({ hears: { gap: reason, room } }));
    void this.#listen();
  }

  override perform(step: Exclude<CallStep, { readonly call: "connect" }>): void {
    const client = this.#client;
    const data = "data" in step ? [valueOf(step.data)] : [];
    if (step.call === "emit") client.emit(step.event, ...data);
    else if (step.call === "send") client.send(step.text);
    else if (step.call === "close") void client.close(step.code, step.reason);
    else if (step.call === "handle") {
      client.handle(step.event, () => {
        if (step.error !== undefined) throw new ReplyError(step.error.code, step.error.message);
        return data[0];
      });
    } else if (step.call === "request") {
      const { idempotent = false } = step;
      this.#await(step.as, client.request(step.event, data[0], { idempotent }));
    } else this.#await(step.as, step.call === "join" ? client.join(step.room) : client.leave(step.room));
  }

  override close(): Promise<void> {
    return this.#client.close();
  }

  protected override async outcome(name: string): Promise<SeenStep | undefined> {
    return this.#outcomes.get(name);
  }

  protected override async settled(): Promise<void> {
    // What arrives is heard at once.
  }

  #await(name: string, promise: Promise<unknown>): void {
    const settled = promise.then(
      (value): SeenStep => (value === undefined ? { outcome: name } : { outcome: name, data: notationOf(value) }),
      ({ code, reason }: ClientError): SeenStep => {
        const failed = { outcome: name, fails: FAILURES[code] ?? "closed" } as const;
        return reason === undefined ? failed : { ...failed, code: reason };
      },
    );
    this.#outcomes.set(name, settled);
  }

  async #listen(): Promise<void> {
    for await (const { event, data, room } of this.#client.events()) {
      this.heard.push({
        hears: {
          event,
          ...(data === undefined ? {} : { data: notationOf(data) }),
          ...(room === undefined ? {} : { room }),
        },
      });
    }
  }
}
