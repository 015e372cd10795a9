import type { Counters } from "../counters.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { Handshake } from "../members/handshake.ts";
import type { Admission } from "../members/lifecycle.ts";
import { addressKeyOf } from "../members/owner.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import type { UpgradeDecision, UpgradeInfo } from "../transports/transport.ts";
import { Authenticator } from "./authenticator.ts";
import { Occupancy } from "./occupancy.ts";
import type { DoorSettings } from "./options.ts";
import { adviceOn } from "./origin-advice.ts";
import { isWelcome } from "./origins.ts";
import { Proxies, type SeenRequest } from "./proxies.ts";
import { refusalDecision, type Denial, type Refusal, type RefusalReason } from "./refusal.ts";

/** Receives the clients that were refused, and the failures. */
export interface DoorReport extends ErrorReport {
  /** Called for a client that was not let in. */
  refused(refusal: Refusal): void;
}

export interface DoorParts {
  readonly settings: DoorSettings;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly rates: RateLimits;
  /** The subprotocols of library clients, which say who they are in `hub:hello`. */
  readonly library: readonly string[];
  readonly report: DoorReport;
}

/** Decides which clients may connect. */
export class Door {
  readonly #parts: DoorParts;
  readonly #proxies: Proxies;
  readonly #occupancy: Occupancy;
  readonly #authenticator: Authenticator;
  /** The subprotocols that are spoken, best first: those of the library before those of the application. */
  readonly #protocols: readonly string[];
  #open = true;

  constructor(parts: DoorParts) {
    const { clock, library, report, settings } = parts;
    this.#parts = parts;
    this.#proxies = new Proxies(settings.trustProxy);
    this.#occupancy = new Occupancy(settings);
    this.#authenticator = new Authenticator(settings, clock, report);
    this.#protocols = [...library, ...settings.protocols];
  }

  /** Refuses every client from now on, including those that wait for a decision. */
  shut(): void {
    this.#open = false;
    this.#authenticator.shut();
  }

  /** Returns the answer to a handshake. */
  decide(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision> {
    const { hosts, ...seen } = this.#proxies.seen(info);
    const handshake = new Handshake({ url: info.url, headers: info.headers, ...seen });
    const obstacle = this.#obstacleTo(handshake, hosts);
    if (obstacle === "origin") {
      const advice = adviceOn(this.#parts.settings.origins, handshake, hosts);
      return this.#refuse({ reason: obstacle, handshake, host: hosts[0], advice });
    }
    if (obstacle !== undefined) return this.#refuse({ reason: obstacle, handshake });
    const protocol = this.#protocols.find((offered) => info.protocols.includes(offered)) ?? "";
    const isLibrary = this.#parts.library.includes(protocol);
    if (!this.#authenticator.isNeeded(isLibrary)) return accept(protocol, { handshake, user: undefined });
    return this.#ask(handshake, protocol, isLibrary);
  }

  /** Returns the decision of `authenticate` on a library client. Never rejects. */
  async introduce(handshake: Handshake): Promise<Admission | Denial> {
    return this.#authenticator.authenticate(handshake);
  }

  /** Reports a library client that was let in at its handshake and refused after its hello, with this close code. */
  turnAway(handshake: Handshake, reason: RefusalReason, code: number): void {
    this.#refused({ status: code, reason, handshake });
  }

  /** Counts a connection that has opened. */
  entered({ remoteAddress }: Handshake): void {
    this.#occupancy.enter(remoteAddress);
  }

  /** Counts a connection as ended, once its descriptor is free. */
  left({ remoteAddress }: Handshake): void {
    this.#occupancy.leave(remoteAddress);
  }

  #obstacleTo(handshake: Handshake, hosts: SeenRequest["hosts"]): RefusalReason | undefined {
    if (!this.#open) return "draining";
    try {
      if (!isWelcome(this.#parts.settings.origins, handshake, hosts)) return "origin";
    } catch (error) {
      this.#parts.report.failed(error, "origins");
      return "origin";
    }
    const { remoteAddress } = handshake;
    if (this.#parts.rates.isBanned(addressKeyOf(remoteAddress))) return "abuse";
    return this.#occupancy.obstacleTo(remoteAddress);
  }

  /** Asks the application about a client, which takes a place meanwhile. */
  async #ask(handshake: Handshake, protocol: string, isLibrary: boolean): Promise<UpgradeDecision> {
    this.entered(handshake);
    const decision = await this.#authenticator.decide(handshake, isLibrary);
    // The connection takes the place before another client is decided on: both happen in this turn of the event loop.
    this.left(handshake);
    if (!this.#open) return this.#refuse({ reason: "draining", handshake });
    if ("reason" in decision) return this.#refuse({ reason: decision.reason, handshake }, decision);
    return accept(protocol, decision);
  }

  #refuse(refusal: Omit<Refusal, "status">, denial?: Denial): UpgradeDecision {
    const decision = refusalDecision(refusal.reason, denial);
    this.#refused({ status: decision.status, ...refusal });
    return decision;
  }

  #refused(refusal: Refusal): void {
    this.#parts.counters.refusals++;
    this.#parts.report.refused(refusal);
  }
}

function accept(protocol: string, admission: Admission): UpgradeDecision {
  return { accept: true, protocol, context: admission };
}
