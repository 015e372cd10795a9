import { readText } from "./markdown.ts";

/** The doc comment of an interface or type, as text. */
export function commentOf(path: string, name: string): string {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/).)*)\\*/\\nexport (?:interface|type) ${name}\\b`, "s").exec(
    readText(path),
  );
  if (comment === null) throw new Error(`${path} has no doc comment of ${name}.`);
  return textOf(comment[1]);
}

/** The doc comments of the properties of an interface by their names, as text; empty for a property without one. */
export function propertyComments(path: string, name: string): ReadonlyMap<string, string> {
  const [, body = ""] = new RegExp(`interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, "ms").exec(readText(path)) ?? [];
  const properties = body.matchAll(/(?:^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n)?^ {2}(?:readonly )?(\w+)\??:/gms);
  return new Map(Array.from(properties, ([, comment, property = ""]) => [property, textOf(comment)]));
}

function textOf(comment = ""): string {
  return comment
    .replaceAll(/\n\s*\*( |$)/gm, "\n")
    .replaceAll(/\s+/g, " ")
    .trim();
}
