import type { AbsentUser, PresentUser } from "../members/presence-feed.ts";

/** The most users in one message to other nodes. */
const MOST = 200;

/** The most bytes of their ids and data in one message, at a guess: so every engine takes it. */
const MOST_BYTES = 384 * 1024;

/** The bytes that the data of a user takes at most, for each byte of it as JSON: numbers take more between nodes. */
const BYTES = 3;

/** Takes as many users from the front of a list as fit into one message; one at least. */
export function takePortion<U extends PresentUser | AbsentUser>(users: U[], maxBytes: number): U[] {
  let [count, bytes] = [0, 0];
  for (const user of users) {
    // Only a user with data has four fields.
    bytes += 2 * user[0].length + (user.length === 4 ? BYTES * maxBytes : 0);
    if (count > 0 && (count === MOST || bytes > MOST_BYTES)) break;
    count++;
  }
  return users.splice(0, count);
}
