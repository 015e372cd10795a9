/**
 * What a server says that refuses one command, because of its access control list, its limits or its settings, or because
 * the application uses the key for something else, and is otherwise well.
 */
const REFUSAL = /^(?:NOPERM|OOM|MISCONF|NOREPLICAS|WRONGTYPE) |can't run this command|ACL failure in script/;

/** What a server says of a key in a slot that is on its way to another server. */
const DELAY = /^(?:ASK|TRYAGAIN) /;

/** Returns whether the server refuses one command, and is otherwise well. */
export function isRefusal(error: unknown): error is Error {
  return saysOf(error, REFUSAL);
}

/** Returns whether the server would take the same command later, and is otherwise well. */
export function isDelay(error: unknown): boolean {
  return saysOf(error, DELAY);
}

/** Returns whether the server does not know a script by its name. */
export function isUnknownScript(error: unknown): boolean {
  return saysOf(error, /^NOSCRIPT /);
}

function saysOf(error: unknown, pattern: RegExp): error is Error {
  if (!(error instanceof Error)) return false;
  // The client of a Cluster wraps the news that a slot has moved.
  return pattern.test(error.message) || (error.cause instanceof Error && pattern.test(error.cause.message));
}
