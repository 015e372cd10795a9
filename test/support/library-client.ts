import { jsonCodec } from "roomcast";
import { WsClient } from "./ws-client.ts";

/** Connects a client as the library does, without sending its `hub:hello`. */
export function dial(port: number, protocol: string = jsonCodec.protocol): Promise<WsClient> {
  return WsClient.connect(`ws://127.0.0.1:${port}/`, {}, [protocol]);
}

/** Connects a client as the library does, and resolves after its `hub:welcome`. */
export async function enter(port: number, auth?: unknown): Promise<WsClient> {
  const client = await dial(port);
  client.send({ event: "hub:hello", data: { protocol: 1, auth } });
  const greeting = (await client.nextJson()) as { readonly event: string };
  if (greeting.event !== "hub:welcome") throw new Error(`Greeted with ${JSON.stringify(greeting)}.`);
  return client;
}
