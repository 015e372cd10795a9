import { existsSync } from "node:fs";
import { codesIn, readText } from "./markdown.ts";

/** A test that a row of a table names. */
export interface Proof {
  readonly path: string;
  readonly title: string;
}

/** The tests that a cell names: each title belongs to the path before it. */
export function proofsIn(cell: string): readonly Proof[] {
  let path = "";
  return codesIn(cell.replaceAll("\\|", "|")).flatMap((code) => {
    if (!/\.(?:ts|json)$/.test(code)) return [{ path, title: code }];
    path = code;
    return [];
  });
}

/** Where the tests are, the runner's files, the cases of the suite that every transport passes, and the vectors. */
const PLACES = /^test\/.*\.test\.ts$|^src\/testing\/suite\/.*\.ts$|^docs\/protocol-vectors\.json$/;

/** Whether the test that a table names exists. */
export function exists({ path, title }: Proof): boolean {
  const url = new URL(`../../${path}`, import.meta.url);
  return PLACES.test(path) && existsSync(url) && declares(readText(path), title);
}

/**
 * Whether a test is called so where it is declared: the title as the first argument, in whatever quotes; of a vector, the
 * name.
 */
export function declares(source: string, title: string): boolean {
  if (source.includes(`"name": "${title}"`)) return true;
  const literal = title.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  return new RegExp(String.raw`\(\s*(["'\x60])${literal}\1,`).test(source);
}
