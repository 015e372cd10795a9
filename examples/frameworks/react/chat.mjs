import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

/** Adds the chat to an HTTP server. */
export function addChat(server) {
  const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
  hub.handle("message", (text) => hub.to("lobby").emit("message", String(text)));
  server.once("close", () => hub.close());
}

/** Adds it to the servers of `vite` and `vite preview`. In middleware mode, Vite has no server. */
export const chat = {
  name: "chat",
  configureServer: ({ httpServer }) => void (httpServer && addChat(httpServer)),
  configurePreviewServer: ({ httpServer }) => addChat(httpServer),
};
