import { describe, expect, test } from "vitest";
import { exampleFiles, frameworkExamples } from "../support/framework-examples.ts";
import { blocksOf, fileShownBy, proseOf, readText } from "../support/markdown.ts";

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Whether the page of an example leaves a file to the page of Vite, to which it links: both examples have the same one. */
function isShownByVite(name: string, path: string): boolean {
  return (
    name !== "vite" &&
    proseOf(`docs/frameworks/${name}.md`).includes(`\`${path}\``) &&
    proseOf(`docs/frameworks/${name}.md`).includes("(vite.md)") &&
    exampleFiles("vite").includes(path) &&
    readText(`examples/frameworks/${name}/${path}`) === readText(`examples/frameworks/vite/${path}`)
  );
}

/** The packages that commands install, with a flag such as "-D " or none. */
function installedBy(commands: readonly string[], flag: string): readonly string[] {
  const pattern = new RegExp(`^npm install ${flag}((?:[@\\w][@\\w./-]* ?)+)$`);
  return commands.flatMap((command) => pattern.exec(command)?.[1]?.split(" ") ?? []).toSorted();
}

describe.each(frameworkExamples())("the example of %s and its page", (name) => {
  const page = `docs/frameworks/${name}.md`;
  const manifest = JSON.parse(readText(`examples/frameworks/${name}/package.json`)) as Manifest;
  const commands = blocksOf(page)
    .filter(({ info }) => info[0] === "sh")
    .flatMap(({ text }) => text.trimEnd().split("\n"));

  test("the page is listed, and a test runs the example", () => {
    expect(readText("docs/frameworks/README.md")).toContain(`](${name}.md)`);
    expect(readText(`test/system/frameworks/${name}.test.ts`)).toContain(`("${name}"`);
  });

  test("the page shows every file but package.json, as it is", () => {
    const shown = blocksOf(page).flatMap((block) => {
      const path = fileShownBy(block);
      return path === undefined ? [] : [{ path, text: block.text }];
    });
    const files = exampleFiles(name).filter((path) => path !== "package.json" && !isShownByVite(name, path));
    expect(shown.map(({ path }) => path).toSorted()).toStrictEqual(
      files.map((path) => `examples/frameworks/${name}/${path}`),
    );
    for (const { path, text } of shown) expect(text).toBe(readText(path));
  });

  test("the page installs what package.json names, in versions that are pinned", () => {
    const { dependencies, devDependencies = {} } = manifest;
    expect(installedBy(commands, "")).toStrictEqual(Object.keys(dependencies).toSorted());
    expect(installedBy(commands, "-D ")).toStrictEqual(Object.keys(devDependencies).toSorted());
    const { roomcast, ...others } = { ...dependencies, ...devDependencies };
    expect(roomcast).toBe("file:../../..");
    for (const version of Object.values(others)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("the page's other commands are the scripts of package.json", () => {
    const others = commands.filter((command) => !command.startsWith("npm install "));
    const scripts = others.map((command) => command.replace(/^npx /, ""));
    expect(scripts.toSorted()).toStrictEqual(Object.values(manifest.scripts).toSorted());
  });
});
