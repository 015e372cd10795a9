import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import type { Hub } from "roomcast";
import { connect, type Client } from "roomcast/client";
import { afterAll, afterEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { QUICK } from "../support/clients.ts";
import { blocksOf, sectionOf, tablesOf } from "../support/markdown.ts";
import { exists, proofsIn } from "../support/proofs.ts";
import { closeAll, removeSnippets, run } from "../support/snippets.ts";

const PATH = "docs/HISTORY.md";

/** The rows of the promises, and of what happens when: the last cell names tests. */
const rows = ["What is promised", "What happens when"]
  .flatMap((section) => tablesOf(sectionOf(PATH, section)).flat())
  .map((cells) => ({ what: cells[0] ?? "", proofs: proofsIn(cells.at(-1) ?? "") }));

test.each(rows)("the tests exist that hold: $what", ({ proofs }) => {
  expect(proofs).not.toHaveLength(0);
  expect(proofs.filter((proof) => !exists(proof))).toStrictEqual([]);
});

test("there are many rows", () => {
  expect(rows.length).toBeGreaterThan(30);
});

describe("loading and joining", () => {
  afterEach(closeAll);
  afterAll(removeSnippets);

  test("leave no hole and nothing twice, at the start and at a gap", async () => {
    const { hub, server } = (await snippet("createServer(")) as { hub: Hub; server: Server };
    const { follow } = (await snippet("function follow(")) as {
      follow: (client: Client, room: string, url: string, lines: unknown[]) => Promise<void>;
    };
    await expect.poll(() => server.listening).toBe(true);
    const { port } = server.address() as AddressInfo;
    const said: number[] = [];
    const say = (): void => hub.to("chat:1").emit("said", said[said.push(said.length) - 1] ?? 0);
    const timer = setInterval(say, 1);
    onTestFinished(() => clearInterval(timer));
    const client = connect(`ws://127.0.0.1:${port}`, { WebSocket, reconnect: QUICK });
    onTestFinished(() => client.close());
    const lines: unknown[] = [];
    say();
    await follow(client, "chat:1", `http://127.0.0.1:${port}/`, lines);
    await expect.poll(() => lines.length).toBeGreaterThan(20);
    await hub.forget("chat:1");
    clearInterval(timer);
    const before = said.length;
    for (let count = 0; count < 5; count++) say();
    await expect.poll(() => lines.at(-1)).toBe(said.at(-1));
    // What was forgotten is not loaded again.
    await expect.poll(() => lines).toStrictEqual(said.slice(before));
    // It may not have been let in yet.
    await client.join("chat:1");
  });
});

/** Runs the snippet that has this text, and returns its values. */
async function snippet(text: string): Promise<Record<string, unknown>> {
  const block = blocksOf(PATH).find((candidate) => candidate.text.includes(text));
  if (block === undefined) throw new Error(`${PATH} has no snippet with ${text}.`);
  return run({ ...block, text: `${block.text}\nexport { ${names(block.text).join(", ")} };` });
}

/** The names of the constants of a snippet. */
function names(text: string): readonly string[] {
  return Array.from(text.matchAll(/^const (\w+)\b/gm), ([, name = ""]) => name);
}
