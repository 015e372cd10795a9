import type { WireStep } from "./vectors.ts";

/** The steps of a vector as section 10 of `docs/PROTOCOL.md` shows them. */
export function linesOf(steps: readonly WireStep[]): string {
  return steps.map((step) => `${step.from === "client" ? "C" : "S"}: ${lineOf(step)}\n`).join("");
}

function lineOf(step: WireStep): string {
  if ("packet" in step) return JSON.stringify(step.packet).replaceAll(/"(<n(?: \d+)?>)"/g, "$1");
  if ("some" in step) return tag("some", JSON.stringify(step.some));
  if ("text" in step) return typeof step.text === "string" ? step.text : tag("text", step.text.$bytes);
  if ("binary" in step) return tag("binary", step.binary);
  if ("close" in step) return tag("close", `${step.close} ${step.reason}`);
  if ("connect" in step)
    return tag("connect", [step.connect, step.offer?.join(", ")].filter(Boolean).join(" offering "));
  if ("ends" in step) return tag("ends", step.ends.join(" or "));
  if ("accept" in step) return tag("accept", step.accept);
  if ("refuse" in step) return tag("refuse", String(step.refuse));
  return tag("cut", "");
}

function tag(verb: string, rest: string): string {
  return `<${`${verb} ${rest}`.trim()}>`;
}
