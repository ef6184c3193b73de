// The last entries of a stream, newest first. Data is inserted as text, never as HTML, because it may be from any
// client.
//
// Adding an entry is cheap. `show` updates the list, a few times per second for any number of events.

const KEPT = 200;
const SHOWN_CHARS = 400;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false,
});

export class Log {
  isPaused = false;
  #list;
  #pending = [];

  constructor(list) {
    this.#list = list;
  }

  // kind: "event", "announcement", "comment" or "state".
  add(kind, type, text, id = "") {
    this.#pending.push({ kind, type, text, id, at: Date.now() });
    // Many at once: removing one entry per event would cost more than the event.
    if (this.#pending.length >= 2 * KEPT) this.#pending = this.#pending.slice(-KEPT);
  }

  clear() {
    this.#pending = [];
    this.#list.replaceChildren();
  }

  show() {
    if (this.isPaused || this.#pending.length === 0) return;
    const rows = this.#pending.slice(-KEPT).reverse().map(rowOf);
    this.#pending = [];
    if (rows.length === KEPT) {
      this.#list.replaceChildren(...rows);
      return;
    }
    this.#list.prepend(...rows);
    while (this.#list.childElementCount > KEPT) this.#list.lastElementChild.remove();
  }
}

function rowOf({ kind, type, text, id, at }) {
  const row = document.createElement("li");
  row.className = kind;
  row.append(
    part("time", "at", clock.format(at)),
    part("span", "type", type),
    part("span", "id", id),
    part("span", "data", shortened(text)),
  );
  return row;
}

function part(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function shortened(text) {
  if (text.length <= SHOWN_CHARS) return text;
  return `${text.slice(0, SHOWN_CHARS)} … (${text.length.toLocaleString("en")} characters)`;
}
