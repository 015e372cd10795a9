import express from "express";
import expressSession from "express-session";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";

const session = expressSession({ secret: "not in the code", resave: false, saveUninitialized: false });

const app = express();
app.use(session);
app.get("/login/:name", (request, response) => {
  request.session.user = { id: request.params.name };
  response.redirect("/");
});
app.use(express.static("public"));
app.use(express.static("node_modules/roomcast/dist/client"));
const server = app.listen(process.env.PORT ?? 3000);

function authenticate({ headers, url }) {
  const request = { headers, url };
  return new Promise((resolve, reject) => {
    session(request, {}, (error) => (error ? reject(error) : resolve(request.session.user)));
  });
}

const hub = new Hub({ transport: ws({ server }), path: "/chat", authenticate, joinable: (room) => room === "lobby" });
hub.handle("message", (text, { user }) => hub.to("lobby").emit("message", `${user.id}: ${text}`));
