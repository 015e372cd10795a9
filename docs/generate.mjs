// Writes the pages of the site that are made from other files: the reference, from the doc comments of the built
// package, and the documents that are not in this folder.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Application, Converter } from "typedoc";

const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

writeProject();
await writeReference();

/** A page for each document at the root of the repository, which shows that document. */
function writeProject() {
  rmSync(pathOf("docs/project"), { recursive: true, force: true });
  mkdirSync(pathOf("docs/project"));
  for (const name of readdirSync(pathOf("")).filter((file) => file.endsWith(".md"))) {
    writeFileSync(pathOf(`docs/project/${name}`), `<!--@include: ../../${name}-->\n`);
  }
}

/** A page for each name that the package exports. A doc comment with a link that leads nowhere is an error. */
async function writeReference() {
  const { exports } = JSON.parse(readFileSync(pathOf("package.json"), "utf8"));
  const declarations = new Set(Object.values(exports).flatMap(({ types = [] }) => types));
  const application = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    // The declarations and not the source: this TypeScript is older than the one that compiles the source.
    entryPoints: [...declarations].map(pathOf),
    tsconfig: pathOf("docs/tsconfig.json"),
    out: pathOf("docs/reference"),
    logLevel: "Warn",
    validation: { notExported: false, notDocumented: true, invalidLink: true },
    requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Function", "Variable", "Method", "Accessor"],
    readme: "none",
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeExternals: true,
    disableSources: true,
    entryFileName: "index",
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    parametersFormat: "table",
    typeAliasPropertiesFormat: "list",
    pageTitleTemplates: { index: "Reference", module: "{name}", member: ({ name }) => name.replace(/\\<.*/, "") },
  });
  const last = -1_000;
  application.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => Object.values(project.reflections).forEach(simplify),
    last,
  );
  const project = await application.convert();
  if (project === undefined) process.exit(1);
  application.validate(project);
  await application.generateOutputs(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exit(1);
}

/** Leaves out from which internal types a member comes. */
function simplify(reflection) {
  delete reflection.inheritedFrom;
  delete reflection.overwrites;
  delete reflection.implementationOf;
  delete reflection.extendedTypes;
  delete reflection.typeHierarchy;
}
