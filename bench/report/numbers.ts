import { FIGURES, type Figure } from "../figures.ts";
import type { Interval } from "../results.ts";

const COUNT: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const RATE: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** Stands between a number and its unit. */
const SPACE = "\u00A0";
const DASH = "\u2013";

/** Units that large numbers are told in, the largest first. */
const LARGER: Readonly<Record<string, readonly (readonly [size: number, unit: string])[]>> = {
  µs: [
    [1e6, "s"],
    [1e3, "ms"],
  ],
  ms: [[1e3, "s"]],
  B: [
    [2 ** 30, "GiB"],
    [2 ** 20, "MiB"],
    [2 ** 10, "KiB"],
  ],
};

/** Three digits that count. */
export function numberOf(value: number): string {
  return Number.isFinite(value) ? COUNT.format(value) : String(value);
}

/** To the last digit: what is counted rather than measured. */
export function countOf(count: number): string {
  return count.toLocaleString("en");
}

/** Two digits after the point, three where it is small. */
export function ratioOf(value: number): string {
  return value >= 10 ? numberOf(value) : value.toFixed(value < 0.0995 ? 3 : 2);
}

export function ratioIntervalOf({ low, high }: Interval): string {
  return `${ratioOf(low)}${DASH}${ratioOf(high)}`;
}

/** With its unit, in the size of unit that suits it: `1.24 ms`, `9.1 KiB`. */
export function quantityOf(value: number, figure: Figure): string {
  const { unit } = FIGURES[figure];
  if (unit === "/s") return `${RATE.format(value)}/s`;
  const [size, name] = LARGER[unit]?.find(([least]) => Math.abs(value) >= least) ?? [1, unit];
  return numberOf(value / size) + (name && SPACE + name);
}

/** `3.9 µs–4.3 µs` */
export function rangeOf({ low, high }: Interval, figure: Figure): string {
  return `${quantityOf(low, figure)}${DASH}${quantityOf(high, figure)}`;
}

/** `4.1 µs (3.9 µs–4.3 µs)` */
export function quantityIntervalOf(interval: Interval, figure: Figure): string {
  return `${quantityOf(interval.median, figure)} (${rangeOf(interval, figure)})`;
}

export function percentOf(fraction: number): string {
  return `${numberOf(fraction * 100)}${SPACE}%`;
}

/** In what an axis or a column counts, so that it has round numbers where the units are powers of two as well. */
export function axisUnitOf(figure: Figure): readonly [divisor: number, unit: string] {
  const { unit } = FIGURES[figure];
  if (figure === "peakResident") return [2 ** 20, "MiB"];
  return figure === "residentPerConnection" || figure === "heapPerConnection" ? [2 ** 10, "KiB"] : [1, unit];
}
