import { expect, test } from "vitest";
import { sectionOf, tablesOf } from "../support/markdown.ts";
import { PLATFORMS, type Told } from "../system/platforms/platforms.ts";

const WORDS: Readonly<Record<Told, string>> = {
  address: "that nothing listens",
  status: "the status",
  subprotocol: "the subprotocol",
};

test("API.md lists the platforms that the client is tested on, with what each tells", () => {
  const tables = tablesOf(sectionOf("docs/API.md", "Client"));
  const table = tables.find(([row]) => row?.[0] === PLATFORMS[0]?.name);
  const tested = PLATFORMS.map(({ name, webSocket, tells }) => [
    name,
    webSocket,
    tells.map((told) => WORDS[told]).join(", ") || "nothing",
  ]);
  expect(table).toEqual(tested);
});
