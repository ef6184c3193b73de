// A parser for event streams (WHATWG HTML 9.2.5 and 9.2.6), for the receiver that uses fetch.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
//
// Any split of the input gives the same events, each as early as possible: a CR ends its line at once, and a following
// LF is skipped. Each connection needs a new parser.

// EventSource has no limit. Here, an endless line (/faults?endless_line=1) must not use up the memory of the tab.
const MAX_EVENT_CHARS = 64 * 1024 * 1024;

export class EventStreamParser {
  // The value of Last-Event-ID for the next request.
  lastEventId;
  // The last valid `retry`, or null.
  retryMs = null;

  // "Streams must be decoded using the UTF-8 decode algorithm", which strips one leading BOM, like TextDecoder.
  #decoder = new TextDecoder();
  #onComment;
  #afterCR = false;
  #line = "";
  #data = [];
  #dataChars = 0;
  #type = "";
  #idBuffer;

  constructor(lastEventId = "", onComment = () => {}) {
    this.lastEventId = this.#idBuffer = lastEventId;
    this.#onComment = onComment;
  }

  // Parses the next bytes, and returns the completed events {type, data, id}.
  feed(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    if (this.#afterCR && text.startsWith("\n")) text = text.slice(1);
    this.#afterCR = text.endsWith("\r");
    const events = [];
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    for (const line of lines) {
      if (line === "") this.#dispatch(events);
      else this.#take(line);
    }
    if (this.#line.length + this.#dataChars > MAX_EVENT_CHARS) {
      throw new Error(`an event of more than ${MAX_EVENT_CHARS / 1024 / 1024} Mi characters`);
    }
    return events;
  }

  #take(line) {
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.#onComment(line.slice(1));
      return;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (name === "data") {
      this.#data.push(value);
      this.#dataChars += value.length;
    } else if (name === "event") {
      this.#type = value;
    } else if (name === "id") {
      // "If the field value does not contain U+0000 NULL [...] Otherwise, ignore the field."
      if (!value.includes("\0")) this.#idBuffer = value;
    } else if (name === "retry" && /^[0-9]+$/.test(value)) {
      this.retryMs = Number(value);
    }
  }

  #dispatch(events) {
    // A block without data also sets the id.
    this.lastEventId = this.#idBuffer;
    if (this.#data.length > 0) {
      events.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.lastEventId });
      this.#data = [];
      this.#dataChars = 0;
    }
    this.#type = "";
  }
}
