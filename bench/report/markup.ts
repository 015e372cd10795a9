/** Text that is HTML already: made by {@link html}, the style sheet or the library that draws. All else is escaped. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What can stand in a template; `undefined` and `false` leave nothing behind. */
export type Content = Markup | string | number | false | undefined | readonly Content[];

/** HTML or SVG, with everything escaped that is put into it, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let text = strings[0] ?? "";
  for (const [index, content] of contents.entries()) text += textOf(content) + (strings[index + 1] ?? "");
  return new Markup(text);
}

function textOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.toString();
  if (typeof content === "object") return content.map(textOf).join("");
  return String(content).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
