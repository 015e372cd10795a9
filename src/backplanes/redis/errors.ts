/** What a server says that refuses one command because of its access control list. */
const REFUSAL = /^NOPERM /;

/**
 * What a server says that refuses a command or a script for a log, beside {@link REFUSAL}: because of its memory, its settings or
 * its replicas; because the application uses the key for something else; because it is a server without what a log needs; or
 * what is in Redis 7.0 said of permissions in a script.
 */
const LOG_REFUSAL =
  /^(?:OOM|MISCONF|NOREPLICAS|WRONGTYPE|NOLOG) |unknown (?:redis )?command|invalid command|can't run this command|ACL failure in script/i;

/** What a server says of a key in a slot that is on its way to another server. */
const DELAY = /^(?:ASK|TRYAGAIN) /;

/** What a server says of a script that it has not run yet. */
const UNKNOWN_SCRIPT = /^NOSCRIPT /;

/** Returns whether the server refuses one command, and is otherwise well. */
export function isRefusal(error: unknown): error is Error {
  return saysOf(error, REFUSAL);
}

/** Returns whether the server refuses a command or a script for a log, and is otherwise well. */
export function isLogRefusal(error: unknown): boolean {
  return isRefusal(error) || saysOf(error, LOG_REFUSAL);
}

/** Returns whether the server refuses a command, or does not know it, and is otherwise well. */
export function isUnavailable(error: unknown): boolean {
  return isRefusal(error) || saysOf(error, /^ERR unknown (?:sub)?command/i);
}

/** Returns whether the server would take the same command later, and is otherwise well. */
export function isDelay(error: unknown): boolean {
  return saysOf(error, DELAY);
}

/** Returns whether the server does not know a script by its name. */
export function isUnknownScript(error: unknown): boolean {
  return saysOf(error, UNKNOWN_SCRIPT);
}

function saysOf(error: unknown, pattern: RegExp): error is Error {
  if (!(error instanceof Error)) return false;
  // The client of a Cluster wraps the news that a slot has moved.
  return pattern.test(error.message) || (error.cause instanceof Error && pattern.test(error.cause.message));
}
