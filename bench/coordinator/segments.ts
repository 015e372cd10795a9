import { readFileSync } from "node:fs";

/**
 * TCP segments with new data that this network namespace has sent since it exists; `undefined` where the system does not
 * say. On the loopback a segment holds up to 64 KiB, so that a write of less is one.
 */
export function segmentsSent(): number | undefined {
  try {
    return segmentsIn(readFileSync("/proc/net/netstat", "utf8"));
  } catch {
    return undefined;
  }
}

/** @param netstat - What `/proc/net/netstat` holds: a line of names, a line of values, for each protocol. */
export function segmentsIn(netstat: string): number | undefined {
  const [names, values] = netstat.split("\n").filter((line) => line.startsWith("TcpExt:"));
  const index = names?.split(" ").indexOf("TCPOrigDataSent") ?? -1;
  const value = index < 0 ? undefined : values?.split(" ")[index];
  return value === undefined ? undefined : Number(value);
}
