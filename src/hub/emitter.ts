import { EVERYBODY } from "../members/audience.ts";
import { checkEventName, onlyValue } from "../checks/arguments.ts";
import type { Backplane } from "../backplanes/backplane.ts";
import { Cluster, type BackplaneState } from "../cluster/cluster.ts";
import { createNodeId } from "../cluster/node-id.ts";
import type { NodeDescription } from "../cluster/nodes.ts";
import { Core } from "../members/lifecycle.ts";
import type { DataArguments, EventName, HubTypes, NodeEvents, ServerEvents } from "../event-types.ts";
import { resolveOptions, type HubOptions } from "./options.ts";
import { ownedOnce } from "../checks/owned-once.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import { Target } from "./target.ts";

/** Of {@link HubOptions}, what a program without clients needs: the same as on the nodes. */
export interface EmitterOptions<T extends HubTypes = HubTypes> extends Pick<
  HubOptions<T>,
  "clock" | "cluster" | "codec" | "codecs" | "contract" | "limits" | "maxBufferedBytes" | "validateOutgoing"
> {
  /** Hears of outages, and of messages that were lost. Default: they go unheard, as the library never prints. */
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

/** The way from a program without clients to those of a cluster. Made by {@link createEmitter}. */
export class Emitter<T extends HubTypes = HubTypes> {
  readonly #core: Core;
  readonly #cluster: Cluster;
  readonly #everybody: Target<T>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(backplane: Backplane, { onError, ...options }: EmitterOptions<T>) {
    const settings = resolveOptions({ ...options, backplane });
    const id = createNodeId();
    this.#core = new Core(settings, undefined, id, NO_EVENTS);
    this.#cluster = new Cluster({
      core: this.#core,
      backplane: ownedOnce(backplane, "backplane"),
      options: settings.cluster,
      self: { id, name: settings.cluster.name },
      isNode: false,
      failed: (error) => onError?.(error),
    });
    this.#core.cluster = this.#cluster;
    this.#everybody = new Target<T>(this.#core, EVERYBODY);
    this.#cluster.start();
  }

  /** The nodes that are there. A copy. */
  get nodes(): readonly NodeDescription[] {
    return this.#cluster.nodes.list;
  }

  /** How the connection with the nodes stands. */
  get backplaneState(): BackplaneState {
    return this.#cluster.state;
  }

  /** Everybody on all nodes. */
  get everybody(): Target<T> {
    return this.#everybody;
  }

  /** The members of a room, or of several, each once. See {@link Target.to}. */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.#everybody.to(...rooms);
  }

  /** One socket by its id. See {@link Target.toSocket}. */
  toSocket(id: string): Target<T> {
    return this.#everybody.toSocket(id);
  }

  /** All sockets of a user. See {@link Target.toUser}. */
  toUser(id: string): Target<T> {
    return this.#everybody.toUser(id);
  }

  /** Everybody but the members of these rooms. See {@link Target.except}. */
  except(...rooms: readonly RoomNames[]): Target<T> {
    return this.#everybody.except(...rooms);
  }

  /** Sends an event to everybody. See {@link Target.emit}. */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...data: DataArguments<ServerEvents<T>[E]>): void {
    this.#everybody.emit(event, ...data);
  }

  /** Sends a message as it is to everybody. See {@link Target.send}. */
  send(message: string | Uint8Array): void {
    this.#everybody.send(message);
  }

  /** Sends a message to the programs on all nodes. See `hub.emitToNodes`. */
  emitToNodes<E extends EventName<NodeEvents<T>>>(event: E, ...values: DataArguments<NodeEvents<T>[E]>): void {
    this.#core.checkOpen();
    checkEventName(event);
    this.#cluster.emitToNodes(event, onlyValue(values));
  }

  /**
   * Ends the connection, after what was sent before; if the engine has not been there yet, that waits for it a few seconds.
   * Idempotent. Afterwards the emitter cannot be used again.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#cluster.disconnect();
    this.#core.close();
  }
}

/** Nobody is connected to it. */
const NO_EVENTS = { departed: (): void => {}, dropped: (): void => {}, failed: (): void => {} };
