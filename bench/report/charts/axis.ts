import type { ScaleOptions } from "@observablehq/plot";

/** A scale, and where it has lines and labels: at these values, or at about so many round ones. */
export interface Axis {
  readonly scale: ScaleOptions;
  readonly ticks: number | readonly number[];
}

/** With what labelled numbers begin on a logarithmic axis: the first of these that is not too many. */
const DIGITS: readonly (readonly number[])[] = [[1, 2, 5], [1, 3], [1]];

const POWERS: readonly number[] = Array.from({ length: 30 }, (_, index) => 10 ** (index - 12));

/** Where the largest value is more than this many times the smallest, the axis is logarithmic. */
const LINEAR_SPAN = 5;

/** @param labels - How many labels there is room for. Powers of ten have one in any case. */
export function logAxis(values: readonly number[], labels: number): Axis {
  const positive = values.filter((value) => value > 0);
  const [least, most] = positive.length === 0 ? [1, 1000] : [Math.min(...positive), Math.max(...positive)];
  // All the same: still something above and below to see it against.
  const room = most > least ? 1.15 : 3;
  const [low, high] = [least / room, most * room];
  const choices = DIGITS.map((digits) => POWERS.flatMap((power) => digits.map((digit) => digit * power)));
  const fitting = choices.map((choice) => choice.filter((value) => value >= low && value <= high));
  const ticks = fitting.find((choice) => choice.length <= labels) ?? fitting.at(-1) ?? [];
  // What is not above 0 is drawn at the lower end.
  return { scale: { type: "log", domain: [low, high], clamp: true }, ticks };
}

/** An axis from 0, unless all values are far from there; logarithmic where they need it. */
export function fittingAxis(values: readonly number[], labels: number): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low > 0 && high / low > LINEAR_SPAN) return logAxis(values, labels);
  return { scale: { domain: [low > high / 2 ? low : 0, high], nice: labels }, ticks: labels };
}
