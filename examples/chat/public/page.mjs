import { Log } from "./log.mjs";
import { markFailed, personItem, roomItem } from "./view.mjs";

const find = (id) => document.getElementById(id);
const text = find("text");
const log = new Log(find("log"), find("messages"), find("latest"));

/** Who and where the user wants to be. */
const wish = { name: "", room: "", user: userOfBrowser() };
/** Who and where the server says we are; undefined before the door. */
let you;
let room;
/** The people in the room, by their ids; undefined before the server has told. */
let people;
let rooms = [];
let unread = 0;
/** Ends the typing, if the user types. */
let typing;

/** How long somebody who does not go on is shown as typing, in milliseconds. */
const TYPING_HOLDS = 3_000;

/** The hub's room that has the messages of a room of the chat. */
const messagesOf = (name) => `messages:${name}`;

/** What {@link startPage} was given; it is there before the first click. */
let connection;

const events = {
  joined,
  chat(message, { room: from, past }) {
    // What was on its way when we left its room is not shown.
    if (from !== messagesOf(room)) return;
    log.message(message, false).classList.toggle("past", past);
    if (document.hidden && !past) unread += 1;
    showTitle();
  },
  "hub:gap": ({ room: where }) => {
    if (where === messagesOf(room)) log.system("Some messages may be missing here");
  },
  rooms(list) {
    rooms = list;
    showRooms();
  },
  "hub:error": ({ message }) => problem(message),
};

/** We are in a room: at first, after switching, or back after the connection was lost. */
function joined(now) {
  const same = now.room === room;
  if (!same && room !== undefined) connection.leave(messagesOf(room));
  ({ you, room } = now);
  wish.room = room;
  if (same) log.system("Connected again");
  else {
    log.clear();
    people = undefined;
    void listen(room);
  }
  find("room-title").firstElementChild.textContent = room;
  find("you").textContent = you.name;
  // The address can be shared, and a reload knows the name.
  history.replaceState({ name: you.name }, "", `?${new URLSearchParams({ room })}`);
  problem("");
  if (!same) showPeople(1);
  showRooms();
  showTitle();
}

/** Shows the messages of a room, the last ones first. */
async function listen(name) {
  try {
    await connection.join(messagesOf(name));
    if (name === room) log.system("You joined the room");
  } catch (error) {
    if (connection.isOpen) problem(error.message);
  }
}

async function switchTo(name) {
  wish.room = name;
  toggleSide(false);
  text.focus();
  // Without a connection the wish is enough: the next one begins in that room.
  if (!connection.isOpen || name === room) return;
  try {
    joined(await connection.request("join", { room: name }));
  } catch (error) {
    if (!connection.isOpen) return;
    wish.room = room;
    problem(error.message);
  }
}

async function send(words) {
  const item = log.message({ from: you, text: words, at: Date.now() }, true);
  item.classList.add("sending");
  try {
    await connection.request("chat", { text: words, room });
    item.classList.remove("sending");
  } catch (error) {
    markFailed(item, error.message, () => {
      item.remove();
      text.focus();
      void send(words);
    });
  }
}

/** All tabs of a browser are one person. */
function userOfBrowser() {
  const user = localStorage.getItem("user") ?? crypto.getRandomValues(new Uint32Array(4)).join("~");
  localStorage.setItem("user", user);
  return user;
}

/** As people count: "Guest 2" comes before "Guest 10". */
const order = new Intl.Collator(undefined, { numeric: true });

/** Follows who is in the room: of too many people only the count is known. */
function follow(where, users, count) {
  if (where !== messagesOf(room)) return;
  const before = people;
  people = users.size === count ? new Map(users) : undefined;
  if (before && people) {
    for (const [id, person] of people) if (!before.has(id)) log.move("joined", person);
    for (const [id, person] of before) if (!people.has(id)) log.move("left", person);
  }
  showPeople(count);
}

function showPeople(count) {
  const others = Array.from(people ?? [], ([id, person]) => ({ id, ...person })).filter(({ id }) => id !== you.id);
  others.sort((a, b) => order.compare(a.name, b.name));
  find("people").replaceChildren(personItem(you, true), ...others.map((person) => personItem(person, false)));
  find("count").textContent = count === 1 ? "Only you are here" : `${count} people`;
}

/** Tells the others that the user is typing, and that it is over when nothing came for a while. */
function type(isTyping) {
  if (isTyping !== (typing !== undefined) && connection.isOpen) connection.send("typing", isTyping);
  clearTimeout(typing);
  typing = isTyping ? setTimeout(() => type(false), TYPING_HOLDS) : undefined;
}

function showRooms() {
  // Replacing the list must not take the focus from whoever is in it.
  const focused = document.activeElement.dataset.room;
  const items = rooms.map((summary) => roomItem(summary, summary.name === room, switchTo));
  find("rooms").replaceChildren(...items);
  items.find(({ firstChild }) => firstChild.dataset.room === focused)?.firstChild.focus();
}

function showTitle() {
  document.title = `${unread === 0 ? "" : `(${unread}) `}${room} – roomcast chat`;
}

const STATES = { connecting: "Connecting …", open: "Connected", waiting: "Reconnecting …" };

function showState(state, reason) {
  const shown = find("state");
  if (state === "closed") {
    leave(reason);
    return;
  }
  // While it is tried again and again, the page says so once.
  if (state === "connecting" && shown.dataset.state === "waiting") return;
  shown.dataset.state = state;
  shown.textContent = STATES[state];
  find("offline").hidden = state !== "waiting";
}

function problem(message) {
  find("problem").textContent = message;
}

function enter({ name, room: wanted }) {
  wish.name = name;
  wish.room = wanted;
  find("entry-error").textContent = "";
  find("entry").hidden = true;
  find("chat").hidden = false;
  text.focus();
  connection.open();
}

/** Back to the door. */
function leave(reason = "") {
  connection.close();
  room = undefined;
  find("state").dataset.state = "";
  find("chat").hidden = true;
  find("entry").hidden = false;
  find("entry-error").textContent = reason;
  find("entry-name").focus();
  document.title = "roomcast chat";
}

/** On a narrow screen the rooms and people lie over the messages, which are out of reach meanwhile. */
function toggleSide(open) {
  document.body.classList.toggle("side-open", open);
  find("menu").setAttribute("aria-expanded", String(open));
  find("room").inert = open;
  if (open) find("side").querySelector("button").focus();
}

/** Calls `act` with the trimmed fields of a form instead of sending it. */
function onSubmit(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(Object.fromEntries(Array.from(new FormData(form), ([name, value]) => [name, value.trim()])));
  });
}

onSubmit(find("entry-form"), enter);

onSubmit(find("room-form"), (fields) => {
  find("room-form").reset();
  void switchTo(fields.room);
});

onSubmit(find("composer"), ({ text: words }) => {
  text.focus();
  if (words === "") return;
  if ((!connection.isOpen && !connection.queues) || room === undefined) {
    problem("There is no connection. Your message stays here until there is one.");
    return;
  }
  problem("");
  text.value = "";
  type(false);
  void send(words);
});

text.addEventListener("input", () => type(text.value !== ""));
text.addEventListener("keydown", (event) => {
  // Enter also ends the composing of a character in many scripts; that one is not meant for us.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("composer").requestSubmit();
});

find("leave").addEventListener("click", () => {
  toggleSide(false);
  leave();
});
find("retry").addEventListener("click", () => {
  text.focus();
  connection.retry();
});
find("menu").addEventListener("click", () => toggleSide(true));

document.addEventListener("pointerdown", ({ target }) => {
  if (!find("side").contains(target)) toggleSide(false);
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !document.body.classList.contains("side-open")) return;
  toggleSide(false);
  find("menu").focus();
});
document.addEventListener("visibilitychange", () => {
  unread = 0;
  if (room !== undefined) showTitle();
});
window.addEventListener("online", () => {
  if (find("state").dataset.state === "waiting") connection.retry();
});

/**
 * Begins, with whatever connects the page. `createConnection({ wish, state, events, people })` gets
 *
 * - `wish`, the name and the room that the user wants whenever there is a new connection;
 * - `state(state, reason)`, to be told `connecting`, `open`, `waiting` for the next attempt, or `closed` for good;
 * - `events`, what to call with the data of each event, and its `room` and whether it is `past`: the client had missed it;
 * - `people(room, users, count)`, to be told who is in a room, by their ids, or how many are;
 *
 * and returns `open()`, `close()`, `send(event, data)`, `request(event, data)`, `join(room)` and `leave(room)` for rooms of the hub, `retry()`,
 * which tries now instead of later, `isOpen`, and `queues`: whether what is requested without a connection waits for the
 * next one.
 */
export function startPage(createConnection) {
  connection = createConnection({ wish, state: showState, events, people: follow });
  for (const link of find("pages").children) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
  find("entry-name").value = history.state?.name ?? "";
  find("entry-room").value = new URLSearchParams(location.search).get("room") ?? "lobby";
  find("entry-name").focus();
}
