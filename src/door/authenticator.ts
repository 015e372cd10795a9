import { isInteger, isObject, MAX_DELAY } from "../checks/option-rules.ts";
import { createDeferred } from "../deferred.ts";
import { HubError, isInstance, messageOf, ReplyError } from "../errors.ts";
import type { User } from "../event-types.ts";
import type { Handshake } from "../members/handshake.ts";
import type { Admission } from "../members/lifecycle.ts";
import { checkUser } from "../members/user.ts";
import { WireErrorCode } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import type { DoorSettings } from "./options.ts";
import type { Denial } from "./refusal.ts";

type AuthenticatorSettings = Pick<DoorSettings, "admit" | "authenticate" | "handshakeTimeout">;

/** Asks the application whether a client may connect: `admit` first, then `authenticate`. */
export class Authenticator {
  readonly #settings: AuthenticatorSettings;
  readonly #clock: Clock;
  readonly #report: ErrorReport;
  /** The functions that refuse the clients which wait for a decision, one for each. */
  readonly #deciding = new Set<(denial: Denial) => void>();

  constructor(settings: AuthenticatorSettings, clock: Clock, report: ErrorReport) {
    this.#settings = settings;
    this.#clock = clock;
    this.#report = report;
  }

  /** Returns whether the application has to be asked at the handshake. */
  isNeeded(isLibrary: boolean): boolean {
    const { admit, authenticate } = this.#settings;
    return admit !== undefined || (authenticate !== undefined && !isLibrary);
  }

  /** Refuses all clients that wait for a decision. */
  shut(): void {
    for (const end of this.#deciding) end({ reason: "draining" });
  }

  /** Returns the decision at the handshake, within its time. A library client is authenticated later. Never rejects. */
  async decide(handshake: Handshake, isLibrary: boolean): Promise<Admission | Denial> {
    const { handshakeTimeout } = this.#settings;
    const { promise: ended, resolve: end } = createDeferred<Denial>();
    this.#deciding.add(end);
    const timer = this.#clock.setTimeout(() => {
      this.#report.failed(new HubError("ERR_HUB_TIMEOUT", tooLate(handshakeTimeout)), "authenticate");
      end({ reason: "timeout" });
    }, handshakeTimeout);
    const decision = await Promise.race([this.#ask(handshake, isLibrary, () => this.#deciding.has(end)), ended]);
    this.#deciding.delete(end);
    timer.cancel();
    return decision;
  }

  /** Returns the decision of `authenticate`. Never rejects. */
  async authenticate(handshake: Handshake): Promise<Admission | Denial> {
    const { authenticate } = this.#settings;
    if (authenticate === undefined) return { handshake, user: undefined };
    try {
      const user = await authenticate(handshake);
      if (user === undefined || user === null || user === false) return UNAUTHORIZED;
      checkUser(user);
      return isExpired(user, this.#clock.wall()) ? EXPIRED : { handshake, user };
    } catch (error) {
      if (isInstance(error, ReplyError)) {
        return { reason: "unauthorized", error: { code: error.reason, message: messageOf(error), data: error.data } };
      }
      this.#report.failed(error, "authenticate");
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
      this.#report.failed(error, "admit");
      return { reason: "admit" };
    }
  }
}

const UNAUTHORIZED: Denial = {
  reason: "unauthorized",
  error: { code: WireErrorCode.unauthorized, message: "Unauthorized" },
};

/** The denial of credentials that were good. They may have expired on their way, so the client may bring new ones. */
const EXPIRED: Denial = { reason: "expired" };

function isExpired({ expiresAt }: User, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/**
 * Returns the delay that `admit` asked for, if it did.
 *
 * @throws {HubError} `ERR_HUB_AUTHENTICATE`.
 */
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
