import { describe, it } from "vitest";
import { inMemory, overSockets, transportSuite } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";

transportSuite({ describe, it }, inMemory());
transportSuite({ describe, it }, overSockets("ws", ws, { takesEarlyFrames: true }));
transportSuite({ describe, it }, overSockets("uws", uws));
