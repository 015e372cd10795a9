import { FIGURES, type Figure } from "./figures.ts";
import type { Interval } from "./results.ts";

const COUNT: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const RATE: Intl.NumberFormat = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** A number, a space that does not break, and a unit. */
const SPACE = "\u00A0";

/** The sizes of a unit, the largest first. */
const SIZES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  µs: { s: 1e6, ms: 1e3 },
  ms: { s: 1e3 },
  B: { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10 },
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

/** With its unit, in the size that suits it: `1.24 ms`, `9.1 KiB`. */
export function quantityOf(value: number, figure: Figure): string {
  const { unit } = FIGURES[figure];
  if (unit === "/s") return `${RATE.format(value)}/s`;
  const sizes = Object.entries(SIZES[unit] ?? {});
  const [name, size] = sizes.find(([, least]) => Math.abs(value) >= least) ?? [unit, 1];
  return numberOf(value / size) + (name && SPACE + name);
}

/** `3.9 µs–4.3 µs` */
export function intervalOf({ low, high }: Interval, textOf: (value: number) => string = ratioOf): string {
  return `${textOf(low)}\u2013${textOf(high)}`;
}

export function percentOf(fraction: number): string {
  return `${numberOf(fraction * 100)}${SPACE}%`;
}

/** In what an axis counts, so that it has round numbers where the units are powers of two as well. */
export function axisUnitOf(figure: Figure): readonly [divisor: number, unit: string] {
  const { unit } = FIGURES[figure];
  if (unit !== "B") return [1, unit];
  return figure === "peakResident" ? [2 ** 20, "MiB"] : [2 ** 10, "KiB"];
}
