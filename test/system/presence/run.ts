import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../support/random.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import type { Engine } from "../recovery/run.ts";
import { Programs, type Program, type ProgramSettings } from "../recovery/program.ts";
import { LibraryTab, PlainTab } from "./tab.ts";
import { User } from "./user.ts";

/** The room of which the nodes follow who is there, and one of which they know only because clients are told. */
const FOLLOWED = "chat:followed";
const QUIET = "chat:quiet";

const NODES = 3;
const USERS = 300;

/** In milliseconds. */
export const LEASE = 5_000;
const GRACE = 5_000;

/**
 * The longest absence of which nobody may learn, in milliseconds: shorter than the grace, because a machine that is busy tells
 * the nodes late who comes back.
 */
const UNSEEN = 2_500;

/** The interval of checks, in milliseconds. */
const STEP = 50;

/** How long to wait for what has to come, in milliseconds: only a run that fails ever waits so long. */
const PATIENCE = 60_000;

/** Three nodes on an engine, and users in two rooms of theirs. */
export class Run {
  readonly random: Random;
  readonly #engine: Engine;
  readonly #programs: Programs;
  readonly #violations: string[] = [];
  readonly #users = new Map<string, User>();
  readonly #acts = new Map<string, number>();
  /** When a node last learnt that a user had gone. */
  readonly #lastOut = new Map<string, number>();
  /** Those who may be taken for absent, whether they are or not. */
  #pardoned: ReadonlySet<User> = new Set();
  #nodes: Program[] = [];
  #primary: Program | undefined;

  static async start(engine: Engine, seed: number): Promise<Run> {
    const run = new Run(engine, seed);
    try {
      await run.#begin();
    } catch (error) {
      await run.stop();
      throw error;
    }
    return run;
  }

  private constructor(engine: Engine, seed: number) {
    this.#engine = engine;
    this.random = new Random(seed);
    this.#programs = new Programs({
      present: (program, event, { user, mine }) => {
        if (event === "out") {
          this.#left(user, program.name);
          this.#lastOut.set(user, performance.now());
        }
        if (event === "out" && mine) this.#acts.set(user, (this.#acts.get(user) ?? 0) + 1);
      },
      error: ({ name }, code, text) => {
        if (code !== "ERR_HUB_BACKPLANE") this.#violations.push(`${name}: ${text}`);
      },
      ended: ({ name }, errors) => this.#violations.push(`${name} has ended: ${errors}`),
    });
  }

  /** The nodes, by number. */
  get nodes(): readonly Program[] {
    return this.#nodes;
  }

  get primary(): Program {
    if (this.#primary === undefined) throw new Error("There is no primary process.");
    return this.#primary;
  }

  /** The users who have not gone for good. */
  get present(): readonly User[] {
    return [...this.#users.values()].filter(({ isGone }) => !isGone);
  }

  /** What is wrong, in words: the first of it. */
  get violations(): readonly string[] {
    return this.#violations.slice(0, 10);
  }

  /** Returns the users on the node with this number, who may be on others as well. */
  usersOn(number: number): ReadonlySet<User> {
    const node = this.#nodes[number];
    return new Set(this.present.filter(({ nodes }) => node !== undefined && nodes.has(node)));
  }

  /** Picks some of the users who are only on this node, or on any. */
  some(count: number, node?: Program): readonly User[] {
    return this.present
      .filter(({ nodes }) => node === undefined || (nodes.size === 1 && nodes.has(node)))
      .map((user) => ({ user, place: this.random.next() }))
      .toSorted((one, other) => one.place - other.place)
      .slice(0, count)
      .map(({ user }) => user);
  }

  /** Does something for which these users may be taken for absent, until everybody agrees again. */
  async pardoning(who: ReadonlySet<User>, act: () => Promise<void>): Promise<void> {
    this.#pardoned = who;
    await act();
    await this.agreed();
    this.#pardoned = new Set();
    for (const user of this.#users.values()) user.pardon();
  }

  /** Waits until every node and every client knows exactly who is there. */
  async agreed(): Promise<void> {
    await this.#until("all tabs are in their rooms", () =>
      this.#tabs.filter(({ isIn }) => !isIn).map(({ node }) => `one of ${node?.name} is not`),
    );
    await this.#until("all lists are right", async () => {
      const truth = new Set(this.present.map(({ id }) => id));
      const views = await Promise.all(
        this.#nodes.map(async (node) => ({ name: node.name, users: new Set(await node.users()) })),
      );
      const lists = this.#tabs.flatMap(({ known, node }) =>
        known.map(({ room, users }) => ({ name: `a client of ${node?.name} in ${room}`, users })),
      );
      return [...views, ...lists].flatMap(({ name, users }) => {
        const missing = [...truth].filter((user) => !users.has(user));
        const ghosts = [...users].filter((user) => !truth.has(user));
        if (missing.length + ghosts.length === 0) return [];
        return [`${name} misses ${String(missing)} and has the ghosts ${String(ghosts)}`];
      });
    });
  }

  /** Waits until nodes have acted on the going of all these users. */
  async actedOn(users: readonly User[]): Promise<void> {
    await this.#until("nodes have acted", () => {
      return users.filter(({ id }) => !this.#acts.has(id)).map(({ id }) => `nobody acts on ${id}`);
    });
  }

  /** Takes note of those of these users of whom a node has learnt too late that they have gone. */
  checkOutBy(time: number, users: readonly User[]): void {
    for (const { id } of users) {
      const late = Math.round((this.#lastOut.get(id) ?? Infinity) - time);
      if (late > 0) this.#violations.push(`a node learns ${late} ms late that ${id} has gone`);
    }
  }

  /** Takes note of those of these users on whose going another number of nodes has acted than one. */
  checkActedOnce(users: readonly User[]): void {
    for (const { id } of users) {
      const acts = this.#acts.get(id) ?? 0;
      if (acts !== 1) this.#violations.push(`${acts} nodes have acted on the going of ${id}`);
    }
  }

  /** Starts a node in the place of one that takes no clients any more. */
  async replace(number: number): Promise<void> {
    this.#nodes[number] = await this.#startNode(number);
  }

  /** Starts a node beside an old one, and then drains that. */
  async roll(number: number): Promise<void> {
    const old = this.#nodes[number];
    await this.replace(number);
    await old?.drain(1_500);
    await old?.kill();
  }

  /** Kills the primary process, with all of its workers, and starts all again. */
  async replaceAll(): Promise<void> {
    for (const node of this.#nodes) node.expectEnd();
    await this.primary.kill();
    await Promise.all(this.#nodes.map(({ ended }) => ended.promise));
    await this.#startAll();
  }

  async stop(): Promise<void> {
    for (const { tabs } of this.#users.values()) for (const tab of tabs) tab.close();
    await this.#programs.stop();
  }

  get #tabs(): readonly (PlainTab | LibraryTab)[] {
    return this.present.flatMap(({ tabs }) => tabs.filter(({ isClosed }) => !isClosed));
  }

  async #begin(): Promise<void> {
    await this.#startAll();
    for (let index = 0; index < USERS; index++) {
      const user = new User(`user${index}`);
      this.#users.set(user.id, user);
      const count = index % 4 === 0 ? 2 + (index % 8) / 4 : 1;
      for (let tab = 0; tab < count; tab++) user.tabs.push(this.#createTab(user, index + tab));
      for (const tab of user.tabs) tab.open();
    }
    await this.agreed();
  }

  #createTab(user: User, number: number): PlainTab | LibraryTab {
    const Kind = number % 2 === 0 ? PlainTab : LibraryTab;
    return new Kind({
      user: user.id,
      rooms: [FOLLOWED, QUIET],
      watches: number % 5 < 2,
      node: () => {
        const serving = this.#nodes.filter(({ isServing }) => isServing);
        return serving.length === 0 ? undefined : this.random.pick(serving);
      },
      moved: () => user.moved(),
      listener: {
        failed: (what) => this.#violations.push(`A client of ${user.id}: ${what}`),
        left: (other) => this.#left(other, `a client of ${user.id}`),
      },
    });
  }

  async #startAll(): Promise<void> {
    if (this.#engine.hasPrimary === true) {
      this.#primary = await this.#programs.start("primary", { role: "primary", engine: { kind: "cluster" }, hub: {} });
    }
    this.#nodes = await Promise.all(Array.from({ length: NODES }, (_, number) => this.#startNode(number)));
  }

  #startNode(number: number): Promise<Program> {
    const settings: ProgramSettings = {
      role: "node",
      engine: this.#engine.addressFor(number),
      transport: TRANSPORTS[number % TRANSPORTS.length],
      follows: FOLLOWED,
      hub: { presence: { rooms: ["chat:*"], grace: GRACE, full: 2 * USERS }, cluster: { lease: LEASE } },
    };
    return this.#programs.start(`node ${number}`, settings, this.#primary);
  }

  /** Somebody has learnt that a user has gone. */
  #left(id: string, who: string): void {
    const user = this.#users.get(id);
    if (user === undefined) this.#violations.push(`${who} knows ${id}`);
    else if (!user.isGone && user.absence < UNSEEN && !this.#pardoned.has(user)) {
      this.#violations.push(`${who} takes ${id} for absent, who was away for ${Math.round(user.absence)} ms at most`);
    }
  }

  /** Waits until nothing is wrong any more. */
  async #until(what: string, faults: () => readonly string[] | Promise<readonly string[]>): Promise<void> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const all = await faults();
      if (all.length === 0) return;
      if (performance.now() > end) throw new Error(`Waited in vain until ${what}: ${all.slice(0, 5).join("; ")}`);
      await sleep(STEP);
    }
  }
}
