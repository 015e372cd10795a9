import type { PresenceControl, PresenceFeed, RoomPresenceControl } from "../members/presence-feed.ts";
import { ALL_NODES, nodeChannel, roomChannel } from "./channels.ts";
import type { Interest } from "./interest.ts";

export interface PresenceLinkParts {
  readonly self: string;
  readonly lease: number;
  readonly interest: Interest;
  readonly isCut: () => boolean;
  /** Sends a control to other nodes. */
  readonly tell: (channel: string, control: PresenceControl) => void;
  /** Resolves when the engine is connected. */
  readonly connected: () => Promise<unknown>;
  /** Resolves when all nodes have answered that live, behind what they were asked before. */
  readonly answered: () => Promise<unknown>;
}

/** What nodes tell each other of their users, on the channels of the rooms. */
export class PresenceLink implements PresenceFeed {
  readonly self: string;
  readonly lease: number;
  readonly #parts: PresenceLinkParts;

  constructor(parts: PresenceLinkParts) {
    this.self = parts.self;
    this.lease = parts.lease;
    this.#parts = parts;
  }

  hold(room: string): void {
    this.#parts.interest.hold(roomChannel(room));
  }

  release(room: string): void {
    this.#parts.interest.release(roomChannel(room));
  }

  async synced(room: string): Promise<void> {
    await this.#parts.connected();
    await this.#parts.interest.synced(roomChannel(room));
  }

  tell(control: RoomPresenceControl): void {
    this.#parts.tell(roomChannel(control.room), control);
  }

  tellAll(control: PresenceControl): void {
    this.#parts.tell(ALL_NODES, control);
  }

  tellNode(node: string, control: PresenceControl): void {
    this.#parts.tell(nodeChannel(node), control);
  }

  get isCut(): boolean {
    return this.#parts.isCut();
  }

  async ask(controls: readonly PresenceControl[]): Promise<void> {
    do {
      // oxlint-disable-next-line no-await-in-loop -- what is asked in an outage is lost
      await this.#parts.connected();
      for (const control of controls) this.tellAll(control);
      // oxlint-disable-next-line no-await-in-loop
      await this.#parts.answered();
    } while (this.isCut);
  }
}
