import type { Random } from "../../../support/random.ts";
import type { HubName } from "../server/messages.ts";
import { badHello, goodHello } from "./hello.ts";
import { hostileBytes } from "./msgpack.ts";
import { hostileMessage } from "./packet.ts";

/** What one client sends. */
export interface Script {
  readonly hub: HubName;
  /** Who it says it is: somebody else than all others, because requests with a key are a user's. */
  readonly user: string;
  /** The subprotocol that it offers, if any. */
  readonly protocol: "" | "roomcast.v1.json" | "roomcast.v1.msgpack";
  /** The texts before it is in. */
  readonly greeting: readonly string[];
  /** Whether it is let in with that, so that the rest is sent. */
  readonly isGreeted: boolean;
  readonly messages: readonly (string | Buffer)[];
}

export function scriptOf(random: Random): Script {
  return random.weighted<(random: Random) => Script>([
    [12, plain],
    [4, library],
    [3, stranger],
    [4, packed],
    [0.5, flood],
    [0.5, greedy],
  ])(random);
}

function plain(random: Random): Script {
  const user = `user${random.between(0, 2 ** 32)}`;
  return { hub: hubFor(random), user, protocol: "", greeting: [], isGreeted: true, messages: messages(random) };
}

function library(random: Random): Script {
  const script = plain(random);
  return { ...script, protocol: "roomcast.v1.json", greeting: [goodHello(script.user)] };
}

function stranger(random: Random): Script {
  return { ...library(random), greeting: badHello(random), isGreeted: false, messages: [] };
}

function packed(random: Random): Script {
  const count = random.between(1, 80);
  return {
    ...library(random),
    protocol: "roomcast.v1.msgpack",
    messages: Array.from({ length: count }, () => hostileBytes(random)),
  };
}

/** More than that hub handles at a time: the rest waits. */
function flood(random: Random): Script {
  const event = random.pick(["echo", "later", "throw"]);
  return {
    ...plain(random),
    hub: "compressing",
    messages: Array.from({ length: 1_000 }, () => `{"event":"${event}"}`),
  };
}

/** Wants more at a time than it may have: answers, rooms, and the same answer again and again. */
function greedy(random: Random): Script {
  const requests = Array.from({ length: random.between(17, 60) }, (_, id) => `{"event":"later","id":${id}}`);
  const rooms = Array.from({ length: random.between(9, 20) }, (_, id) => {
    return `{"event":"hub:join","id":${id + 500},"data":{"room":"room ${id}"}}`;
  });
  const large = `{"event":"echo","id":901,"key":"large","data":"${"x".repeat(20_000)}"}`;
  const repeated = Array.from({ length: random.between(0, 200) }, () => '{"event":"later","id":900,"key":"again"}');
  return { ...plain(random), hub: "lenient", messages: [...rooms, large, large, ...repeated, ...requests] };
}

function messages(random: Random): Script["messages"] {
  return Array.from({ length: random.between(1, 200) }, () => hostileMessage(random));
}

/** The first closes who does too much that is wrong. */
function hubFor(random: Random): HubName {
  return random.chance(0.3) ? "usual" : "lenient";
}
