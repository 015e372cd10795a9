import { readFile } from "node:fs/promises";

/** A file of the page, ready to be sent. */
export interface Asset {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const FILES = [
  ["/", "chat.html", "text/html; charset=utf-8"],
  ["/chat.css", "chat.css", "text/css; charset=utf-8"],
  ["/chat.mjs", "chat.mjs", "text/javascript; charset=utf-8"],
  ["/connection.mjs", "connection.mjs", "text/javascript; charset=utf-8"],
  ["/log.mjs", "log.mjs", "text/javascript; charset=utf-8"],
  ["/view.mjs", "view.mjs", "text/javascript; charset=utf-8"],
  ["/icon.svg", "icon.svg", "image/svg+xml"],
] as const;

/**
 * Nothing from elsewhere and nothing inline: even if text from a user were ever taken for markup, it could not run. With
 * trusted types the browser refuses to turn text into markup in the first place.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The page's files by URL path. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = FILES.map(async ([path, file, type]): Promise<[string, Asset]> => {
    const body = await readFile(new URL(`public/${file}`, import.meta.url));
    const headers = {
      "Content-Type": type,
      "Content-Security-Policy": CONTENT_SECURITY_POLICY,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    };
    return [path, { body, headers }];
  });
  return new Map(await Promise.all(assets));
}
