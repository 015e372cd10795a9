import type { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { WebSocket } from "ws";
import { Inbox } from "../../../src/testing/inbox.ts";
import { messageOf, stepOf } from "../../support/vectors/message.ts";
import { Known, recognise } from "../../support/vectors/notation.ts";
import type { WireStep } from "../../support/vectors/vectors.ts";

/** The code that an end reports for a close frame without one. */
const NO_CODE = 1005;

/** What no server handles: its answer proves that nothing else was on its way. */
const FENCE: WireStep = { from: "client", packet: { event: "hub:fence", id: 0 } };
const FENCE_REPLY: WireStep = {
  from: "server",
  packet: {
    reply: 0,
    error: { code: "reserved-event", message: '"hub:fence" is not an event that a client may send.' },
  },
};

/**
 * Plays the client's steps of a vector against a server.
 *
 * @param origin - the server, such as `ws://127.0.0.1:8080`.
 * @returns what was really exchanged, up to the first step that is not as expected: all of `steps`, if none is.
 */
export async function replay(origin: string, steps: readonly WireStep[]): Promise<readonly WireStep[]> {
  const known = new Known();
  const transcript: WireStep[] = [];
  let client: StepClient | undefined;
  for (const step of steps) {
    if (step.from === "client") {
      if ("connect" in step) {
        known.connect();
        client = new StepClient(`${origin}${step.connect}`, step.offer, step.origin);
      } else client?.write(step, known);
      transcript.push(step);
    } else {
      const received = await receive(client, step, known);
      transcript.push(received as WireStep);
      if (!isDeepStrictEqual(received, step)) break;
    }
  }
  return [...transcript, ...((await client?.rest()) ?? [])];
}

/** What comes where a step of the server was expected: the step itself, if it fits. */
async function receive(client: StepClient | undefined, step: WireStep, known: Known): Promise<WireStep | undefined> {
  if ("some" in step) {
    const packet: WireStep = { from: "server", packet: step.some };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    while (isDeepStrictEqual(recognise(await client?.peek(), packet, known), packet)) await client?.read();
    return step;
  }
  const received = await client?.read();
  if ("ends" in step)
    return received !== undefined && "close" in received && step.ends.includes(received.close) ? step : received;
  return recognise(received, step, known) as WireStep;
}

/** A bare WebSocket client that speaks and hears the steps of a vector. */
class StepClient {
  readonly #socket: WebSocket;
  readonly #steps = new Inbox<WireStep>();
  #next: Promise<WireStep | undefined> | undefined;

  constructor(url: string, offer: readonly string[] = [], origin?: string) {
    const socket = new WebSocket(url, [...offer], origin === undefined ? {} : { origin });
    this.#socket = socket;
    let refused = false;
    socket.on("open", () => this.#steps.push({ from: "server", accept: socket.protocol }));
    socket.on("message", (data: Buffer, isBinary) => {
      this.#steps.push(stepOf("server", isBinary ? data : data.toString(), socket.protocol));
    });
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => {
      refused = true;
      this.#steps.push({ from: "server", refuse: statusCode });
      socket.terminate();
    });
    // Whatever it is, the connection closes after it.
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      if (!refused) this.#steps.push({ from: "server", close: code, reason: reason.toString() });
      this.#steps.end();
    });
  }

  write(step: WireStep, known = new Known()): void {
    if ("close" in step && step.close === NO_CODE) this.#socket.close();
    else if ("close" in step) this.#socket.close(step.close, step.reason);
    else {
      const binary = "binary" in step || ("packet" in step && this.#socket.protocol === "roomcast.v1.msgpack");
      this.#socket.send(messageOf(step, this.#socket.protocol, known), { binary });
    }
  }

  read(): Promise<WireStep | undefined> {
    const next = this.peek();
    this.#next = undefined;
    return next;
  }

  /** What {@link read} will return. */
  peek(): Promise<WireStep | undefined> {
    this.#next ??= this.#steps.next();
    return this.#next;
  }

  /** Everything that is still to come. The connection is cut then. */
  async rest(): Promise<readonly WireStep[]> {
    if (this.#socket.readyState === WebSocket.OPEN) this.write(FENCE);
    const steps: WireStep[] = [];
    for (let step = await this.read(); step !== undefined; step = await this.read()) {
      if (isDeepStrictEqual(step, FENCE_REPLY)) break;
      steps.push(step);
    }
    this.#socket.terminate();
    return steps;
  }
}
