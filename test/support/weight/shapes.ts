import * as fc from "fast-check";

/** What a message is made of. A Map stands for an object, because it keeps the order of keys that look like indices. */
export type Value = null | number | string | readonly Value[] | ReadonlyMap<string, Value>;

/** A value that differs from one place to the next. */
type Unit = (place: number) => Value;

function object(...fields: readonly (readonly [string, Value])[]): Value {
  return new Map(fields);
}

/** A list of as many units as make about `bytes`. */
function many(unit: Unit, bytes: number): Value {
  const { length } = jsonOf(unit(1000));
  return Array.from({ length: Math.ceil(bytes / (length + 1)) }, (_, place) => unit(place));
}

/** Lists or objects around each other, once for each level. */
function nested(around: (inside: Value, level: number) => Value, levels: number): Value {
  let value: Value = 0;
  for (let level = 0; level < levels; level++) value = around(value, level);
  return value;
}

export function jsonOf(value: Value): string {
  if (value instanceof Map) {
    return `{${Array.from(value as ReadonlyMap<string, Value>, ([key, field]) => `${JSON.stringify(key)}:${jsonOf(field)}`).join()}}`;
  }
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(jsonOf).join()}]`;
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

const text = (place: number): string => place.toString(36);
const from = <V>(...values: readonly V[]): fc.Arbitrary<V> => fc.constantFrom(...values);

type Word = (place: number) => string;

const word: fc.Arbitrary<Word> = from<Word>(
  () => "",
  () => "a",
  text,
  (place) => `é${text(place)}`,
  (place) => `中${text(place)}`,
  (place) => String.fromCodePoint(0x4e00 + (place % 20_000)),
  (place) => String.fromCodePoint(0x1_f300 + (place % 500)),
  (place) => '"\\\n'.charAt(place % 3),
);

const index = fc.oneof(fc.nat(50), fc.nat(1100), fc.nat(5000), from(34, 35, 36, 1023, 1024, 2500, 2 ** 32 - 1));

const key: fc.Arbitrary<Word> = fc.oneof<fc.Arbitrary<Word>[]>(
  word,
  index.map((number) => () => String(number)),
  fc.tuple(from(1, 7, 1000), index).map(
    ([step, most]) =>
      (place) =>
        String((place * step) % (most + 1)),
  ),
);

const leaf: fc.Arbitrary<Unit> = fc.oneof(
  word,
  from<Unit>(
    () => null,
    () => 0,
    () => -0,
    () => 1.5,
    (place) => place,
    (place) => place + 0.5,
    () => [],
    () => object(),
  ),
);

const { unit } = fc.letrec<{ unit: Unit }>((tie) => ({
  unit: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("unit"), { maxLength: 3 }).map(
      (items): Unit =>
        (place) =>
          items.map((item) => item(place)),
    ),
    fc.array(fc.tuple(key, tie("unit")), { maxLength: 3 }).map(
      (fields): Unit =>
        (place) =>
          object(...fields.map(([name, field]) => [name(place), field(place)] as const)),
    ),
  ),
}));

/** The size of random messages: what they hold is far above the tolerance, and there can be thousands of them. */
const BYTES = 128 * 1024;

/** A message of a hostile client: one small unit, many times or around itself. */
export const shape: fc.Arbitrary<Value> = fc.oneof(
  unit.map((one) => many(one, BYTES)),
  fc
    .tuple(key, unit)
    .map(([name, one]) => many((place) => [name(place), one(place)], BYTES))
    .map((pairs) => object(...(pairs as readonly (readonly [string, Value])[]))),
  fc.tuple(unit, fc.integer({ min: 1, max: 500 })).map(([one, levels]) => {
    const tower = nested((inside, level) => [inside, one(level)], levels);
    return many(() => tower, BYTES);
  }),
  fc.tuple(key, fc.integer({ min: 1, max: 500 })).map(([name, levels]) => {
    const tower = nested((inside, level) => object([name(level), inside]), levels);
    return many(() => tower, BYTES);
  }),
);
