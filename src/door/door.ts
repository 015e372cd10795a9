import type { Clock } from "../time/clock.ts";
import { Judgement, type Admission, type Denial } from "./authenticator.ts";
import { Occupancy } from "./occupancy.ts";
import { isWelcome } from "./origins.ts";
import { Proxies } from "./proxies.ts";
import { refusalDecision, type Refusal, type RefusalReason } from "./refusal.ts";
import { Handshake } from "../members/handshake.ts";
import type { ErrorContext } from "../hub/events.ts";
import type { ResolvedOptions } from "../hub/options.ts";
import type { UpgradeDecision, UpgradeInfo } from "../transports/transport.ts";

/** What the door needs of the hub. */
export interface DoorOptions {
  readonly settings: Pick<
    ResolvedOptions,
    | "admit"
    | "authenticate"
    | "handshakeTimeout"
    | "maxConnections"
    | "maxConnectionsPerAddress"
    | "origins"
    | "protocols"
    | "trustProxy"
  >;
  readonly clock: Clock;
  /** The subprotocols of clients that will say who they are in `hub:hello`. */
  readonly library: readonly string[];
  /** Somebody was not let in. */
  readonly refused: (refusal: Refusal) => void;
  /** A function of the application's failed. */
  readonly failed: (error: unknown, source: ErrorContext["source"]) => void;
}

/** Decides who gets in. */
export class Door {
  readonly #options: DoorOptions;
  readonly #proxies: Proxies;
  readonly #occupancy: Occupancy;
  readonly #judgement: Judgement;
  /** Best first; those of the library go before the application's. */
  readonly #protocols: readonly string[];
  #open = true;

  constructor(options: DoorOptions) {
    const { clock, failed, library, settings } = options;
    this.#options = options;
    this.#proxies = new Proxies(settings.trustProxy);
    this.#occupancy = new Occupancy(settings);
    this.#judgement = new Judgement(settings, clock, failed);
    this.#protocols = [...library, ...settings.protocols];
  }

  /** From now on everybody is refused, those included who are being judged. */
  shut(): void {
    this.#open = false;
    this.#judgement.shut();
  }

  /** The answer to a handshake. */
  decide(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision> {
    const { host, ...seen } = this.#proxies.seen(info);
    const handshake = new Handshake({ url: info.url, headers: info.headers, ...seen });
    const obstacle = this.#obstacleTo(handshake, host);
    if (obstacle !== undefined) return this.#refuse(handshake, obstacle);
    const protocol = this.#protocols.find((offered) => info.protocols.includes(offered)) ?? "";
    const isLibrary = this.#options.library.includes(protocol);
    if (!this.#judgement.isNeeded(isLibrary)) return accept(protocol, { handshake, user: undefined });
    return this.#judge(handshake, protocol, isLibrary);
  }

  /** What `authenticate` says to a library client. Never rejects. */
  async introduce(handshake: Handshake): Promise<Admission | Denial> {
    return this.#judgement.authenticate(handshake);
  }

  /** A library client that was let in at its handshake was refused after its hello, with this code. */
  turnAway(handshake: Handshake, reason: RefusalReason, code: number): void {
    this.#options.refused({ status: code, reason, handshake });
  }

  /** A connection has opened. */
  entered({ remoteAddress }: Handshake): void {
    this.#occupancy.enter(remoteAddress);
  }

  /** It has ended. */
  left({ remoteAddress }: Handshake): void {
    this.#occupancy.leave(remoteAddress);
  }

  #obstacleTo(handshake: Handshake, host: string): RefusalReason | undefined {
    if (!this.#open) return "draining";
    try {
      if (!isWelcome(this.#options.settings.origins, handshake, host)) return "origin";
    } catch (error) {
      this.#options.failed(error, "origins");
      return "origin";
    }
    return this.#occupancy.obstacleTo(handshake.remoteAddress);
  }

  /** Who is being judged takes a place already. */
  async #judge(handshake: Handshake, protocol: string, isLibrary: boolean): Promise<UpgradeDecision> {
    this.entered(handshake);
    const verdict = await this.#judgement.judge(handshake, isLibrary);
    // Its connection takes the place before anybody else is asked: both happen in this turn of the event loop.
    this.left(handshake);
    if (!this.#open) return this.#refuse(handshake, "draining");
    if ("reason" in verdict) return this.#refuse(handshake, verdict.reason, verdict);
    return accept(protocol, verdict);
  }

  #refuse(handshake: Handshake, reason: RefusalReason, denial?: Denial): UpgradeDecision {
    const decision = refusalDecision(reason, denial);
    this.#options.refused({ status: decision.status, reason, handshake });
    return decision;
  }
}

function accept(protocol: string, admission: Admission): UpgradeDecision {
  return { accept: true, protocol, context: admission };
}
