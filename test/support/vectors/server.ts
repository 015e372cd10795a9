import type { Hub, HubOptions, TransportName } from "roomcast";
import { blocksOf } from "../markdown.ts";
import { run } from "../snippets.ts";

/** The server of section 10 of `docs/PROTOCOL.md`, which the vectors for servers are about. */
export async function exampleHub(transport: TransportName, settings: HubOptions = {}): Promise<Hub> {
  const block = blocksOf("docs/PROTOCOL.md").find(({ info }) => info[0] === "ts");
  if (block === undefined) throw new Error("docs/PROTOCOL.md has no server for its exchanges.");
  const { createExampleHub } = (await run(block)) as {
    createExampleHub: (transport: TransportName, settings: HubOptions) => Hub;
  };
  const hub = createExampleHub(transport, settings);
  // Some exchanges show what a client is told of a handler that fails.
  hub.on("error", () => {});
  return hub;
}
