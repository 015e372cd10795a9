import { createHash } from "node:crypto";
import type { Client, ConnectPlan } from "./messages.ts";

/** Any will do: it only shows that the server has understood the request (RFC 6455 section 4.2.2). */
const KEY = "cm9vbWNhc3QgYmVuY2ghIQ==";
const ACCEPT: string = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** What a client asks for, in bytes. */
export function upgradeRequest(client: Client, { port, dialect, compression }: ConnectPlan): string {
  const who = `client=${client.id}&rooms=${client.rooms.map(encodeURIComponent).join(",")}`;
  const path = dialect === "engine.io" ? `/socket.io/?EIO=4&transport=websocket&${who}` : `/?${who}`;
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${KEY}`,
    "Sec-WebSocket-Version: 13",
    ...(compression ? [`Sec-WebSocket-Extensions: ${DEFLATE}`] : []),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Reads the head of the server's answer.
 *
 * @returns whether messages may be compressed.
 * @throws where the server has not accepted what was asked for; the message names what it answered.
 */
export function checkUpgrade(head: string, offered: boolean): boolean {
  const [statusLine = "", ...lines] = head.split("\r\n");
  if (!statusLine.startsWith("HTTP/1.1 101")) throw new Error(`The server answered "${statusLine}" to the upgrade.`);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const accept = headers.get("sec-websocket-accept");
  if (accept !== ACCEPT) throw new Error(`The server answered Sec-WebSocket-Accept: ${accept}, not ${ACCEPT}.`);
  return checkExtensions(headers.get("sec-websocket-extensions"), offered);
}

function checkExtensions(extensions: string | undefined, offered: boolean): boolean {
  if (extensions === undefined) return false;
  const [name, ...parameters] = extensions.split(";").map((part) => part.trim());
  // Messages are inflated one by one, so none may depend on those before it.
  if (!offered || name !== "permessage-deflate" || !parameters.includes("server_no_context_takeover")) {
    throw new Error(`The server answered Sec-WebSocket-Extensions: ${extensions}, which was not offered.`);
  }
  return true;
}
