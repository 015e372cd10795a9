import { HubError, type HubErrorCode } from "../../errors.ts";
import type { ListenOptions } from "../transport.ts";

const SYSTEM_CODES: ReadonlyMap<string | undefined, string> = new Map([
  ["EADDRINUSE", "it is in use. Stop the program that listens there, or choose another; port 0 takes a free one."],
  ["EACCES", "this user has no permission. Ports below 1024 need a privilege, sockets a writable folder."],
  ["EADDRNOTAVAIL", "this machine has no such address."],
]);

/** Creates the error that `listen` rejects with: it has the system's code where programs look for that. */
export function listenError(cause: unknown, { port = 0, host, socketPath }: ListenOptions): HubError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const why = SYSTEM_CODES.get(code);
  const where = socketPath ?? (host === undefined ? `port ${port}` : `${host}, port ${port}`);
  return why === undefined
    ? new HubError("ERR_HUB_LISTEN", `Cannot listen on ${where}: ${(cause as Error).message}`, { cause })
    : new HubError(code as HubErrorCode, `Cannot listen on ${where}: ${why}`, { cause });
}
