import type { TemplatedApp } from "uWebSockets.js";
import { pathTaken } from "../shared/path-taken.ts";

/** The pattern of a hub that takes any path. */
export const ANY_PATH = "/*";

/** The patterns of the hubs on each app. The library would let the last of several equal ones win. */
const patternsOf = new WeakMap<TemplatedApp, Set<string>>();

/**
 * Takes a pattern on an app for a hub.
 *
 * @throws {HubError} `ERR_HUB_PATH_TAKEN`.
 */
export function takePattern(app: TemplatedApp, pattern: string): void {
  const taken = patternsOf.get(app) ?? new Set();
  if (taken.has(pattern)) throw pathTaken(pattern === ANY_PATH ? undefined : pattern);
  patternsOf.set(app, taken.add(pattern));
}

/** Frees a pattern. The route of the hub that had it stays, but a later one with the same pattern replaces it. */
export function freePattern(app: TemplatedApp, pattern: string): void {
  patternsOf.get(app)?.delete(pattern);
}
