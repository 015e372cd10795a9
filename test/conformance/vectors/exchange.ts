import type { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { WebSocket } from "ws";
import { Inbox } from "../../../src/testing/inbox.ts";
import { messageOf, stepOf } from "../../support/vectors/message.ts";
import { recognise, type Known } from "../../support/vectors/notation.ts";
import type { WireStep } from "../../support/vectors/vectors.ts";

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
  const known: Known = new Map();
  const transcript: WireStep[] = [];
  let client: StepClient | undefined;
  for (const step of steps) {
    if (step.from === "client") {
      if ("connect" in step) client = new StepClient(`${origin}${step.connect}`, step.offer);
      else client?.write(step, known);
      transcript.push(step);
    } else {
      const received = recognise(await client?.read(), step, known) as WireStep;
      transcript.push(received);
      if (!isDeepStrictEqual(received, step)) break;
    }
  }
  return [...transcript, ...((await client?.rest()) ?? [])];
}

/** A bare WebSocket client that speaks and hears the steps of a vector. */
class StepClient {
  readonly #socket: WebSocket;
  readonly #steps = new Inbox<WireStep>();

  constructor(url: string, offer: readonly string[] = []) {
    const socket = new WebSocket(url, [...offer]);
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

  write(step: WireStep, known: Known = new Map()): void {
    if ("close" in step) this.#socket.close(step.close, step.reason);
    else this.#socket.send(messageOf(step, this.#socket.protocol, known));
  }

  read(): Promise<WireStep | undefined> {
    return this.#steps.next();
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
