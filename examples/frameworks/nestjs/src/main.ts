import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { AppModule } from "./app.module.js";
import { RoomcastAdapter } from "./roomcast.adapter.js";

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.useWebSocketAdapter(new RoomcastAdapter(app));
app.enableShutdownHooks();
app.useStaticAssets("public");
app.useStaticAssets("node_modules/roomcast/dist/client");
await app.listen(process.env.PORT ?? 3000);
