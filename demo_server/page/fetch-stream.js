// A receiver with fetch, which reads the body of the response as a stream.
//
// It implements the features of EventSource: parsing, reconnection after `retry`, Last-Event-ID. In addition, it
// reports the status and text of an error response and comments, supports POST, and has backpressure: a busy page does
// not read, so a fast server must wait.

import { EventStreamParser } from "./event-stream.js";
import { eventOfObject } from "./json-events.js";

// "A reconnection time, in milliseconds. This must initially be an implementation-defined value, probably in the region
// of a few seconds" (9.2.2). Chromium takes 3 s, too.
const DEFAULT_RETRY_MS = 3000;

// setTimeout takes 32 bits. Beyond that, it fires at once.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

// While data is buffered, reads resolve without a turn of the event loop, and clicks would have to wait.
const READ_AT_ONCE_MS = 12;

export function openFetch(request, on) {
  const abort = new AbortController();
  run(request, on, abort.signal);
  return { close: () => abort.abort() };
}

async function run(request, on, signal) {
  const position = { lastEventId: request.lastEventId, retryMs: DEFAULT_RETRY_MS };
  while (!signal.aborted) {
    let [name, end] = ["closed", "the server ended the stream"];
    try {
      const response = await fetch(request.url, options(request, position, signal));
      const refusal = await refusalOf(response, request);
      if (refusal) {
        on.state("failed", refusal);
        return;
      }
      on.state("open", `HTTP ${response.status}, ${mediaType(response)}`);
      await read(response, position, on, signal);
    } catch (error) {
      [name, end] = ["failed", `the connection broke (${error.message})`];
    }
    if (signal.aborted) return;
    if (!request.reconnects) {
      on.state(name, end);
      return;
    }
    on.state("reconnecting", `${end}; again in ${position.retryMs / 1000} s`);
    await sleep(position.retryMs, signal);
  }
}

function options(request, position, signal) {
  const headers = { ...request.headers };
  // EventSource sends the id as UTF-8. fetch takes one character per byte of a header.
  const id = new TextEncoder().encode(position.lastEventId);
  if (id.length > 0) headers["Last-Event-ID"] = Array.from(id, (byte) => String.fromCharCode(byte)).join("");
  return { method: request.method, body: request.body, headers, cache: "no-store", signal };
}

// Returns the reason why a response is not the expected stream, or "".
async function refusalOf(response, request) {
  if (response.status === 204) return "HTTP 204: the server tells clients not to reconnect";
  if (!response.ok) return `HTTP ${response.status}${await explanation(response)}`;
  if (request.mediaType !== mediaType(response)) {
    response.body?.cancel();
    return `HTTP ${response.status}, but ${mediaType(response) || "no Content-Type"} instead of ${request.mediaType}`;
  }
  return "";
}

// Returns the server's explanation of a status: FastAPI's `detail`, OpenAI's `error`, or the text.
export async function explanation(response) {
  const text = await response.text();
  let detail = text;
  try {
    const answer = JSON.parse(text);
    detail = answer.detail ?? answer.error?.message ?? text;
  } catch {
    // Not JSON: the text is the explanation.
  }
  if (Array.isArray(detail)) {
    detail = detail.map(({ loc, msg }) => [(loc ?? []).slice(1).join("."), msg].filter(Boolean).join(": ")).join("; ");
  }
  const words = typeof detail === "string" ? detail : JSON.stringify(detail);
  const parts = new Set([response.statusText, words.trim().slice(0, 500)].filter(Boolean)); // do not repeat "Not Found"
  return ` ${[...parts].join(" - ")}`;
}

function mediaType(response) {
  return (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
}

async function read(response, position, on, signal) {
  const reader = response.body.getReader();
  const take = mediaType(response) === "text/event-stream" ? eventReader(position, on) : lineReader(response, on);
  let turnBegan = performance.now();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      take(value);
      if (performance.now() - turnBegan > READ_AT_ONCE_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        turnBegan = performance.now();
      }
    }
  } finally {
    // If the parser has thrown an error, the response is still open.
    reader.cancel().catch(() => {});
  }
}

function eventReader(position, on) {
  const parser = new EventStreamParser(position.lastEventId, (text) => on.comment(text));
  return (bytes) => {
    for (const { type, data, id } of parser.feed(bytes)) on.event(type, data, id);
    position.lastEventId = parser.lastEventId;
    position.retryMs = parser.retryMs ?? position.retryMs;
  };
}

// Lines of text or JSON. They have no ids or types of event streams.
function lineReader(response, on) {
  const isJSON = mediaType(response) === "application/x-ndjson";
  const decoder = new TextDecoder();
  let rest = "";
  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (isJSON) eventOfObject(line, on);
      else on.event("line", line, "");
    }
  };
}

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, MAX_TIMEOUT_MS));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
