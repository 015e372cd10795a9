import { msgpackCodec } from "roomcast/msgpack";
import { inMemory, transportSuite } from "roomcast/testing";
import { describe, it } from "vitest";

transportSuite({ describe, it }, inMemory());
transportSuite({ describe, it }, inMemory("memory in MessagePack", { codec: msgpackCodec }));
