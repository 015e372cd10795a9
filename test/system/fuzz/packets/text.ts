import type { Random } from "../../../support/random.ts";

/** Strings that have made trouble somewhere. */
const STRINGS = [
  "",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
  "toJSON",
  "everybody",
  "watchers/",
  "private",
  "later",
  "throw",
  "hub:",
  "hub:welcome",
  "\u0000",
  "\ud800",
  "\udfff\ud800",
  "\ufeff",
  "\u202e",
  "a\nb\r\nc",
  "${polluted}",
  "%s%n",
  "é".repeat(257),
  "room 1",
  "room 2",
] as const;

/** As they stand in JSON text, which can say what no number is. */
const NUMBERS = [
  "0",
  "-0",
  "1",
  "7",
  "-1",
  "0.5",
  "1e400",
  "-1e400",
  "1e-400",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "123456789012345678901234567890",
  "4294967296",
  "2147483648",
  "1E2",
  "1.0",
] as const;

const SCALARS = ["null", "true", "false", ...NUMBERS, ...STRINGS.map((text) => JSON.stringify(text))] as const;

/** A string, odd more often than not. */
export function oddString(random: Random): string {
  if (random.chance(0.8)) return random.pick(STRINGS);
  return random.pick(["x", "__proto__", "é", "\ud83d\ude00"]).repeat(random.between(1, 300));
}

/** A number as JSON text. */
export function oddNumber(random: Random): string {
  return random.pick(NUMBERS);
}

/** A value as JSON text, valid, whatever it is. */
export function oddValue(random: Random, depth = 3): string {
  if (depth === 0 || random.chance(0.6)) return random.pick(SCALARS);
  const items = Array.from({ length: random.between(0, 3) }, () => oddValue(random, depth - 1));
  if (random.chance(0.5)) return `[${items.join(",")}]`;
  return `{${items.map((item) => `${JSON.stringify(oddString(random))}:${item}`).join(",")}}`;
}

/** Nested as deep as its size allows, and sometimes as its size does not. */
export function deepValue(random: Random): string {
  const depth = random.weighted([
    [6, random.between(1, 2_000)],
    [2, random.between(5_000, 10_000)],
    [1, random.between(30_000, 32_000)],
  ]);
  if (random.chance(0.2)) return `${'{"a":'.repeat(depth >> 2)}0${"}".repeat(depth >> 2)}`;
  return "[".repeat(depth) + (random.chance(0.7) ? "]".repeat(depth) : "");
}
