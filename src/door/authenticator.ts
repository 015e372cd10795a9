import type { Clock } from "../time/clock.ts";
import { HubError, isInstance, messageOf, ReplyError } from "../errors.ts";
import type { User } from "../event-types.ts";
import type { Handshake } from "../members/handshake.ts";
import type { ErrorContext } from "../hub/events.ts";
import { isInteger, isObject, MAX_DELAY } from "../checks/option-rules.ts";
import type { ResolvedOptions } from "../hub/options.ts";
import { WireErrorCode, type WireError } from "../protocol/packet.ts";
import type { RefusalReason } from "./refusal.ts";

/** What an accepted decision carries to the opening of the connection. */
export interface Admission {
  readonly handshake: Handshake;
  readonly user: User | undefined;
}

/** Why a client is not let in. */
export interface Denial {
  readonly reason: RefusalReason;
  /** What it is told. `undefined` if the server is to blame: it may try again. */
  readonly error?: WireError | undefined;
  /** When it may, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** Asks the application whether a client may come in: `admit` first, then `authenticate`. */
export class Judgement {
  readonly #settings: Pick<ResolvedOptions, "admit" | "authenticate" | "handshakeTimeout">;
  readonly #clock: Clock;
  readonly #failed: (error: unknown, source: ErrorContext["source"]) => void;
  /** For each client that is being judged, what ends that. */
  readonly #undecided = new Set<(denial: Denial) => void>();

  constructor(
    settings: Pick<ResolvedOptions, "admit" | "authenticate" | "handshakeTimeout">,
    clock: Clock,
    failed: (error: unknown, source: ErrorContext["source"]) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Whether there is anything to ask at the handshake. */
  isNeeded(isLibrary: boolean): boolean {
    const { admit, authenticate } = this.#settings;
    return admit !== undefined || (authenticate !== undefined && !isLibrary);
  }

  /** Those who are being judged get their verdict now. */
  shut(): void {
    for (const end of this.#undecided) end({ reason: "draining" });
  }

  /** The verdict at the handshake, within its time. A library client will be authenticated later. Never rejects. */
  async judge(handshake: Handshake, isLibrary: boolean): Promise<Admission | Denial> {
    const { handshakeTimeout } = this.#settings;
    let end!: (denial: Denial) => void;
    const ended = new Promise<Denial>((resolve) => {
      end = resolve;
    });
    this.#undecided.add(end);
    const timer = this.#clock.setTimeout(() => {
      this.#failed(new HubError("ERR_HUB_TIMEOUT", tooLate(handshakeTimeout)), "authenticate");
      end({ reason: "timeout" });
    }, handshakeTimeout);
    const verdict = await Promise.race([this.#ask(handshake, isLibrary, () => this.#undecided.has(end)), ended]);
    this.#undecided.delete(end);
    timer.cancel();
    return verdict;
  }

  /** What `authenticate` says. Never rejects. */
  async authenticate(handshake: Handshake): Promise<Admission | Denial> {
    const { authenticate } = this.#settings;
    if (authenticate === undefined) return { handshake, user: undefined };
    try {
      const user = await authenticate(handshake);
      if (user === undefined || user === null || user === false) return UNAUTHORIZED;
      checkUser(user);
      return isExpired(user, this.#clock.now()) ? UNAUTHORIZED : { handshake, user };
    } catch (error) {
      if (isInstance(error, ReplyError)) {
        return { reason: "unauthorized", error: { code: error.reason, message: messageOf(error) } };
      }
      this.#failed(error, "authenticate");
      return { reason: "failed" };
    }
  }

  async #ask(handshake: Handshake, isLibrary: boolean, isAwaited: () => boolean): Promise<Admission | Denial> {
    const denial = await this.#admit(handshake);
    if (denial !== undefined) return denial;
    return isLibrary || !isAwaited() ? { handshake, user: undefined } : this.authenticate(handshake);
  }

  async #admit(handshake: Handshake): Promise<Denial | undefined> {
    const { admit } = this.#settings;
    if (admit === undefined) return undefined;
    try {
      const answer = await admit(handshake);
      if (answer === true) return undefined;
      return { reason: "admit", retryAfter: retryAfterOf(answer) };
    } catch (error) {
      this.#failed(error, "admit");
      return { reason: "admit" };
    }
  }
}

const UNAUTHORIZED: Denial = {
  reason: "unauthorized",
  error: { code: WireErrorCode.unauthorized, message: "Unauthorized" },
};

/** Milliseconds since 1970 below this were in March 1973: the number is one of seconds. */
const LEAST_TIME = 1e11;

/**
 * Checks what the application calls a user.
 *
 * @throws {HubError} `ERR_HUB_AUTHENTICATE`.
 */
export function checkUser(user: unknown): asserts user is User {
  const { id, expiresAt } = (user ?? {}) as Partial<User>;
  if (typeof id !== "string" || id === "") {
    throw new HubError("ERR_HUB_AUTHENTICATE", 'A user must be an object with a non-empty string "id".');
  }
  if (expiresAt === undefined) return;
  if (typeof expiresAt !== "number" || !(expiresAt >= LEAST_TIME)) {
    throw new HubError(
      "ERR_HUB_AUTHENTICATE",
      `The "expiresAt" of a user must be in milliseconds since 1970, not ${String(expiresAt)}. ` +
        `The "exp" of a JSON Web Token is in seconds: multiply it by 1,000.`,
    );
  }
}

function isExpired({ expiresAt }: User, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** @throws {HubError} `ERR_HUB_AUTHENTICATE`. */
function retryAfterOf(answer: unknown): number | undefined {
  if (answer === false) return undefined;
  const retryAfter = isObject(answer) ? answer["retryAfter"] : undefined;
  if (isInteger(retryAfter, 0, MAX_DELAY)) return retryAfter as number;
  throw new HubError(
    "ERR_HUB_AUTHENTICATE",
    'The option "admit" must return true, false or { retryAfter } in whole milliseconds.',
  );
}

function tooLate(timeout: number): string {
  return `"admit" and "authenticate" together took longer than "handshakeTimeout", ${timeout} ms.`;
}
