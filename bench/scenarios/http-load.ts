import autocannon from "autocannon";
import type { Figures } from "../figures.ts";

/** How often autocannon looks whether its time is over, in milliseconds. */
const LOOK = 10;

export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second, of all connections together; without it, each sends as soon as it is answered. */
  readonly rate?: number;
}

/**
 * Sends requests with autocannon. Latencies are those that it reports for each response: its own histogram has whole
 * milliseconds.
 */
export async function sendRequests({ port, path, method, connections, seconds, rate }: HttpLoad): Promise<Figures> {
  const latencies: number[] = [];
  const failures: string[] = [];
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const running = autocannon(
      {
        url: `http://127.0.0.1:${port}${path}`,
        method,
        connections,
        duration: seconds,
        sampleInt: LOOK,
        ...(method === "POST" && { body: '{"text":"hello"}', headers: { "content-type": "application/json" } }),
        // Its correction would be of the histogram that is not used.
        ...(rate !== undefined && { overallRate: rate, ignoreCoordinatedOmission: true }),
      },
      (error: Error | null) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
    running.on("response", (_, status, __, milliseconds) => {
      latencies.push(milliseconds);
      if (status >= 300) failures.push(`${method} ${path} was answered with ${status}`);
    });
    running.on("reqError", (error: Error) => failures.push(error.message));
  });
  const [failure] = failures;
  if (failure !== undefined) throw new Error(`${failures.length} HTTP requests failed: ${failure}`);
  latencies.sort((a, b) => a - b);
  const at = (quantile: number): number => latencies[Math.ceil(quantile * latencies.length) - 1] ?? Number.NaN;
  return {
    httpP50: at(0.5),
    httpP99: at(0.99),
    httpRequests: latencies.length / ((performance.now() - began) / 1000),
  };
}
