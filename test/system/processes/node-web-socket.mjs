// Connects the WebSocket of this version of Node.js, and prints the code of the close and the length of the last message.
const [url, ...protocols] = process.argv.slice(2);
const socket = new WebSocket(url, protocols);
let last = 0;

socket.addEventListener("open", () => {
  if (protocols.length > 0) socket.send(JSON.stringify({ event: "hub:hello", data: { protocol: 1, auth: "wrong" } }));
});
socket.addEventListener("message", ({ data }) => {
  last = data.length;
});
socket.addEventListener("close", ({ code }) => {
  console.log(JSON.stringify({ code, last }));
});
