// Receiving with fetch: the response's body is read while it comes.
//
// What EventSource does by itself is done by hand here: parsing, reconnection after `retry`, Last-Event-ID. What it
// cannot do comes with it: the status and words of a refusal, comments, POST, and backpressure (nothing is read while
// the page is busy, so a fast server has to wait).

import { EventStreamParser } from "./event-stream.js";
import { eventOfObject } from "./json-events.js";

// "A reconnection time, in milliseconds. This must initially be an implementation-defined value, probably in the region
// of a few seconds" (9.2.2). Chromium takes 3 s, too.
const DEFAULT_RETRY_MS = 3000;

// setTimeout takes 32 bits, and fires at once beyond them.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

// While more is there already, reads resolve without a turn of the event loop: no click would get through.
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
  // A header holds bytes, and fetch takes one character for each: the id's UTF-8, as EventSource sends it.
  const id = new TextEncoder().encode(position.lastEventId);
  if (id.length > 0) headers["Last-Event-ID"] = Array.from(id, (byte) => String.fromCharCode(byte)).join("");
  return { method: request.method, body: request.body, headers, cache: "no-store", signal };
}

// Returns the words of an answer that is no stream, or "".
async function refusalOf(response, request) {
  if (response.status === 204) return "HTTP 204: the server asks its clients not to come back";
  if (!response.ok) return `HTTP ${response.status}${await explanation(response)}`;
  if (request.mediaType !== mediaType(response)) {
    response.body?.cancel();
    return `HTTP ${response.status}, but ${mediaType(response) || "no Content-Type"} instead of ${request.mediaType}`;
  }
  return "";
}

// Returns what the server says about a status: FastAPI's `detail`, OpenAI's `error`, or the text.
export async function explanation(response) {
  const text = await response.text();
  let detail = text;
  try {
    const answer = JSON.parse(text);
    detail = answer.detail ?? answer.error?.message ?? text;
  } catch {
    // Not JSON: the text says it.
  }
  if (Array.isArray(detail)) {
    detail = detail.map(({ loc, msg }) => [(loc ?? []).slice(1).join("."), msg].filter(Boolean).join(": ")).join("; ");
  }
  const words = typeof detail === "string" ? detail : JSON.stringify(detail);
  const parts = new Set([response.statusText, words.trim().slice(0, 500)].filter(Boolean)); // "Not Found" is said once
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
    // The parser may have had enough, and the server not.
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

// Lines of text, or of JSON: neither has ids to come back with, nor types that a browser knows.
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
