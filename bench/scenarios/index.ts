import { burst } from "./burst.ts";
import { chat } from "./chat.ts";
import { churn } from "./churn.ts";
import { compressed } from "./compressed.ts";
import { connect } from "./connect.ts";
import { httpPublish } from "./http-publish.ts";
import { httpUnderLoad } from "./http-under-load.ts";
import { idle } from "./idle.ts";
import { manyRooms } from "./many-rooms.ts";
import { multiRoom } from "./multi-room.ts";
import { oneToAll } from "./one-to-all.ts";
import type { Scenario } from "./scenario.ts";
import { slow } from "./slow.ts";

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [
  oneToAll,
  burst,
  chat,
  manyRooms,
  multiRoom,
  slow,
  churn,
  connect,
  idle,
  compressed,
  httpPublish,
  httpUnderLoad,
];
