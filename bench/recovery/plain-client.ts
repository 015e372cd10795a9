import { WebSocket, type MessageEvent } from "ws";
import { LONGEST_DELAY, queryOf, type ClientPlan, type ClientReport, type Numbered } from "./client.ts";

interface Packet {
  readonly event: string;
  readonly at?: number;
  readonly room: string;
  readonly data: unknown;
}

interface Position {
  readonly room: string;
  readonly stream: string;
  at: number;
  readonly gap?: string;
}

/** The client that docs/PROTOCOL.md shows, with the callbacks of the benchmark. */
export function connectPlain(plan: ClientPlan, report: ClientReport): void {
  const { port, rooms } = plan;
  const url = `ws://127.0.0.1:${port}/?${queryOf(plan)}`;
  const since: Record<string, Position> = {};
  function open(): void {
    const missing = new Set(rooms);
    const socket = new WebSocket(url);
    socket.addEventListener("open", () => {
      for (const room of rooms) socket.send(JSON.stringify({ event: "hub:join", data: { room, since: since[room] } }));
    });
    socket.addEventListener("message", (message: MessageEvent) => {
      const { event, at, room, data } = JSON.parse(message.data as string) as Packet;
      if (event === "hub:record") {
        const position = data as Position;
        since[position.room] = position;
        if (position.gap !== undefined) report.gap(position.room, position.gap);
        if (missing.delete(position.room) && missing.size === 0) report.joined();
        return;
      }
      const position = since[room];
      if (at !== undefined && position !== undefined) position.at = at;
      // What the hub says of itself is no concern of the benchmark.
      if (event === "m") report.received(room, (data as Numbered).number);
    });
    socket.addEventListener("close", () => {
      report.lost();
      setTimeout(open, Math.random() * LONGEST_DELAY);
    });
    // Its close follows.
    socket.addEventListener("error", () => {});
  }
  open();
}
