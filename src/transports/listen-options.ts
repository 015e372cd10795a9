import { Buffer } from "node:buffer";
import { checkOptions, isInteger, isObject, isText, type Rule } from "../checks/option-rules.ts";
import type { ListenOptions } from "./transport.ts";

/**
 * The length of a path that fits into `sun_path` on every system. Node.js cuts off a longer path, and uWebSockets.js
 * crashes.
 */
const MAX_SOCKET_PATH_BYTES = 103;

const RULES: { readonly [K in keyof Required<ListenOptions>]: Rule } = {
  port: ["a whole number from 0 to 65535", (value) => isInteger(value, 0, 65_535)],
  host: ["a host name or an address", isText],
  socketPath: [
    `the path of a Unix domain socket in the file system, at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    isSocketPath,
  ],
  tls: ["{ certFile, keyFile, passphrase? }, the files in PEM format", isTls],
};

/**
 * Checks the address that the application wants to listen on.
 *
 * @param where - a port, or {@link ListenOptions}.
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function checkListenOptions(where: unknown): ListenOptions {
  return checkOptions(typeof where === "object" ? where : { port: where }, RULES, "listen()");
}

/** On an abstract socket, whose name begins with NUL, uWebSockets.js would listen under another name. */
function isSocketPath(value: unknown): boolean {
  return (
    isText(value) && !(value as string).includes("\0") && Buffer.byteLength(value as string) <= MAX_SOCKET_PATH_BYTES
  );
}

function isTls(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { certFile, keyFile, passphrase, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return false;
  return isText(certFile) && isText(keyFile) && (passphrase === undefined || typeof passphrase === "string");
}
