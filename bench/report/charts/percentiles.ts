import { quantityOf } from "../page/numbers.ts";
import type { Row } from "../../results.ts";

/** What is told of latencies. */
export const PERCENTILES: readonly Percentile[] = ["p50", "p99", "p99.9", "max"];
export type Percentile = "p50" | "p99" | "p99.9" | "max";

/** In style sheets. */
export function classOf(figure: Percentile): string {
  return figure.replace(".", "-");
}

/** `p50 1.2 ms, p99 3.4 ms` */
export function percentilesOf(row: Row): string {
  const found = PERCENTILES.flatMap((figure) => {
    const measured = row.figures[figure];
    return measured === undefined ? [] : [`${figure} ${quantityOf(measured.median, figure)}`];
  });
  return found.join(", ");
}
