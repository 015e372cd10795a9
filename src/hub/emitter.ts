import type { Backplane } from "../backplanes/backplane.ts";
import type { BackplaneState, Cluster } from "../cluster/cluster.ts";
import type { NodeDescription } from "../cluster/nodes.ts";
import type { HubTypes } from "../event-types.ts";
import { EVERYBODY } from "../members/audience.ts";
import { assembleNode } from "./assembly.ts";
import type { NodeTargetParts } from "./node-target.ts";
import { resolveHubOptions, type HubOptions } from "./options.ts";
import type { Preconditions } from "./preconditions.ts";
import { Sender } from "./sender.ts";
import { Target } from "./target.ts";
import { Warnings } from "./warnings.ts";

/** The {@link HubOptions} that a program without clients needs. They have to be the same as on the nodes. */
export interface EmitterOptions<T extends HubTypes = HubTypes> extends Pick<
  HubOptions<T>,
  "clock" | "cluster" | "codec" | "codecs" | "contract" | "history" | "limits" | "maxBufferedBytes" | "validateOutgoing"
> {
  /** Called for outages, and for messages that were lost. Default: failures become process warnings. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Sends to the sockets of a cluster from a program that has none: a worker, a script.
 *
 * @example
 * const emitter = createEmitter(redis({ url: "redis://localhost" }));
 * emitter.to("orders").emit("shipped", { id: 7 });
 * await emitter.close();
 */
export function createEmitter<T extends HubTypes = HubTypes>(
  backplane: Backplane,
  options: EmitterOptions<T> = {},
): Emitter<T> {
  return new Emitter<T>(backplane, options);
}

/** Sends to the sockets of a cluster from a program that has none. Made by {@link createEmitter}. */
export class Emitter<T extends HubTypes = HubTypes> extends Sender<T> {
  readonly #preconditions: Preconditions;
  readonly #cluster: Cluster;
  readonly #everybody: Target<T>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(backplane: Backplane, { onError, ...options }: EmitterOptions<T>) {
    super();
    const settings = resolveHubOptions({ ...options, backplane });
    const warnings = new Warnings(settings.clock, 'the option "onError"');
    const node = assembleNode(settings, false, undefined, {
      failed: (error, source) => (onError === undefined ? warnings.failed(error, source) : onError(error)),
      // An emitter has no sockets.
      departed: () => {},
      entered: () => {},
      exited: () => {},
      dropped: () => {},
      gap: () => {},
      happened: () => {},
    });
    this.#preconditions = node.preconditions;
    this.#cluster = node.cluster as Cluster;
    this.#everybody = new Target<T>(node, EVERYBODY);
    this.#cluster.start();
  }

  /** A copy of the list of nodes that are there now. */
  get nodes(): readonly NodeDescription[] {
    return this.#cluster.nodes.list;
  }

  /** The state of the connection with the nodes. */
  get backplaneState(): BackplaneState {
    return this.#cluster.state;
  }

  override get everybody(): Target<T> {
    return this.#everybody;
  }

  protected override get programs(): NodeTargetParts {
    return { preconditions: this.#preconditions, cluster: this.#cluster };
  }

  /**
   * Resolves when the nodes have put their sockets into the room, or taken them out of it, as this emitter has told them
   * before, and hear the room: see `hub.synced`. Without a room, when that is so for every room.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` where the engine does not let a node hear
   *   the room; as a rejection.
   */
  async synced(room?: string): Promise<void> {
    this.#preconditions.checkOpen();
    if (room !== undefined) this.#preconditions.roomNames([room]);
    await this.#cluster.synced(room);
  }

  /**
   * Ends the connection, after what was sent before. An engine that has not been there yet is waited for a few seconds.
   * Idempotent. Afterwards the emitter cannot be used again.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#cluster.disconnect();
    this.#preconditions.close();
  }
}
