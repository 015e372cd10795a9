import { fileURLToPath } from "node:url";
import type { ListenOptions } from "roomcast";

const file = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const TLS = { certFile: file("cert.pem"), keyFile: file("key.pem") };

/** What lies between a hub and its clients. A Unix socket holds 200 KiB, a TCP connection on loopback megabytes. */
export type Wire = "a Unix socket" | "TLS over a Unix socket" | "TCP" | "TLS over TCP";

export const WIRES: readonly Wire[] = ["a Unix socket", "TLS over a Unix socket", "TCP", "TLS over TCP"];

let unixSockets = 0;

/** Returns where a hub listens for clients on such a wire. */
export function addressOn(wire: Wire): ListenOptions {
  const tls = wire.startsWith("TLS") ? { tls: TLS } : {};
  if (wire.endsWith("TCP")) return { host: "127.0.0.1", ...tls };
  return { socketPath: `/tmp/roomcast-${process.pid}-${unixSockets++}.sock`, ...tls };
}
