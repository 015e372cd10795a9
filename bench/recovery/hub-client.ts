import { connect } from "roomcast/client";
import { WebSocket } from "ws";
import { LONGEST_DELAY, queryOf, type ClientPlan, type ClientReport, type Numbered } from "./client.ts";

/** The time after which a connection counts as stable, in milliseconds: shorter than any here, so that delays do not grow. */
const STABLE_AFTER = 500;

/** The client of the package. */
export function connectHub(plan: ClientPlan, report: ClientReport): void {
  const { port, rooms } = plan;
  const client = connect<{ server: { m: Numbered } }>(`ws://127.0.0.1:${port}/?${queryOf(plan)}`, {
    WebSocket,
    reconnect: { maxDelay: LONGEST_DELAY, stableAfter: STABLE_AFTER },
  });
  let isFirst = true;
  client.on("hub:state", ({ state, previous }) => {
    if (previous === "open") report.lost();
    // From the second connection on, the client joins its rooms by itself.
    if (state === "open" && !isFirst) report.joined();
  });
  client.on("m", ({ room, number }) => report.received(room, number));
  client.on("hub:gap", ({ room, reason }) => report.gap(room, reason));
  void join();

  async function join(): Promise<void> {
    try {
      await client.join(...rooms);
    } catch {
      // On a busy machine the answer can take longer than the client waits. It still wants to be there.
      return join();
    }
    isFirst = false;
    report.joined();
  }
}
