import { Buffer } from "node:buffer";
import type { Random } from "../../../support/random.ts";
import { mutated, noise } from "../pieces.ts";
import { deepValue, oddNumber, oddString, oddValue } from "./text.ts";

/** The events that the application handles. */
export const HANDLED = [
  "echo",
  "awaited",
  "later",
  "throw",
  "reject",
  "refuse",
  "forbidden",
  "join",
  "leave",
  "say",
  "latest",
  "listen",
  "ask",
] as const;

const CONTROL = ["join", "leave", "pong", "hello", "welcome", "error", "ping", "bye", "dropped", "", "x"] as const;

/** A hostile message: a string goes as text, bytes as binary. */
export function hostileMessage(random: Random): string | Buffer {
  return random.weighted<(random: Random) => string | Buffer>([
    [40, event],
    [12, control],
    [8, reply],
    [10, twisted],
    [12, damaged],
    [6, oddValue],
    [1, (source) => `{"event":"echo","id":3,"data":${deepValue(source)}}`],
    [1, deepValue],
    [1, hugeKey],
    [2, () => ""],
    [2, (source) => `\ufeff${event(source)}`],
    [3, (source) => noise(source, source.between(0, 60))],
    [0.02, (source) => " ".repeat(source.between(65_000, 66_000))],
    [0.05, (source) => JSON.stringify({ event: source.pick(["kick", "terminate"]) })],
  ])(random);
}

/** As an application's client sends it, with odd values in good places. */
function event(random: Random): string {
  const name = random.chance(0.8) ? random.pick(HANDLED) : oddString(random);
  const fields = [`"event":${JSON.stringify(name)}`];
  if (random.chance(0.6)) fields.push(`"id":${random.between(0, 999)}`);
  if (random.chance(0.8)) {
    fields.push(`"data":${random.chance(0.5) ? JSON.stringify(oddString(random)) : oddValue(random)}`);
  }
  if (random.chance(0.1)) fields.push(`"key":${JSON.stringify(oddString(random).slice(0, 64) || "k")}`);
  return object(random, fields);
}

function control(random: Random): string {
  const fields = [`"event":"hub:${random.pick(CONTROL)}"`];
  if (random.chance(0.7)) fields.push(`"id":${random.between(0, 999)}`);
  if (random.chance(0.9)) {
    const room = random.chance(0.8) ? JSON.stringify(oddString(random)) : oddValue(random);
    fields.push(`"data":${random.chance(0.8) ? `{"room":${room}}` : oddValue(random)}`);
  }
  return object(random, fields);
}

/** To requests of the server, and to such as there never were. */
function reply(random: Random): string {
  const fields = [`"reply":${random.chance(0.7) ? random.between(0, 5) : oddNumber(random)}`];
  if (random.chance(0.5)) fields.push(`"data":${oddValue(random)}`);
  if (random.chance(0.3)) {
    fields.push(`"error":${random.pick(['{"code":"x","message":"y"}', oddValue(random), '{"code":1}'])}`);
  }
  return object(random, fields);
}

/** Every field with any value, some of them twice. */
function twisted(random: Random): string {
  const names = ["event", "id", "data", "key", "reply", "error", "room", "__proto__", "constructor", "toJSON"];
  const fields = Array.from({ length: random.between(0, 6) }, () => {
    const name = random.pick(names);
    const value = name === "event" && random.chance(0.5) ? '"echo"' : oddValue(random);
    return `"${name}":${value}`;
  });
  return object(random, fields);
}

function damaged(random: Random): string {
  return mutated(random, Buffer.from(random.chance(0.8) ? event(random) : control(random))).toString();
}

function hugeKey(random: Random): string {
  const key = random.pick(["k", "__proto__", "\\u0000"]).repeat(random.between(1_000, 5_000));
  return `{"event":"echo","id":1,"data":{"${key}":1},"${key}":2}`;
}

function object(random: Random, fields: readonly string[]): string {
  const ordered = random.chance(0.2) ? fields.toReversed() : fields;
  return `{${ordered.join(random.chance(0.1) ? " ,\n\t" : ",")}}`;
}
