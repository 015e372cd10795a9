import { io } from "socket.io-client";
import type { ClientPlan, ClientReport, Numbered } from "./client.ts";

/** The client of Socket.IO with its defaults, over WebSocket only. The server puts it into its rooms. */
export function connectSocketIo({ port, client, rooms }: ClientPlan, report: ClientReport): void {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ["websocket"],
    query: { client: String(client), rooms: rooms.join(",") },
    forceNew: true,
  });
  let isFirst = true;
  socket.on("connect", () => {
    // All that it tells is whether the connection goes on with the session of the last one.
    if (!isFirst && !socket.recovered) for (const room of rooms) report.gap(room, "not recovered");
    isFirst = false;
    report.joined();
  });
  socket.on("disconnect", () => report.lost());
  socket.on("m", ({ room, number }: Numbered) => report.received(room, number));
}
