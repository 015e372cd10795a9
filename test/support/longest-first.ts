import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longer than their sizes say, the longest of each project first. */
const LONGEST = [
  "conformance/transports/uws",
  "conformance/backplanes/cluster",
  "conformance/backplanes/memory",
  "conformance/transports/ws",
  "behaviour/simulation/simulation",
  "behaviour/door/slow-requests",
  "unit/transports/uws/portions",
  "unit/transports/uws/closing",
  "unit/transports/ws/expel",
  "conformance/vectors/server",
  "conformance/transports/memory",
  "system/weight/weight",
  "system/site/site",
  "system/frameworks/next",
  "system/presence/nats",
  "system/presence/redis",
  "system/presence/cluster",
  "system/frameworks/sveltekit",
  "system/frameworks/nestjs",
  "system/package/guide",
  "system/fuzz/floods/floods",
  "system/network/descriptors",
  "system/backplanes/redis",
  "system/proxies/idle",
  "system/soak/soak",
  "system/neighbours/recipes",
  "system/browser/chat",
  "system/package/installation",
  "system/platforms/platforms",
  "system/package/requirements",
  "system/browser/react",
  "system/simulation/simulation",
  "system/browser/react-hooks",
  "system/backplanes/hung-engines",
  "system/fuzz/fuzz",
  "system/browser/chat-client",
  "system/simulation/mutants",
  "system/bench/harness",
  "system/network/scenarios",
  "system/network/flow",
].map((name) => fileURLToPath(new URL(`../${name}.test.ts`, import.meta.url)));

/**
 * Sorts files of tests so that no long one starts when all others are done. On a clean checkout, Vitest knows no times, and
 * sorts by sizes.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const missing = LONGEST.filter((path) => !existsSync(path));
    if (missing.length > 0) throw new Error(`LONGEST in longest-first.ts names what is not there: ${missing.join()}`);
    // oxlint-disable-next-line unicorn/no-array-sort -- it is a method of the sequencer
    const bySize = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => LONGEST.indexOf(moduleId);
    const long = bySize.filter((file) => rank(file) >= 0);
    return [...long.toSorted((a, b) => rank(a) - rank(b)), ...bySize.filter((file) => rank(file) < 0)];
  }
}
