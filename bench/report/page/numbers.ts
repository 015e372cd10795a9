import { FIGURES, type Figure } from "../../figures.ts";
import type { Interval } from "../../results.ts";

const COUNT: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const RATE: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** Stands between a number and its unit. */
const SPACE = "\u00A0";
const DASH = "\u2013";

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
  if (value >= 10) return numberOf(value);
  return value.toFixed(value < 0.0995 ? 3 : 2);
}

export function ratioIntervalOf(interval: Interval): string {
  return `${ratioOf(interval.low)}${DASH}${ratioOf(interval.high)}`;
}

/** With its unit, in the size of unit that suits it: `1.24 ms`, `9.1 KiB`. */
export function quantityOf(value: number, figure: Figure): string {
  const [scaled, unit] = scaledUnit(value, FIGURES[figure].unit);
  const number = FIGURES[figure].unit === "/s" ? RATE.format(scaled) : numberOf(scaled);
  return unit === "" ? number : `${number}${unit.startsWith("/") ? "" : SPACE}${unit}`;
}

/** `4.1 µs (3.9 µs–4.3 µs)` */
export function quantityIntervalOf(interval: Interval, figure: Figure): string {
  const { low, high } = interval;
  return `${quantityOf(interval.median, figure)} (${quantityOf(low, figure)}${DASH}${quantityOf(high, figure)})`;
}

export function percentOf(fraction: number): string {
  return `${numberOf(fraction * 100)}${SPACE}%`;
}

/** In what an axis counts, so that its ticks are round numbers of it, where the units are powers of two as well. */
export function axisUnitOf(figure: Figure): readonly [divisor: number, unit: string] {
  const { unit } = FIGURES[figure];
  if (unit !== "B") return [1, unit];
  return figure === "peakResident" ? [2 ** 20, "MiB"] : [2 ** 10, "KiB"];
}

function scaledUnit(value: number, unit: string): readonly [value: number, unit: string] {
  const size = Math.abs(value);
  if (unit === "µs" && size >= 1e6) return [value / 1e6, "s"];
  if (unit === "µs" && size >= 1e3) return [value / 1e3, "ms"];
  if (unit === "ms" && size >= 1e3) return [value / 1e3, "s"];
  if (unit === "B" && size >= 2 ** 30) return [value / 2 ** 30, "GiB"];
  if (unit === "B" && size >= 2 ** 20) return [value / 2 ** 20, "MiB"];
  if (unit === "B" && size >= 2 ** 10) return [value / 2 ** 10, "KiB"];
  return [value, unit];
}
