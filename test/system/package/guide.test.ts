import { expect, onTestFinished, test } from "vitest";
import { proseOf, sectionOf, tablesOf } from "../../support/markdown.ts";
import { pageWeight } from "./page-weight.ts";
import { Project } from "./project.ts";

// The pages of the guide that need no browser, followed as they are written.

/** npm installs packages, and programs start, on a busy machine; in milliseconds. */
const PATIENCE = 240_000;

async function newProject(): Promise<Project> {
  const project = await Project.create();
  onTestFinished(() => project.remove());
  return project;
}

/** A number of KiB that a document has: half a KiB is more than another version of the bundler or of gzip changes. */
function documented(kib = ""): unknown {
  return expect.closeTo(Number(kib), 0);
}

test.each([
  "docs/guide/rooms.md",
  "docs/guide/requests.md",
  "docs/guide/presence.md",
  "docs/guide/reconnection.md",
  "docs/guide/production.md",
])("%s", { timeout: PATIENCE }, async (path) => {
  await expect((await newProject()).follow(path)).resolves.toBeUndefined();
});

test("docs/guide/testing.md", { timeout: PATIENCE }, async () => {
  const project = await newProject();
  const passes = async (): Promise<void> => {
    // How this looks depends on the version of Node.js, and on the terminal.
    expect(project.last.lines.map((line) => line.slice(2))).toEqual(expect.arrayContaining(["tests 3", "pass 3"]));
  };
  await project.follow("docs/guide/testing.md", { "The tests": passes });
});

test("docs/guide/contract.md", { timeout: PATIENCE }, async () => {
  const path = "docs/guide/contract.md";
  const project = await newProject();
  const weigh = async (): Promise<void> => {
    const weightWith = async (contract: string): Promise<number> => {
      project.write("with-contract.js", `import { connect } from "roomcast/client"; ${contract}`);
      return pageWeight(project, "with-contract.js");
    };
    const client = await weightWith('connect("/");');
    const weightOf = async (file: string): Promise<number> =>
      (await weightWith(`import { contract } from "./${file}"; connect("/", { contract });`)) - client;
    const [rows = []] = tablesOf(sectionOf(path, "What it adds to a page"));
    expect({
      "types only": (await pageWeight(project, "page.mts")) - client,
      valibot: await weightOf("contract-valibot.mjs"),
      "zod/mini": await weightOf("contract.mjs"),
      zod: await weightOf("contract-zod.mjs"),
    }).toStrictEqual(Object.fromEntries(rows.map(([schemas, kib]) => [schemas, documented(kib)])));
    expect(client).toEqual(documented(/alone takes ([\d.]+) KiB/.exec(proseOf(path))?.[1]));
  };
  await project.follow(path, { "What it adds to a page": weigh });
});
