import { connect } from "roomcast/client";

const [list, form, input, button] = ["ul", "form", "input", "button"].map((name) => document.querySelector(name));

const client = connect("/chat");
client.room("lobby").on("message", (text) => {
  list.append(Object.assign(document.createElement("li"), { textContent: text }));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  client.emit("message", input.value);
  form.reset();
});
await client.join("lobby");
button.disabled = false;
