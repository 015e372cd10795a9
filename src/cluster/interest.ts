import type { Backplane } from "../backplanes/backplane.ts";
import type { HubError } from "../errors.ts";
import { handled } from "../guard.ts";
import type { NameObservers } from "../members/members.ts";
import type { NameObserver } from "../rooms/rooms.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { ALL_SOCKETS, roomChannel, userChannel } from "./channels.ts";

/**
 * The channels that this node subscribes to: those of its rooms and users, and those held by the cluster itself. A
 * channel is kept for a while after it was released, so that rooms which members leave and join again cost the engine
 * nothing.
 */
export class Interest implements NameObservers {
  readonly rooms: NameObserver = this.#observer(roomChannel);
  readonly users: NameObserver = this.#observer(userChannel);
  readonly #backplane: Backplane;
  readonly #clock: Clock;
  /** The time that a released channel is kept, in milliseconds. */
  readonly #grace: number;
  /** The channels that are subscribed to, with the promise that the engine confirms each. */
  readonly #channels = new Map<string, Promise<unknown>>();
  /** The number of times that each is held. */
  readonly #holds = new Map<string, number>();
  /** Those of them that the engine has not confirmed. */
  readonly #unconfirmed = new Map<string, Promise<unknown>>();
  /** Those that the engine refuses on this connection, with the error that tells it. */
  readonly #refused = new Map<string, HubError>();
  /** Whether the engine has refused a channel on this connection, which may have been dropped since. */
  #isRefusalKnown = false;
  /** The released channels with the time until which each is kept, the earliest first. */
  readonly #released = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(backplane: Backplane, clock: Clock, grace: number) {
    this.#backplane = backplane;
    this.#clock = clock;
    this.#grace = grace;
  }

  everybody(areAny: boolean): void {
    if (areAny) this.hold(ALL_SOCKETS);
    else this.release(ALL_SOCKETS);
  }

  /**
   * Subscribes to a channel, if it is not subscribed to already. A channel that the engine refuses is asked for again. It is
   * held until it was released as often.
   */
  hold(channel: string): void {
    this.#holds.set(channel, (this.#holds.get(channel) ?? 0) + 1);
    this.#released.delete(channel);
    if (this.#refused.has(channel)) this.#drop(channel);
    if (this.#channels.has(channel)) return;
    const settled = (): unknown => this.#unconfirmed.get(channel) === subscribed && this.#unconfirmed.delete(channel);
    const subscribed: Promise<unknown> = this.#backplane.subscribe(channel).then(settled, (error: unknown) => {
      // A channel that was let go before the engine confirmed it is not missed, and of a refusal the hub was told.
      if (this.#channels.get(channel) === subscribed && !this.#refused.has(channel)) throw error;
      settled();
    });
    this.#channels.set(channel, handled(subscribed));
    this.#unconfirmed.set(channel, subscribed);
  }

  /** Releases a channel: unsubscribes from it after the time of grace, if nobody else holds it. */
  release(channel: string): void {
    const holds = (this.#holds.get(channel) ?? 1) - 1;
    if (holds > 0) {
      this.#holds.set(channel, holds);
      return;
    }
    this.#holds.delete(channel);
    this.#released.set(channel, this.#clock.now() + this.#grace);
    this.#timer ??= this.#clock.setTimeout(() => this.#sweep(), this.#grace);
  }

  /** Returns whether messages of this channel may arrive. */
  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /**
   * Notes that the engine refuses a channel.
   *
   * @returns whether this is the first that it refuses on this connection.
   */
  refuse(channel: string, error: HubError): boolean {
    this.#refused.set(channel, error);
    const isFirst = !this.#isRefusalKnown;
    this.#isRefusalKnown = true;
    return isFirst;
  }

  /** Forgets what the engine has refused, because the next connection asks again. */
  forgetRefusals(): void {
    this.#refused.clear();
    this.#isRefusalKnown = false;
  }

  /**
   * Resolves when the engine has confirmed the channel; at once for a channel that is not held.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE` where the engine refuses it; as a rejection.
   */
  async synced(channel: string): Promise<void> {
    await this.#channels.get(channel);
    const refusal = this.#refused.get(channel);
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Resolves when the engine has confirmed all channels that are held now.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE` where the engine refuses one of them; as a rejection.
   */
  async allSynced(): Promise<void> {
    await this.settled();
    for (const refusal of this.#refused.values()) throw refusal;
  }

  /** Resolves when the engine has confirmed or refused all channels that are held now. */
  async settled(): Promise<void> {
    await Promise.all(this.#unconfirmed.values());
  }

  /** The channels that the engine refuses. */
  get refusals(): readonly string[] {
    return [...this.#refused.keys()];
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #observer(channelOf: (name: string) => string): NameObserver {
    return {
      appeared: (name) => this.hold(channelOf(name)),
      vanished: (name) => this.release(channelOf(name)),
    };
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [channel, until] of this.#released) {
      if (until > now) {
        this.#timer = this.#clock.setTimeout(() => this.#sweep(), until - now);
        return;
      }
      this.#drop(channel);
    }
  }

  /** Unsubscribes from a channel. */
  #drop(channel: string): void {
    this.#released.delete(channel);
    this.#channels.delete(channel);
    this.#unconfirmed.delete(channel);
    this.#refused.delete(channel);
    this.#backplane.unsubscribe(channel);
  }
}
