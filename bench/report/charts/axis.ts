import { scaleLinear, scaleLog } from "d3-scale";
import { numberOf } from "../page/numbers.ts";

/** Where a value stands between two ends. */
export interface Axis {
  at(value: number): number;
  /** Lines to draw; only some of them have room for a label. */
  readonly ticks: readonly Tick[];
}

interface Tick {
  readonly value: number;
  readonly label: string;
}

/** With what the numbers begin that have a label on a logarithmic axis: the first of these that is not too many. */
const ROUND: readonly ReadonlySet<string>[] = [new Set(["1", "2", "5"]), new Set(["1", "3"]), new Set(["1"])];

/** Where the largest value is more than this many times the smallest, the axis is logarithmic. */
const LINEAR_SPAN = 5;

/**
 * @param values - What has to fit; those up to 0 are drawn at the lower end.
 * @param labels - How many labels there is room for. Powers of ten have one in any case.
 */
export function logAxis(values: readonly number[], range: readonly [number, number], labels: number): Axis {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  // All the same: still something above and below to see it against.
  const room = most > least ? 1.15 : 3;
  const low = least / room;
  const scale = scaleLog([low, most * room], range);
  const ticks = scale.ticks();
  const choices = ROUND.map((digits) => ticks.filter((value) => digits.has(leadingDigit(value))));
  const labelled = new Set(choices.find((choice) => choice.length <= labels) ?? choices.at(-1));
  return {
    at: (value) => scale(Math.max(value, low)),
    ticks: ticks.map((value) => ({ value, label: labelled.has(value) ? numberOf(value) : "" })),
  };
}

function leadingDigit(value: number): string {
  return value.toExponential(0).charAt(0);
}

/** From 0 unless all of it is far from there. */
export function linearAxis(values: readonly number[], range: readonly [number, number], labels: number): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = scaleLinear([low > high / 2 ? low : 0, high], range).nice(labels);
  return {
    at: (value) => scale(value),
    ticks: scale.ticks(labels).map((value) => ({ value, label: numberOf(value) })),
  };
}

/** No further than the values themselves, and no ticks but them. */
export function evenAxis(values: readonly number[], range: readonly [number, number]): Axis {
  const scale = scaleLinear([Math.min(...values), Math.max(...values)], range);
  return { at: (value) => scale(value), ticks: values.map((value) => ({ value, label: numberOf(value) })) };
}

/** Logarithmic where the range needs it. */
export function fittingAxis(values: readonly number[], range: readonly [number, number], labels: number): Axis {
  const low = Math.min(...values);
  const needsLog = low > 0 && Math.max(...values) / low > LINEAR_SPAN;
  return needsLog ? logAxis(values, range, labels) : linearAxis(values, range, labels);
}
