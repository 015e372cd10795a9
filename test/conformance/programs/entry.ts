import type { Message } from "./program.ts";

/** What a client sends back to a request. */
export interface Answer {
  readonly reply: number;
  readonly data: string;
}

/** The text that a message carries: a number of its own, and padding. */
export function content(token: number, { size }: Message): string {
  return `${token}:${"é".repeat(size)}`;
}

/** How a message stands in a log. */
export function entryOf(kind: Message["kind"], text: string, room?: string): string {
  return `${kind} ${shorten(text)}${room === undefined ? "" : ` in ${room}`}`;
}

/** The log entry of what a client received, and the answer that is expected of it. */
export function received(data: string | Uint8Array): { readonly entry: string; readonly answer?: Answer } {
  if (typeof data !== "string") return { entry: entryOf("bytes", Buffer.from(data).toString()) };
  if (!data.startsWith("{")) return { entry: entryOf("text", data) };
  const packet = JSON.parse(data) as {
    event?: string;
    id?: number;
    room?: string;
    data?: { text?: string };
    reply?: number;
  };
  if (packet.event === "hub:welcome") return { entry: "welcome" };
  if (packet.reply !== undefined) return { entry: `reply ${packet.reply}` };
  const text = packet.data?.text ?? "";
  if (packet.event === "event") return { entry: entryOf("event", text, packet.room) };
  if (packet.event !== "request" || packet.id === undefined) return { entry: data };
  return { entry: entryOf("request", text, packet.room), answer: { reply: packet.id, data: shorten(text) } };
}

/** `12×300` for number 12 with 300 characters of padding. Whatever is not intact stays as it is. */
export function shorten(text: string): string {
  const [, token, padding] = /^(\d+):(é*)$/.exec(text) ?? [];
  if (token === undefined || padding === undefined) return JSON.stringify(text);
  return padding === "" ? token : `${token}×${padding.length}`;
}
