import type { StandardIssue } from "./standard-schema.ts";

/** The limits of a description. More text helps nobody, and all of it may come from data that a stranger sent. */
const MAX_ISSUES = 3;
const MAX_LENGTH = 400;
const MAX_PATH_LENGTH = 120;
const MAX_SEGMENT_LENGTH = 40;

/**
 * Describes what is wrong with some data, such as `data.items[2].price: Expected number`. The text is bounded, whatever
 * the issues contain.
 */
export function describeIssues(issues: readonly StandardIssue[]): string {
  if (issues.length === 0) return "data: It is not valid";
  const lines = issues.slice(0, MAX_ISSUES).map((issue) => `${pathOf(issue)}: ${cut(issue.message, MAX_LENGTH)}`);
  const rest = issues.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more`);
  return cut(lines.join("; "), MAX_LENGTH);
}

function pathOf({ path = [] }: StandardIssue): string {
  let text = "data";
  for (const segment of path) {
    text += step(typeof segment === "object" ? segment.key : segment);
    if (text.length > MAX_PATH_LENGTH) return cut(text, MAX_PATH_LENGTH);
  }
  return text;
}

function step(key: PropertyKey): string {
  if (typeof key !== "string") return `[${cut(String(key), MAX_SEGMENT_LENGTH)}]`;
  const short = cut(key, MAX_SEGMENT_LENGTH);
  return /^[\p{L}_$][\p{L}\p{N}_$]*…?$/u.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // The cut must not split a character of two code units.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(length - 2)) ? length - 2 : length - 1;
  return `${text.slice(0, end)}…`;
}
