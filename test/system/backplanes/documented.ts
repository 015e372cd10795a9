import { expect } from "vitest";
import { blocksOf } from "../../support/markdown.ts";
import type { RedisServer } from "../engines/redis.ts";

/** The user whose permissions `docs/SCALING.md` prints. */
export const DOCUMENTED = { username: "roomcast", password: "change-me" };

/** The configuration of NATS that the document prints. */
export function documentedNats(): string {
  return documented("nats-server");
}

/** The permissions that the document gives to the user of Redis. The last one is for a Cluster alone. */
export function documentedPermissions(): readonly string[] {
  const [directive, name, ...rules] = documented("acl").trim().split(" ");
  expect([directive, name]).toEqual(["user", DOCUMENTED.username]);
  expect(rules.slice(0, 3)).toEqual(["on", `>${DOCUMENTED.password}`, "resetchannels"]);
  return rules.slice(3);
}

/** Adds the documented user to servers of Redis, without one permission where that is given. */
export async function addDocumentedUser(servers: readonly RedisServer[], without?: string): Promise<void> {
  const permissions = documentedPermissions().filter((permission) => permission !== without);
  const { username, password } = DOCUMENTED;
  for (const server of servers) {
    await server.command("ACL", "SETUSER", username, "on", `>${password}`, "resetchannels", ...permissions);
  }
}

function documented(language: string): string {
  const blocks = blocksOf("docs/SCALING.md").filter(({ info }) => info[0] === language);
  expect(blocks).toHaveLength(1);
  return blocks[0]?.text ?? "";
}
