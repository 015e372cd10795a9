/** A user in the set of one node: the time since which it is in there, its data, and when that was set. */
export type PresentUser = readonly [user: string, since: number, data?: unknown, set?: number];

/**
 * A user that has left the set of one node: the time when it left, and whether this node has told its own listeners that they
 * are the ones to act.
 */
export type AbsentUser = readonly [user: string, left: number, acted?: true];

/** A node that has left, or is silent. */
export interface AbsentNode {
  readonly node: string;
  /** The time in which its users come back elsewhere, in milliseconds; absent if it has not said that it leaves. */
  readonly within?: number | undefined;
  /** The time for which it has been silent, in milliseconds, if it has not said that it leaves. */
  readonly silentFor?: number | undefined;
}

/** The users of a room on the node that sends it: all of them, or how its set has changed. */
export type PresenceControl =
  | {
      readonly type: "here";
      readonly room: string;
      /** The number of the last change of the set. */
      readonly version: number;
      /** The time since which the node has listeners that learn who comes and goes; absent if it has none. */
      readonly listens?: number | undefined;
      /** The node whose set it is, if that cannot speak for itself any more. Default: the one that sends it. */
      readonly of?: AbsentNode;
      /** The set, or a part of it; absent if only the version is told. */
      readonly users?: readonly PresentUser[];
      /** The number of the part. Default: 0. */
      readonly part?: number;
      /** `true` for all parts but the last. */
      readonly more?: true;
      /** Asks the nodes that hear it for their sets, but for those of which this is the version. */
      readonly asks?: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "present";
      readonly room: string;
      /** The number of this change, one more than that of the change before it. */
      readonly version: number;
      /** As in `here`. */
      readonly listens?: number | undefined;
      readonly in?: readonly PresentUser[];
      readonly out?: readonly AbsentUser[];
    }
  /** Asks a node for its sets in rooms, but for those that have these versions. */
  | { readonly type: "sets"; readonly rooms: PresenceVersions }
  /** The versions of the sets of the node: of those that have changed in the last lease, and some others in turn. */
  | { readonly type: "versions"; readonly rooms: PresenceVersions }
  /** The node has acted on the departure with this key, so that no other one has to. */
  | { readonly type: "acted"; readonly room: string; readonly user: string; readonly key: string };

/** What is about one room. */
export type RoomPresenceControl = Extract<PresenceControl, { readonly room: string }>;

/** The version of the set of a node in each of some rooms. */
export type PresenceVersions = readonly (readonly [room: string, version: number])[];

/** Hears of the users on other nodes. */
export interface PresenceListener {
  /** Names the rules of presence. All nodes should have the same. */
  readonly digest: string;
  /** Returns whether this node wants to hear of the users of a room. */
  follows(room: string): boolean;
  /** Called with what another node tells of its users. */
  take(node: string, control: PresenceControl): void;
  /** Called with a sign of life of another node. */
  alive(node: string): void;
  /**
   * Called when a node has said that it leaves.
   *
   * @param within - the time in which its users come back elsewhere, in milliseconds.
   */
  left(node: string, within: number): void;
  /**
   * Called when this node leaves: tells what the others do not know yet, and stops.
   *
   * @returns the time in which the users of this node come back on others, in milliseconds.
   */
  leave(): number;
  /**
   * Called several times in each lease, before this node gives a sign of life.
   *
   * @param heard - the nodes that have given a sign of life since the last call.
   * @param isAwake - whether they could be heard: this process was not suspended, and the engine is there.
   */
  looked(heard: ReadonlySet<string>, isAwake: boolean): void;
  /** Called when the engine is connected, again or for the first time. */
  connected(): void;
}

/** Tells other nodes of the users on this one. */
export interface PresenceFeed {
  /** The id of this node. */
  readonly self: string;
  /** The time without a sign of life after which a node is gone, in milliseconds. */
  readonly lease: number;
  /** Whether the engine cannot be reached. */
  readonly isCut: boolean;
  /** Begins to hear what the nodes tell of a room. It ends with {@link release}. */
  hold(room: string): void;
  release(room: string): void;
  /** Resolves when what is told of a room arrives here. It rejects as {@link Interest.synced}. */
  synced(room: string): Promise<void>;
  /** Tells the nodes that hear the room. */
  tell(control: RoomPresenceControl): void;
  /** Tells all nodes. */
  tellAll(control: PresenceControl): void;
  /** Tells one node. */
  tellNode(node: string, control: PresenceControl): void;
  /** Tells all nodes, and resolves when those have answered that live. */
  ask(controls: readonly PresenceControl[]): Promise<void>;
}
