import { msgpackCodec } from "roomcast/msgpack";
import { overSockets, transportSuite } from "roomcast/testing";
import { ws } from "roomcast/transports/ws";
import { describe, it } from "vitest";

const OPTIONS = { takesEarlyFrames: true };

transportSuite({ describe, it }, overSockets("ws", ws, OPTIONS));
transportSuite({ describe, it }, overSockets("ws with compression", ws, { ...OPTIONS, compression: true }));
transportSuite({ describe, it }, overSockets("ws in MessagePack", ws, { ...OPTIONS, codec: msgpackCodec }));
