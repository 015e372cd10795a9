import type { CaseParameters, Figure, Figures, Measurement, Phase } from "./figures.ts";
import type { Observation } from "./stage.ts";
import { percentile } from "./statistics/latencies.ts";

/** What a measurement is of. */
export interface Subject {
  readonly case: string;
  readonly parameters?: CaseParameters;
  readonly phase: Phase;
  /** The fraction of the control's capacity, where latency is measured. */
  readonly load?: number;
  readonly remarks?: readonly string[];
}

/** A measurement of what was sent and what has arrived. */
export function measurementOf(observation: Observation, subject: Subject): Measurement {
  return {
    ...subject,
    figures: figuresOf(observation, subject.phase),
    violations: observation.tally.violations,
    ...(subject.phase === "latency" && { latencies: observation.tally.latencies }),
  };
}

/** What both ends of a measurement say together. What cannot be said, because nothing arrived, is left out. */
function figuresOf({ server, tally, segments }: Observation, phase: Phase): Figures {
  const { deliveries } = tally;
  // Until the last delivery: what is only queued somewhere has not been delivered.
  const seconds = (tally.last - server.began) / 1e6;
  const messages = Object.values(server.sent).reduce((sum, count) => sum + count, 0);
  const figures: Record<string, number> & Figures = {
    // At a fixed rate the server waits awake for the next message: its CPU time is all there is.
    ...(phase === "capacity" && {
      cpu: (server.user + server.system) / deliveries,
      user: server.user / deliveries,
      system: server.system / deliveries,
    }),
    throughput: deliveries / seconds,
    messages: messages / seconds,
    bytes: tally.bytes / deliveries,
    ...(segments !== undefined && { writes: segments / deliveries }),
    eventLoopDelay: server.eventLoopDelay.p99,
    gc: server.gc / seconds,
    peakResident: server.peakResident,
    receiversLoad: tally.load,
    // A saturated server has a queue, and its latency is the length of it: no figure of the capacity phase.
    ...(phase === "latency" && latenciesOf(tally.latencies)),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
}

function latenciesOf(
  latencies: Observation["tally"]["latencies"],
): Record<Extract<Figure, "p50" | "p99" | "p99.9" | "max">, number> {
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    "p99.9": percentile(latencies, 0.999),
    max: latencies.at(-1)?.[0] ?? Number.NaN,
  };
}
