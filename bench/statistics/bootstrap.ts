import type { Interval } from "../results.ts";
import { median, medianOfSorted } from "./median.ts";
import { randomOf } from "./random.ts";

const RESAMPLES = 2_000;
const CONFIDENCE = 0.95;

/**
 * The median with its bootstrap interval: that of the medians of samples that are drawn from these values with
 * replacement. With fewer than five values it says little, and of one value nothing.
 *
 * @param seed - The same values have the same interval with the same seed.
 */
export function bootstrap(values: readonly number[], seed: number): Interval {
  const random = randomOf(seed);
  const sample = new Float64Array(values.length);
  const medians = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    for (let index = 0; index < sample.length; index++) {
      sample[index] = values[Math.floor(random() * values.length)] ?? Number.NaN;
    }
    sample.sort();
    medians[resample] = medianOfSorted(sample);
  }
  medians.sort();
  const outside = Math.round((RESAMPLES * (1 - CONFIDENCE)) / 2);
  return {
    median: median(values),
    low: medians[outside] ?? Number.NaN,
    high: medians[RESAMPLES - 1 - outside] ?? Number.NaN,
  };
}
