import { digestOf } from "../checks/digest.ts";
import type { HistoryOptions, HistoryRule } from "./options.ts";
import { Pattern } from "../rooms/pattern.ts";

/** The default of `maxBytes`. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A rule with its defaults filled in. */
export class Rule {
  readonly pattern: Pattern;
  readonly size: number;
  readonly age: number;
  readonly replay: number | "latest";
  /** Whether an event makes the earlier ones with the same key superfluous. */
  readonly keepsLatest: boolean;
  readonly outage: "wait" | "local";

  constructor(pattern: string, { size, age, replay = 0, keep = "all", outage = "wait" }: HistoryRule) {
    this.pattern = new Pattern(pattern);
    this.size = size;
    this.age = age;
    this.replay = replay;
    this.outage = outage;
    this.keepsLatest = keep === "latest";
  }
}

/** The rules of a hub, which say which rooms are recorded, and how. */
export class Rules {
  readonly all: readonly Rule[];
  readonly maxBytes: number;

  constructor({ rooms, maxBytes = MAX_BYTES }: HistoryOptions) {
    this.all = Object.entries(rooms).map(([pattern, rule]) => new Rule(pattern, rule));
    this.maxBytes = maxBytes;
  }

  /** A text that is the same for the same rules: see {@link NodesParts.rules}. */
  get digest(): string {
    const rules = this.all.map(({ pattern: { text }, size, age, replay, keepsLatest, outage }) => {
      return [text, size, age, replay, keepsLatest, outage];
    });
    return digestOf(rules);
  }

  /** Returns the rule of a room; `undefined` for a room that is not recorded. */
  of(room: string): Rule | undefined {
    for (const rule of this.all) if (rule.pattern.matches(room)) return rule;
    return undefined;
  }
}
