import type { Handshake, User } from "roomcast";

let count = 0;

/** Lets everybody in but those who say, in their credentials or the query, that they are somebody else. */
export function authenticate({ auth, url }: Handshake): User | false | Promise<User | false> {
  const said = auth ?? /[?&]as=(\w+)/.exec(url)?.[1];
  switch (said) {
    case "nobody":
      return false;
    case "throw":
      throw new Error("authenticate throws.");
    case "reject":
      return Promise.reject(new Error("authenticate rejects."));
    case "hang":
      return new Promise(() => {});
    case "odd":
      return 7 as unknown as User;
    default:
      // Each is a user of its own, because what one client did would be charged to the next connection of its user.
      return { id: `${typeof said === "string" ? said : "guest"} ${++count}` };
  }
}
