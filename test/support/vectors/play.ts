import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Known, recognise } from "./notation.ts";
import type { ScriptServer } from "./script-server.ts";
import type { Subject } from "./subject.ts";
import type { Case, ClientStep, WireStep } from "./vectors.ts";

/** How a client under test is made. */
export interface SubjectSettings {
  readonly url: string;
  readonly auth: unknown;
  /** The subprotocol that the client offers. */
  readonly subprotocol: string;
  readonly stableAfter?: number;
}

/** One vector for clients, played by a server to a client under test. */
export class Play {
  readonly #server: ScriptServer;
  readonly #create: (settings: SubjectSettings) => Subject;
  readonly #known = new Known();
  #subject: Subject | undefined;

  constructor(server: ScriptServer, create: (settings: SubjectSettings) => Subject) {
    this.#server = server;
    this.#create = create;
  }

  /** What really happened, up to the first step that is not as expected: all of `steps`, if none is. */
  async run({ settings, steps }: Case<ClientStep>): Promise<readonly ClientStep[]> {
    const transcript: ClientStep[] = [];
    for (const [index, step] of steps.entries()) {
      // The codec of a client is that which the step after its making offers.
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const happened = await this.#happens(step, subprotocolIn(steps[index + 1]), settings);
      transcript.push(happened as ClientStep);
      if (!isDeepStrictEqual(happened, step)) return transcript;
    }
    return [...transcript, ...(await this.#rest(requestsIn(steps)))];
  }

  async end(): Promise<void> {
    const closed = this.#subject?.close();
    await this.#server.stop();
    await closed;
  }

  async #happens(step: ClientStep, subprotocol: string, settings: object): Promise<unknown> {
    if ("call" in step) {
      if (step.call === "connect") {
        this.#subject = this.#create({
          url: `${this.#server.url}${step.path}`,
          auth: step.auth,
          subprotocol,
          ...settings,
        });
      } else this.#subject?.perform(step);
      return step;
    }
    if ("wait" in step) {
      await delay(step.wait);
      return step;
    }
    if (!("from" in step)) return this.#subject?.see(step);
    if (step.from === "server") {
      this.#server.write(step, this.#known);
      return step;
    }
    if ("connect" in step) this.#known.connect();
    const said = recognise(comparable(await this.#server.read(), step), step, this.#known);
    // However the client ends a connection that it gives up.
    return "cut" in step && Object.hasOwn(said as object, "close") ? step : said;
  }

  /** What the client has said and heard besides. The answer to a ping proves that nothing else was on its way. */
  async #rest(requests: ReadonlySet<string>): Promise<readonly ClientStep[]> {
    const said: WireStep[] = [];
    if (this.#server.isOpen) {
      this.#server.write({ from: "server", packet: { event: "hub:ping" } }, this.#known);
      const pong = { from: "client", packet: { event: "hub:pong" } };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let step = await this.#server.read(); step !== undefined; step = await this.#server.read()) {
        if (isDeepStrictEqual(step, pong)) break;
        said.push(step);
      }
    }
    return [...said, ...((await this.#subject?.rest(requests)) ?? [])];
  }
}

/**
 * Leaves out the home of a hello where the vector has none, because a client need not tell it, and what a position has
 * besides `stream` and `at`, because a client may send back what it was told.
 */
function comparable(said: WireStep | undefined, expected: WireStep): WireStep | undefined {
  const { data, ...packet } = packetIn(said);
  if (said === undefined || data === undefined || !isRequest(packet.event)) return said;
  const { home, since, ...rest } = data;
  const hasHome =
    home !== undefined && (packet.event !== "hub:hello" || packetIn(expected).data?.["home"] !== undefined);
  return {
    from: said.from,
    packet: {
      ...packet,
      data: { ...rest, ...(hasHome ? { home } : {}), ...(since === undefined ? {} : { since: positionsIn(since) }) },
    },
  };
}

/** Whether an event says where a client was. */
function isRequest(event: string | undefined): boolean {
  return event === "hub:hello" || event === "hub:join";
}

function positionsIn(since: unknown): object {
  const positions = Object.entries(since as Readonly<Record<string, { readonly stream: string; readonly at: number }>>);
  return Object.fromEntries(positions.map(([room, { stream, at }]) => [room, { stream, at }]));
}

function packetIn(step: WireStep | undefined): {
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
} {
  return (step !== undefined && "packet" in step ? step.packet : {}) as ReturnType<typeof packetIn>;
}

function subprotocolIn(step: ClientStep | undefined): string {
  return (step !== undefined && "offer" in step && step.offer?.[0]) || "";
}

/** The events by which the server asks for replies. */
function requestsIn(steps: readonly ClientStep[]): ReadonlySet<string> {
  const packets = steps.map((step) => ("packet" in step && step.from === "server" ? step.packet : {}));
  return new Set(
    packets.flatMap((packet) => {
      const { event, id } = packet as { readonly event?: string; readonly id?: number };
      return event === undefined || id === undefined ? [] : [event];
    }),
  );
}
