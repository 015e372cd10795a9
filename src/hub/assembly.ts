import { ownedOnce } from "../checks/owned-once.ts";
import { Cluster } from "../cluster/cluster.ts";
import { Interest } from "../cluster/interest.ts";
import { createNodeId } from "../cluster/node-id.ts";
import { NodeMessages } from "../cluster/node-messages.ts";
import { PresenceLink } from "../cluster/presence-link.ts";
import { RoomLogs } from "../cluster/room-logs.ts";
import { zeroCounters, type Counters } from "../counters.ts";
import { Codecs } from "../delivery/codecs.ts";
import { Delivery } from "../delivery/delivery.ts";
import { Multicast } from "../delivery/multicast.ts";
import { Door } from "../door/door.ts";
import type { HubTypes } from "../event-types.ts";
import { guarded } from "../guard.ts";
import { History } from "../history/history.ts";
import { Rules } from "../history/rules.ts";
import { Dispatcher } from "../inbound/dispatcher.ts";
import { Handlers } from "../inbound/handlers.ts";
import { Idempotency } from "../inbound/idempotency.ts";
import { MiddlewareChain } from "../inbound/middleware.ts";
import { Receiver } from "../inbound/receiver.ts";
import { Responder } from "../inbound/responder.ts";
import { RoomRequests, type Joinable, type RoomMovement } from "../inbound/room-requests.ts";
import { RateLimits } from "../limits/rate-limits.ts";
import { ByteBudget } from "../limits/byte-budget.ts";
import { WorkBudget } from "../limits/work.ts";
import { EVERYBODY } from "../members/audience.ts";
import { MemberLifecycle, type NodeReport } from "../members/lifecycle.ts";
import { LocalNode } from "../members/local-node.ts";
import type { AnyHandler, Member } from "../members/member.ts";
import { Members } from "../members/members.ts";
import { Requests } from "../members/requests.ts";
import { ControlEvent, WireErrorCode, type WireError } from "../protocol/packet.ts";
import { Presence } from "../presence/presence.ts";
import type { PresenceRoomReport } from "../presence/room.ts";
import type { MemberObserver } from "../rooms/rooms.ts";
import { guardedClock } from "../time/guarded-clock.ts";
import { Heartbeat } from "../time/heartbeat.ts";
import type { Topics, Transport } from "../transports/transport.ts";
import { uws } from "../transports/uws/index.ts";
import { ws } from "../transports/ws/index.ts";
import { AllNodes } from "./all-nodes.ts";
import { Connections } from "./connections.ts";
import { HubLifecycle } from "./lifecycle.ts";
import type { HubSettings, TransportName } from "./options.ts";
import { Preconditions } from "./preconditions.ts";
import { Reporter } from "./reporter.ts";
import type { Socket } from "./socket.ts";
import { Target } from "./target.ts";

/** The parts for sending, which a hub and an emitter have in common. */
export interface NodeAssembly {
  readonly counters: Counters;
  readonly codecs: Codecs;
  readonly preconditions: Preconditions;
  readonly rates: RateLimits;
  readonly delivery: Delivery<Member>;
  readonly members: Members;
  readonly requests: Requests<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly local: LocalNode;
  /** Requests that clients may repeat; `undefined` if they are handled each time. */
  readonly idempotency: Idempotency<Member> | undefined;
  readonly cluster: Cluster | undefined;
  /** The records of rooms; `undefined` if no room is recorded. */
  readonly history: History | undefined;
  /** Who is in which room; `undefined` if no room has presence. */
  readonly presence: Presence | undefined;
  /** The handlers of messages of other nodes. */
  readonly messages: NodeMessages;
  readonly allNodes: AllNodes;
}

/** @param isNode - whether this process may have sockets. */
export function assembleNode(
  settings: HubSettings,
  isNode: boolean,
  topics: Topics | undefined,
  report: NodeReport & Pick<PresenceRoomReport, "happened">,
): NodeAssembly {
  const { cluster: options, limits, maxBufferedBytes } = settings;
  const clock = guardedClock(settings.clock, report);
  const backplane = settings.backplane === undefined ? undefined : ownedOnce(settings.backplane, "backplane");
  const node = backplane === undefined ? "" : createNodeId();
  const counters = zeroCounters();
  const rates = new RateLimits(limits, clock);
  const codecs = new Codecs(settings);
  const preconditions = new Preconditions(settings, limits);
  const interest = backplane === undefined ? undefined : new Interest(backplane, clock, options.grace);

  const delivery = new Delivery<Member>({
    maxBufferedBytes,
    counters,
    multicast: topics === undefined ? undefined : new Multicast(topics, maxBufferedBytes),
    report: {
      failed: (error, source) => report.failed(error, source),
      fail: (member, error) => lifecycle.fail(member, error),
      overflow: (member) => lifecycle.expelSlow(member),
      dropped: (member, reason) => report.dropped(member, reason),
      notice: (member, count) => local.noticeOf(member, count),
    },
  });
  const presence: Presence | undefined =
    settings.presence === undefined || !isNode
      ? undefined
      : new Presence({
          clock,
          codecs,
          delivery,
          feed:
            interest &&
            new PresenceLink({
              self: node,
              lease: options.lease,
              interest,
              isCut: () => cluster?.state === "disconnected",
              tell: (channel, control) => cluster?.tellPresence(channel, control),
              connected: (): Promise<unknown> => cluster?.connected() ?? Promise.resolve(),
              answered: (): Promise<unknown> => cluster?.answered() ?? Promise.resolve(),
            }),
          isIn: (member, room) => members.rooms.get(room)?.has(member) === true,
          mostRooms: limits.rooms,
          options: settings.presence,
          report: {
            fail: (member, error) => lifecycle.fail(member, error),
            failed: (error, source, subject) => report.failed(error, source, subject),
            happened: (room, effect, user, context) => report.happened(room, effect, user, context),
          },
        });
  const members = new Members(delivery, interest, presence === undefined ? report : bothOf(presence, report));
  const requests = new Requests<Member>(settings.contract?.hub, clock, (member) => {
    guarded(report, () => lifecycle.rested(member));
  });
  const fail = (member: Member, error: unknown): void => lifecycle.fail(member, error);
  const overload = { policy: settings.overload };
  const rules = settings.history === undefined ? undefined : new Rules(settings.history);
  const log = rules === undefined ? undefined : backplane?.log;
  const logs =
    log === undefined || interest === undefined
      ? undefined
      : new RoomLogs({
          self: node,
          log,
          clock,
          codecs,
          interest,
          maxPendingBytes: options.maxPendingBytes,
          overload,
          flush: () => cluster?.flush(),
          listener: {
            begun: (room, tail, gap) => history?.follower.begun(room, tail, gap),
            recorded: (room, event, novelty) => history?.follower.recorded(room, event, novelty),
            lost: (room) => history?.follower.lost(room),
          },
          report,
        });
  const history =
    rules === undefined
      ? undefined
      : new History({
          clock,
          codecs,
          delivery,
          maxBufferedBytes,
          deliver: (audience, encoding) => local.deliver(audience, encoding),
          isNode,
          feed: logs,
          members,
          rates,
          rules,
          report: {
            fail,
            failed: (error, source, subject) => report.failed(error, source, subject),
            gap: (member, room, reason) => report.gap(member, room, reason),
          },
        });
  const recorded = history;
  const common = { codecs, delivery, members, recorded, requests, report };
  const lifecycle = new MemberLifecycle({ ...common, node, clock, counters, rates });
  const local = new LocalNode({ ...common, lifecycle, limits, overload });

  const idempotency =
    !isNode || settings.idempotency === false
      ? undefined
      : new Idempotency<Member>(settings.idempotency, clock, counters);
  const messages = new NodeMessages(limits.listeners, report);
  const others = { clock, codecs, isNode, keeper: idempotency, local, members, messages, options, requests, report };
  const cluster: Cluster | undefined =
    backplane === undefined || interest === undefined
      ? undefined
      : new Cluster({
          ...others,
          backplane,
          interest,
          logs,
          presence,
          rules: rules?.digest,
          self: { id: node, name: options.name },
        });
  const allNodes = new AllNodes({ codecs, local, requests, cluster, history });
  const sending = { delivery, members, requests, lifecycle, local, cluster, history, presence, allNodes };
  return { counters, codecs, preconditions, rates, idempotency, messages, ...sending };
}

/** All parts that a hub uses itself. */
export interface HubAssembly<T extends HubTypes> extends NodeAssembly {
  readonly work: WorkBudget;
  /** The budget of the messages that wait. */
  readonly waiting: ByteBudget;
  readonly reporter: Reporter<T>;
  readonly handlers: Handlers;
  readonly middleware: MiddlewareChain<Socket<T>>;
  readonly connections: Connections;
  readonly hubLifecycle: HubLifecycle;
  readonly everybody: Target<T>;
}

/** Creates the parts of a hub and connects them with each other. None of them has started yet. */
export function assembleHub<T extends HubTypes>(hub: object, settings: HubSettings): HubAssembly<T> {
  const { limits } = settings;
  const reporter = new Reporter<T>(hub, limits.listeners, settings.clock);
  const clock = guardedClock(settings.clock, reporter);
  const transport = createTransport(settings.transport);
  const node = assembleNode(settings, true, transport.topics, reporter);
  const { cluster, members, codecs, counters } = node;

  const joinable = settings.joinable as Joinable<Socket<T>> | undefined;
  const { local, presence } = node;
  const tellPresence = (member: Member, room: string): void => {
    if (presence?.has(room) === true) presence.watch(member, room);
    else {
      const data: WireError = { code: WireErrorCode.invalidData, message: `The room "${room}" has no presence.` };
      local.tell(member, { event: ControlEvent.error, data });
    }
  };
  const movement: RoomMovement<Socket<T>> = {
    enter: ({ id }, room, { since, presence: watches }, entered) => {
      const member = members.all.get(id);
      if (member === undefined) entered(true);
      else {
        local.enter(member, room, since, (isIn) => {
          if (isIn && watches) tellPresence(member, room);
          entered(isIn);
        });
      }
    },
    exit: ({ id }, room) => {
      const member = members.all.get(id);
      if (member !== undefined) local.exit(member, room);
    },
  };
  const rooms = new RoomRequests(joinable, movement, limits.roomNameLength, clock, reporter);
  const handlers = new Handlers();
  handlers.add(ControlEvent.join, rooms.join as AnyHandler<unknown>);
  handlers.add(ControlEvent.leave, rooms.leave as AnyHandler<unknown>);
  // The answer says that everything before it was taken, because it is handled in its turn.
  handlers.add(ControlEvent.sync, () => {});
  const work = new WorkBudget(settings.maxPendingBytes);
  const waiting = new ByteBudget(settings.maxPendingBytes);
  const middleware = new MiddlewareChain<Socket<T>>();
  const responder = new Responder({ ...node, report: reporter });
  const dispatcher = new Dispatcher({
    ...node,
    responder,
    work,
    middleware: middleware as MiddlewareChain<unknown>,
    handlers,
    contract: settings.contract?.hub,
    validateOutgoing: settings.validateOutgoing,
    nodes: cluster?.claims,
    finished: (member) => receiver.finished(member),
    report: reporter,
  });
  const receiver = new Receiver({
    ...node,
    clock,
    dispatcher,
    limits,
    responder,
    rooms,
    work,
    waiting,
    report: reporter,
  });

  const door = new Door({ settings, clock, counters, rates: node.rates, library: codecs.protocols, report: reporter });
  const nextPhase = (): number => heartbeat?.nextPhase() ?? 0;
  const connections = new Connections({ ...node, clock, receiver, door, settings, nextPhase, report: reporter });
  const heartbeat =
    settings.heartbeat === false ? undefined : new Heartbeat(settings.heartbeat, members.all, clock, connections);
  const hubLifecycle = new HubLifecycle({ ...node, clock, connections, receiver, heartbeat, settings, transport });

  const everybody = new Target<T>(node, EVERYBODY);
  return { ...node, work, waiting, reporter, handlers, middleware, connections, hubLifecycle, everybody };
}

/** The first one hears of each change before the second. */
function bothOf<M>(first: MemberObserver<M>, second: MemberObserver<M>): MemberObserver<M> {
  return {
    entered: (name, member, isFirst) => {
      first.entered(name, member, isFirst);
      second.entered(name, member, isFirst);
    },
    exited: (name, member, wasLast) => {
      first.exited(name, member, wasLast);
      second.exited(name, member, wasLast);
    },
  };
}

function createTransport(transport: TransportName | Transport): Transport {
  if (typeof transport === "string") return transport === "ws" ? ws() : uws();
  return ownedOnce(transport, "transport");
}
