/**
 * What users wrote becomes text nodes here, and nothing else: `append` with a string never makes markup.
 */
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  node.append(...children);
  return node;
}

/** A name, kept apart from the text around it whichever way its script runs. */
function nameOf({ name }) {
  return element("bdi", "name", name);
}

/** A disc with the first letter of the name, in a colour that the name decides. */
function avatar({ name }) {
  const disc = element("span", "avatar", firstLetter(name));
  disc.setAttribute("aria-hidden", "true");
  disc.style.setProperty("--hue", hueOf(name));
  return disc;
}

const letters = new Intl.Segmenter();

function firstLetter(name) {
  const [first] = letters.segment(name);
  return first.segment.toLocaleUpperCase();
}

/** Everybody keeps a colour over reconnections, which change the id. Names that differ in one letter look different. */
function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 0x9e3779b1);
  return ((hash ^ (hash >>> 15)) >>> 0) % 360;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function time(at) {
  const node = element("time", "", clock.format(at));
  node.dateTime = new Date(at).toISOString();
  return node;
}

/** A message. `follows`: the same person wrote the one before it, so that the name need not be shown again. */
export function messageItem({ from, text, at }, { own, follows }) {
  const item = element("li", "message");
  item.classList.toggle("own", own);
  item.classList.toggle("follows", follows);
  item.style.setProperty("--hue", hueOf(from.name));
  const head = element("p", "head", own ? element("span", "name", "You") : nameOf(from), " ", time(at));
  const body = element("p", "text", text);
  body.dir = "auto";
  item.append(...(own ? [] : [avatar(from)]), element("div", "bubble", head, body));
  return item;
}

/** Marks a message of one's own as not sent, with the reason and a way to try again. */
export function markFailed(item, reason, again) {
  const button = element("button", "quiet", "Send again");
  button.addEventListener("click", again);
  item.classList.replace("sending", "failed");
  item.append(element("p", "failure", `Not sent. ${reason} `, button));
}

/** A line between the messages. */
export function systemItem(text) {
  return element("li", "system", text);
}

/** So many names are told. Of more people, it is told how many they are. */
const MOST_NAMES = 3;

const names = new Intl.ListFormat("en");

/** Makes a line of those who have joined and left: "Ann and Ben joined, Cleo left", "60 joined". */
export function showMoves(item, { joined, left }) {
  const comma = joined.length > 0 && left.length > 0 ? [", "] : [];
  item.replaceChildren(...clause(joined, "joined"), ...comma, ...clause(left, "left"));
}

function clause(people, verb) {
  const distinct = new Set(people.map(({ name }) => name));
  if (distinct.size === 0) return [];
  if (distinct.size > MOST_NAMES) return [`${people.length} ${verb}`];
  const parts = names.formatToParts(distinct);
  return [...parts.map(({ type, value }) => (type === "element" ? nameOf({ name: value }) : value)), ` ${verb}`];
}

export function personItem(person, own) {
  const item = element("li", "person", avatar(person), nameOf(person));
  if (own) item.append(element("span", "muted", "you"));
  else if (person.isTyping) item.append(element("span", "muted", "typing …"));
  return item;
}

export function roomItem({ name, people }, current, choose) {
  const count = element(
    "span",
    "count",
    String(people),
    element("span", "unseen", people === 1 ? " person" : " people"),
  );
  const button = element("button", "room", element("bdi", "", name), " ", count);
  button.dataset.room = name;
  if (current) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => choose(name));
  return element("li", "", button);
}
