import { isDeepStrictEqual } from "node:util";
import { msgpackCodec } from "roomcast/msgpack";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { Application } from "./application.ts";
import { Known, recognise } from "../../support/vectors/notation.ts";
import { ScriptServer } from "./script-server.ts";
import { casesOf, VECTORS, type Case, type ClientStep, type WireStep } from "../../support/vectors/vectors.ts";

let server: ScriptServer;
let application: Application | undefined;

beforeEach(async () => {
  // A client that is to wait does wait; one that is not does not.
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  server = await ScriptServer.start();
});

afterEach(async () => {
  const closed = application?.client.close();
  application = undefined;
  await server.stop();
  await closed;
  vi.restoreAllMocks();
});

/** What really happened, up to the first step that is not as expected: all of `steps`, if none is. */
async function play({ settings, steps }: Case<ClientStep>): Promise<readonly ClientStep[]> {
  const known = new Known();
  const transcript: ClientStep[] = [];
  // The codec of a client is that which the step after its making offers.
  for (const [index, step] of steps.entries()) {
    const happened = await happens(step, codecFor(steps[index + 1]), settings, known);
    transcript.push(happened as ClientStep);
    if (!isDeepStrictEqual(happened, step)) return transcript;
  }
  return [...transcript, ...(await rest(known, requestsIn(steps)))];
}

async function happens(step: ClientStep, codec: typeof jsonCodec, settings: object, known: Known): Promise<unknown> {
  if ("call" in step) {
    if (step.call === "connect") application = new Application(`${server.url}${step.path}`, step.auth, codec, settings);
    else application?.perform(step);
    return step;
  }
  if (!("from" in step)) return application?.see(step);
  if (step.from === "server") {
    server.write(step, known);
    return step;
  }
  if ("connect" in step) known.connect();
  const said = recognise(await server.read(), step, known);
  // However the client ends a connection that it gives up.
  return "cut" in step && Object.hasOwn(said as object, "close") ? step : said;
}

function codecFor(step: ClientStep | undefined): typeof jsonCodec {
  const [offered] = (step !== undefined && "offer" in step && step.offer) || [];
  return offered === msgpackCodec.protocol ? msgpackCodec : jsonCodec;
}

/** What the client has said and heard besides. The answer to a ping proves that nothing else was on its way. */
async function rest(known: Known, requests: ReadonlySet<string>): Promise<readonly ClientStep[]> {
  const said: WireStep[] = [];
  if (server.isOpen) {
    server.write({ from: "server", packet: { event: "hub:ping" } }, known);
    const pong = { from: "client", packet: { event: "hub:pong" } };
    for (let step = await server.read(); step !== undefined; step = await server.read()) {
      if (isDeepStrictEqual(step, pong)) break;
      said.push(step);
    }
  }
  return [...said, ...(application?.rest(requests) ?? [])];
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

test.each(VECTORS.client.flatMap(casesOf))("$title", async (vector) => {
  expect(await play(vector)).toStrictEqual(vector.steps);
});
