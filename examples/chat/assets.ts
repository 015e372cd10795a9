import { readdir, readFile } from "node:fs/promises";
import { asset, type Asset } from "./asset.ts";

const HTML = "text/html; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

const FILES = [
  ["/", "chat.html", HTML],
  ["/chat.css", "chat.css", "text/css; charset=utf-8"],
  ["/chat.mjs", "chat.mjs", JAVASCRIPT],
  ["/client.mjs", "client.mjs", JAVASCRIPT],
  ["/connection.mjs", "connection.mjs", JAVASCRIPT],
  ["/log.mjs", "log.mjs", JAVASCRIPT],
  ["/page.mjs", "page.mjs", JAVASCRIPT],
  ["/view.mjs", "view.mjs", JAVASCRIPT],
  ["/icon.svg", "icon.svg", "image/svg+xml"],
] as const;

/** Of the installed package, the folders that a browser needs of it. */
const CLIENT_FOLDERS = ["client", "protocol"] as const;

/** The files of both pages by URL path. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const files = FILES.map(async ([path, file, type]): Promise<[string, Asset]> => {
    return [path, asset(await readFile(new URL(`public/${file}`, import.meta.url)), type)];
  });
  const [own, client] = await Promise.all([Promise.all(files), loadClient()]);
  const assets = new Map([...own, ...client]);
  const html = String(assets.get("/")?.body);
  return assets.set("/client", asset(Buffer.from(html.replace("/chat.mjs", "/client.mjs")), HTML));
}

/** `roomcast/client` as it is installed: modules that a browser loads without a bundler, below `/roomcast/`. */
async function loadClient(): Promise<readonly [string, Asset][]> {
  const root = new URL("..", import.meta.resolve("roomcast/client"));
  const folders = CLIENT_FOLDERS.map(async (folder) => {
    const names = await readdir(new URL(folder, root));
    return names.filter((name) => name.endsWith(".js")).map((name) => `${folder}/${name}`);
  });
  const modules = (await Promise.all(folders)).flat();
  return Promise.all(
    modules.map(async (path): Promise<[string, Asset]> => {
      return [`/roomcast/${path}`, asset(await readFile(new URL(path, root)), JAVASCRIPT)];
    }),
  );
}
