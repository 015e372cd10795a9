import { describe, it } from "vitest";
import { msgpackCodec } from "roomcast/msgpack";
import { inMemory, overSockets, transportSuite } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { TRANSPORTS } from "../support/transports.ts";
import { withTopicsForAll } from "../support/with-topics-for-all.ts";

const MESSAGE_PACK = { codec: msgpackCodec };

transportSuite({ describe, it }, inMemory());
transportSuite({ describe, it }, inMemory("memory in MessagePack", MESSAGE_PACK));
transportSuite({ describe, it }, overSockets("ws", ws, { takesEarlyFrames: true }));
transportSuite({ describe, it }, overSockets("ws with compression", ws, { takesEarlyFrames: true, compression: true }));
transportSuite({ describe, it }, overSockets("ws in MessagePack", ws, { takesEarlyFrames: true, ...MESSAGE_PACK }));
if (TRANSPORTS.includes("uws")) {
  transportSuite({ describe, it }, overSockets("uws", uws));
  transportSuite({ describe, it }, overSockets("uws with compression", uws, { compression: true }));
  transportSuite({ describe, it }, overSockets("uws in MessagePack", uws, MESSAGE_PACK));
  transportSuite(
    { describe, it },
    overSockets("uws with topics for all groups", () => withTopicsForAll(uws())),
  );
}
