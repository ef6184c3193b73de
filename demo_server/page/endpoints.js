// What the server offers, as data: endpoints, their parameters, and the request that a choice of both comes to.

// `name` is the query's; `key` is the page's own, where two endpoints mean different things by one name.
const field = (key, label, unit, placeholder, hint = "", name = key) => ({ key, label, unit, placeholder, hint, name });

const COUNT = field("count", "End after", "events", "never");
const SIZE = field("size", "Padding", "bytes", "0");
const EVENT = field("event", "Event type", "", "message");
const RETRY = field("retry", "Reconnect after", "ms", "3000", "Sent as retry, with the first event.");
const HEARTBEAT = field("heartbeat", "Heartbeat", "s", "15", "A comment after so much silence; 0 is none.");
const PUSHED = [COUNT, SIZE, EVENT, RETRY, HEARTBEAT];

const EVENT_STREAM = {
  group: "Ways to push",
  ways: ["eventsource", "fetch"],
  mediaType: "text/event-stream",
  method: "GET",
  fields: PUSHED,
  defaultRate: "1", // null: it has a pace of its own
};

export const ENDPOINTS = {
  "/stream": {
    ...EVENT_STREAM,
    about: "sse-starlette: the usual way from FastAPI and Starlette.",
  },
  "/native": {
    ...EVENT_STREAM,
    about: "fastapi.sse: what FastAPI itself brings.",
  },
  "/load": {
    ...EVENT_STREAM,
    defaultRate: "10",
    about: "Plain ASGI: the cheapest stream that Python serves, for thousands of clients.",
  },
  "/streaming-response": {
    ...EVENT_STREAM,
    ways: ["fetch"],
    mediaType: "text/plain",
    about: "Lines of plain text. EventSource refuses them, and after an end there is nothing to go on from.",
  },
  "/ndjson": {
    ...EVENT_STREAM,
    ways: ["fetch"],
    mediaType: "application/x-ndjson",
    about: "A JSON object on each line. To come back, and from where, is left to the reader.",
  },
  "/ws": {
    ...EVENT_STREAM,
    ways: ["websocket"],
    mediaType: "",
    about: "The same events as WebSocket messages.",
  },
  "/channels": {
    ...EVENT_STREAM,
    group: "Channels",
    label: "/channels/{name}",
    fields: [RETRY, HEARTBEAT],
    defaultRate: null,
    isChannel: true,
    about: "What is published to the channel, from now on or after an id of its history.",
  },
  "/faults": {
    ...EVENT_STREAM,
    group: "Faults",
    fields: [...PUSHED, field("run", "Run", "name", "new each start"), field("seed", "Seed", "", "0")],
    hasPresets: true,
    about: "A stream that goes wrong as it is asked to: choose faults below. /truth/{run} tells what it did.",
  },
  "/v1/chat/completions": {
    ...EVENT_STREAM,
    group: "LLM",
    label: "POST /v1/chat/completions",
    ways: ["fetch"],
    method: "POST",
    fields: [
      field("ttft", "First token after", "s", "0.3"),
      field("llm_rate", "Rate", "tokens/s", "50", "", "rate"),
      field("tokens", "Answer", "tokens", "64"),
      field("jitter", "Jitter", "0 to 1", "0"),
      field("seed", "Seed", "", "random"),
    ],
    defaultRate: null,
    about: "Tokens in the shape of OpenAI's chat completions. It is a POST, so EventSource cannot ask for it.",
  },
};

// To ask once more is to go on, not to begin again.
const canComeBack = ({ mediaType, method }) => mediaType === "text/event-stream" && method === "GET";

// A page cannot give an EventSource a header to begin with. The channels take the id in the query, too.
export function canBeginLater({ endpoint, way }) {
  return Boolean(ENDPOINTS[endpoint].isChannel) || (way === "fetch" && canComeBack(ENDPOINTS[endpoint]));
}

const CHAT_BODY = JSON.stringify({
  model: "demo",
  stream: true,
  messages: [{ role: "user", content: "Tell me about a stream" }],
});

// The faults that one click adds.
export const PRESETS = [
  "drop=5", "duplicate=5", "reorder=4", "stall=10", "close=10", "reset=10", "truncate=10", "endless_line=5",
  "no_final_blank=true&count=10", "line_end=mixed", "bom=true", "split_utf8=true", "huge=5&huge_bytes=1000000",
  "burst=10", "header_delay=2", "heartbeats_only=true", "content_type=text/plain", "status=503&status_times=1",
  "close=10&status=204&status_after=1", "redirect=2",
];

// Of these a stream has one at most: no event follows on any of them.
export const ENDS = ["stall", "close", "reset", "truncate", "endless_line"];

// What a channel says besides what is published.
export const ANNOUNCEMENTS = ["gap", "dropped"];

export function typesOf(choice) {
  const more = (choice.types ?? "").split(",").map((type) => type.trim()).filter(Boolean);
  return [...ANNOUNCEMENTS, ...(choice.event ? [choice.event] : []), ...more];
}

// Below the page's own folder, so that a proxy may serve all of it under a prefix.
export const urlOf = (path) => new URL(`.${path}`, document.baseURI);

// What /faults does to a request may depend on how many its run has had, whoever made them: a click on Start begins a run
// of its own, unless one is named.
export function withOwnRun(choice) {
  if (choice.endpoint !== "/faults" || choice.run || new URLSearchParams(choice.more ?? "").has("run")) return choice;
  return { ...choice, run: `page-${Math.random().toString(36).slice(2, 10)}` };
}

// Returns where the server tells what it did to a request, or "".
export function truthOf({ url }) {
  const run = new URL(url).searchParams.get("run");
  return run ? urlOf(`/truth/${encodeURIComponent(run)}`).href : "";
}

// Returns the request of a choice, as the receivers of streams.js take it.
export function requestOf(choice) {
  const endpoint = ENDPOINTS[choice.endpoint];
  const path = endpoint.isChannel ? `${choice.endpoint}/${encodeURIComponent(choice.channel)}` : choice.endpoint;
  const url = urlOf(path);
  if (choice.way === "websocket") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = queryOf(choice, endpoint);
  const isPost = endpoint.method === "POST";
  return {
    url: url.href,
    method: endpoint.method,
    headers: isPost ? { "Content-Type": "application/json" } : {},
    body: isPost ? CHAT_BODY : undefined,
    mediaType: endpoint.mediaType,
    types: typesOf(choice),
    lastEventId: canBeginLater(choice) && !endpoint.isChannel ? (choice.last_id ?? "") : "",
    reconnects: canComeBack(endpoint),
  };
}

function queryOf(choice, endpoint) {
  const query = new URLSearchParams();
  if (endpoint.defaultRate && choice.pace) query.set(choice.pace_by, choice.pace);
  for (const { key, name } of endpoint.fields) {
    if (choice[key]) query.set(name, choice[key]);
  }
  if (endpoint.isChannel && choice.last_id) query.set("last_event_id", choice.last_id);
  for (const [name, value] of new URLSearchParams(choice.more ?? "")) query.set(name, value);
  return query.toString();
}

// Returns the shell commands that ask for the same; empty where a program cannot.
export function commandsOf({ url, method, headers, body, lastEventId, mediaType }, way) {
  const sent = Object.entries(headers).flatMap(([name, value]) => ["-H", quoted(`${name}: ${value}`)]);
  if (body) sent.push("-d", quoted(body));
  const curl = ["curl", "-N", ...sent];
  // To reconnect would be to ask the model once more.
  const sse = ["sse", "watch", ...(method === "POST" ? ["-X", "POST", "--no-reconnect"] : []), ...sent];
  if (lastEventId) {
    curl.push("-H", quoted(`Last-Event-ID: ${lastEventId}`));
    sse.push("--last-event-id", quoted(lastEventId));
  }
  return {
    curl: way === "websocket" ? "" : [...curl, quoted(url)].join(" "),
    sse: mediaType === "text/event-stream" ? [...sse, quoted(url)].join(" ") : "",
  };
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
