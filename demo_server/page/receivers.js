// Three receivers with one interface: `open(request, on)` returns an object with `close()`, and calls
//
//   on.state(name, reason)     "open", "reconnecting", "closed" or "failed" (also closed), with the known reason
//   on.event(type, data, id)   strings; id is the current last event ID
//   on.comment(text)           only if the receiver supports comments
//
// until it is closed.

import { openFetch } from "./fetch-stream.js";
import { eventOfObject } from "./json-events.js";

// RFC 6455, section 7.4.1: normal closure, and "going away". All other codes are errors.
const CLEAN_CODES = [1000, 1001];

export const RECEIVERS = {
  eventsource: {
    label: "EventSource",
    hint:
      "The browser parses, reconnects and sends the last id by itself. It does not report comments or the reason of " +
      "a failure, and reports only the event types that the page listens for.",
    open: openEventSource,
  },
  fetch: {
    label: "fetch",
    hint:
      "The page reads the body of the response and parses it. It sees comments, the status and the server's message " +
      "for an error.",
    open: openFetch,
  },
  websocket: {
    label: "WebSocket",
    hint:
      "Messages have no ids or types, and the browser does not reconnect: that is left to the application. This page " +
      "does not implement it, so compare the end of a connection.",
    open: openWebSocket,
  },
};

export const hasEventSource = () => typeof window.EventSource === "function";

function openEventSource(request, on) {
  const source = new EventSource(request.url);
  // The stream may also have events of type "open" or "error"; these are MessageEvents.
  source.addEventListener("open", (event) => {
    if (!(event instanceof MessageEvent)) on.state("open", "EventSource does not report the status");
  });
  source.addEventListener("error", (event) => {
    if (event instanceof MessageEvent) return;
    if (source.readyState === EventSource.CLOSED) {
      on.state("failed", "EventSource has given up; it does not report the status or a reason");
    } else {
      on.state("reconnecting", "the connection ended; EventSource does not report why");
    }
  });
  // EventSource has no listener for all types.
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
    const what = isOpen ? "the server closed it" : "refused; a WebSocket does not report why";
    on.state(CLEAN_CODES.includes(code) ? "closed" : "failed", `${what} (${words}). It does not reconnect`);
  });
  return {
    close: () => {
      isWanted = false; // messages may still be queued
      socket.close();
    },
  };
}
