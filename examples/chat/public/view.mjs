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

/** A disc with the first letter of the name, in a colour that the id decides. */
function avatar({ id, name }) {
  const disc = element("span", "avatar", firstLetter(name));
  disc.setAttribute("aria-hidden", "true");
  disc.style.setProperty("--hue", hueOf(id));
  return disc;
}

const letters = new Intl.Segmenter();

function firstLetter(name) {
  const [first] = letters.segment(name);
  return first.segment.toLocaleUpperCase();
}

function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) % 3_600;
  return hash / 10;
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
  item.style.setProperty("--hue", hueOf(from.id));
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

/** A line between the messages: somebody came, somebody left. */
export function systemItem(text, person) {
  return element("li", "system", ...(person === undefined ? [] : [nameOf(person), " "]), text);
}

export function personItem(person, own) {
  const item = element("li", "person", avatar(person), nameOf(person));
  if (own) item.append(element("span", "muted", "you"));
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
