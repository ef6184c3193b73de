// The three ways to receive, behind one shape: `open(request, on)` returns something with `close()`, and tells
//
//   on.state(name, reason)     "open", "reconnecting", "closed" or "failed" (closed, too), and what is known of why
//   on.event(type, data, id)   strings; id is the last event ID at that moment
//   on.comment(text)           where the way shows comments at all
//
// until it is closed; nothing after that.

import { openFetch } from "./fetch-stream.js";
import { eventOfObject } from "./json-events.js";

// RFC 6455, section 7.4.1: done, and the server going down. All others are some error's.
const CLEAN_CODES = [1000, 1001];

export const WAYS = {
  eventsource: {
    label: "EventSource",
    hint:
      "The browser parses, reconnects and sends the last id by itself. It shows no comments, gives no reason when it " +
      "fails, and hands over only the event types that it was told to listen for.",
    open: openEventSource,
  },
  fetch: {
    label: "fetch",
    hint:
      "The page reads the response's body while it comes: it sees comments, the status and what the server says " +
      "about it, and has to parse by itself.",
    open: openFetch,
  },
  websocket: {
    label: "WebSocket",
    hint:
      "Messages without ids, types or reconnection: all of that is left to the application, and this page leaves it " +
      "out. Compare what happens when the connection ends.",
    open: openWebSocket,
  },
};

export const hasEventSource = () => typeof window.EventSource === "function";

function openEventSource(request, on) {
  const source = new EventSource(request.url);
  // An event of the stream may be of the type "open" or "error", too: it is a MessageEvent.
  source.addEventListener("open", (event) => {
    if (!(event instanceof MessageEvent)) on.state("open", "EventSource does not tell the status");
  });
  source.addEventListener("error", (event) => {
    if (event instanceof MessageEvent) return;
    if (source.readyState === EventSource.CLOSED) {
      on.state("failed", "EventSource has given up, and does not tell why: neither status nor text");
    } else {
      on.state("reconnecting", "the connection ended; EventSource does not tell why");
    }
  });
  // There is no event that stands for all types.
  for (const type of new Set(["message", ...request.types])) {
    source.addEventListener(type, (event) => {
      if (event instanceof MessageEvent) on.event(event.type, event.data, event.lastEventId);
    });
  }
  return source;
}

function openWebSocket(request, on) {
  const socket = new WebSocket(request.url);
  let isOpen = false;
  let isWanted = true;
  socket.addEventListener("open", () => {
    isOpen = true;
    if (isWanted) on.state("open", "101 Switching Protocols");
  });
  socket.addEventListener("message", ({ data }) => {
    if (isWanted) eventOfObject(data, on);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (!isWanted) return;
    const words = [`code ${code}`, reason].filter(Boolean).join(", ");
    const what = isOpen ? "the server closed it" : "refused; a WebSocket does not tell why";
    on.state(CLEAN_CODES.includes(code) ? "closed" : "failed", `${what} (${words}). It does not reconnect`);
  });
  return {
    close: () => {
      isWanted = false; // messages may still be queued
      socket.close();
    },
  };
}
