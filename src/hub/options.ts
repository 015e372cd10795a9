import { clusterOptions, type ClusterOptions, type ClusterSettings } from "../cluster/options.ts";
import { hasFunctions, isBoolean, resolveOptions, type Given, type Options } from "../checks/option-rules.ts";
import { deliveryOptions, type DeliverySettings } from "../delivery/options.ts";
import { doorOptions, type DoorSettings } from "../door/options.ts";
import { HubError } from "../errors.ts";
import type { HubTypes } from "../event-types.ts";
import { checkHistory, historyOptions, type HistorySettings } from "../history/options.ts";
import { idempotencyOptions, type IdempotencySettings } from "../inbound/idempotency.ts";
import { roomRequestOptions, type RoomRequestSettings } from "../inbound/room-requests.ts";
import { limitOptions, type Limits, type LimitSettings } from "../limits/limits.ts";
import { contractOptions, type ContractSettings } from "../members/options.ts";
import { checkPresence, presenceOptions, type PresenceSettings } from "../presence/options.ts";
import { clockOptions, type ClockSettings } from "../time/clock.ts";
import { heartbeatOptions, type HeartbeatSettings } from "../time/heartbeat.ts";
import { wireOptions, type WireSettings } from "../transports/options.ts";
import type { Transport } from "../transports/transport.ts";
import type { Socket } from "./socket.ts";

/** The transports that a configuration can name. */
export type TransportName = "ws" | "uws";

/** The settings of the hub itself. */
interface OwnSettings {
  /**
   * The transport that carries the bytes: `"ws"` (the default), `"uws"`, or an object from `roomcast/transports/ws` or
   * `roomcast/transports/uws` that attaches to a server of the application's. Nothing else changes with it.
   */
  readonly transport: TransportName | Transport;

  /**
   * Whether a plain client is greeted with `hub:welcome`. Library clients always are. Default: `true`.
   */
  readonly welcome: boolean;
}

const ownOptions: Options<OwnSettings> = {
  transport: { default: "ws", rule: ['"ws", "uws" or a transport object', isTransport] },
  welcome: { default: true, rule: ["true or false", isBoolean] },
};

/** The settings of a hub: the options that were given, checked, and the defaults of the others. */
export interface HubSettings
  extends
    OwnSettings,
    WireSettings,
    DoorSettings,
    ContractSettings<never>,
    DeliverySettings,
    HeartbeatSettings,
    RoomRequestSettings<never>,
    IdempotencySettings,
    HistorySettings,
    PresenceSettings,
    LimitSettings,
    ClusterSettings,
    ClockSettings {}

/** Options of a hub. Every option has a default; an unknown one is an error. */
export interface HubOptions<T extends HubTypes = HubTypes>
  extends
    Given<OwnSettings>,
    Given<WireSettings>,
    Given<DoorSettings<T>>,
    Given<ContractSettings<T>>,
    Given<DeliverySettings>,
    Given<HeartbeatSettings>,
    Given<RoomRequestSettings<Socket<T>>>,
    Given<IdempotencySettings>,
    Given<HistorySettings>,
    Given<PresenceSettings>,
    Given<Omit<LimitSettings, "limits">>,
    Given<Omit<ClusterSettings, "cluster">>,
    Given<ClockSettings> {
  /** Limits of one socket: see {@link Limits}. Those that are not given keep their defaults. */
  limits?: Partial<Limits> | undefined;

  /**
   * The behaviour of this node towards the other nodes: see {@link ClusterOptions}. Those that are not given keep their
   * defaults.
   */
  cluster?: Partial<ClusterOptions> | undefined;
}

const OPTIONS: Options<HubSettings> = {
  ...ownOptions,
  ...wireOptions,
  ...doorOptions,
  ...contractOptions,
  ...deliveryOptions,
  ...heartbeatOptions,
  ...roomRequestOptions,
  ...idempotencyOptions,
  ...historyOptions,
  ...presenceOptions,
  ...limitOptions,
  ...clusterOptions,
  ...clockOptions,
};

/**
 * Checks the given options and fills in the defaults. An option that is `undefined` counts as absent.
 *
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function resolveHubOptions(options: unknown): HubSettings {
  refuseServer(options);
  const settings = resolveOptions(options, OPTIONS, "Hub");
  if (settings.validateOutgoing && settings.contract === undefined) {
    throw new HubError("ERR_HUB_OPTION", 'The option "validateOutgoing" of Hub needs the option "contract".');
  }
  const { backplane, history, limits, presence } = settings;
  if (history !== undefined) checkHistory(history, { backplane, roomNameLength: limits.roomNameLength });
  if (presence !== undefined) checkPresence(presence, limits.roomNameLength);
  return settings;
}

function isTransport(value: unknown): boolean {
  return value === "ws" || value === "uws" || hasFunctions(value, "start", "listen", "stopListening", "destroy");
}

/** Refuses a port and everything that listens in the place of the options: the constructors of other libraries take both. */
function refuseServer(options: unknown): void {
  if (typeof options === "number") {
    throw new HubError(
      "ERR_HUB_OPTION",
      `The options of Hub must be an object, and no port. Write new Hub() and hub.listen(${options}).`,
    );
  }
  if (typeof (options as { readonly listen?: unknown } | null | undefined)?.listen !== "function") return;
  throw new HubError(
    "ERR_HUB_OPTION",
    "The options of Hub must be an object of options, and no server. Write new Hub({ transport: ws({ server }) }), with ws of " +
      '"roomcast/transports/ws", or uws({ app }) with an app of uWebSockets.js.',
  );
}
