import { jsonCodec } from "roomcast";
import { WsClient } from "./ws-client.ts";

/** Connects as clients of the library do, but has not said `hub:hello` yet. */
export function dial(port: number, protocol: string = jsonCodec.protocol): Promise<WsClient> {
  return WsClient.connect(`ws://127.0.0.1:${port}/`, {}, [protocol]);
}

/** Connects as clients of the library do. */
export async function enter(port: number, auth?: unknown): Promise<WsClient> {
  const client = await dial(port);
  client.send({ event: "hub:hello", data: { protocol: 1, auth } });
  const greeting = (await client.nextJson()) as { readonly event: string };
  if (greeting.event !== "hub:welcome") throw new Error(`Greeted with ${JSON.stringify(greeting)}.`);
  return client;
}
