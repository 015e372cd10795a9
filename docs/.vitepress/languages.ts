import type { MarkdownRenderer } from "vitepress";

/** The words behind ``` that the highlighter does not know. */
const PLAIN = /^(?:acl|caddyfile|exchange|haproxy|nats-server)\b/;

/** Shows code in a language that the highlighter does not know as plain text. */
export function nameLanguages(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("name-languages", ({ tokens }) => {
    for (const token of tokens) {
      if (token.type === "fence") token.info = token.info.replace(PLAIN, "text");
    }
  });
}
