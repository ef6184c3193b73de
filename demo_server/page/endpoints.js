// The endpoints of the server and their parameters as data, and the request for a choice of them.

// `name` is the query parameter. `key` differs from it where two endpoints use one name for different parameters.
const field = (key, label, unit, placeholder, hint = "", name = key) => ({ key, label, unit, placeholder, hint, name });

const COUNT = field("count", "End after", "events", "never");
const SIZE = field("size", "Padding", "bytes", "0");
const EVENT = field("event", "Event type", "", "message");
const RETRY = field("retry", "Reconnect after", "ms", "3000", "Sent as retry with the first event.");
const HEARTBEAT = field("heartbeat", "Heartbeat", "s", "15", "Comment after this time of silence; 0: none.");
const PUSHED = [COUNT, SIZE, EVENT, RETRY, HEARTBEAT];

const EVENT_STREAM = {
  group: "Push endpoints",
  receivers: ["eventsource", "fetch"],
  mediaType: "text/event-stream",
  method: "GET",
  fields: PUSHED,
  defaultRate: "1", // null: no pace parameter
};

export const ENDPOINTS = {
  "/stream": {
    ...EVENT_STREAM,
    about: "sse-starlette: the usual library for FastAPI and Starlette.",
  },
  "/native": {
    ...EVENT_STREAM,
    about: "fastapi.sse: part of FastAPI.",
  },
  "/load": {
    ...EVENT_STREAM,
    defaultRate: "10",
    about: "Plain ASGI: the cheapest stream in Python, for thousands of clients.",
  },
  "/streaming-response": {
    ...EVENT_STREAM,
    receivers: ["fetch"],
    mediaType: "text/plain",
    about: "Lines of plain text. EventSource refuses them, and they have no ids to continue from.",
  },
  "/ndjson": {
    ...EVENT_STREAM,
    receivers: ["fetch"],
    mediaType: "application/x-ndjson",
    about: "One JSON object per line. Clients reconnect and continue by themselves.",
  },
  "/ws": {
    ...EVENT_STREAM,
    receivers: ["websocket"],
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
    about: "Events published to the channel: new ones, or all after an id in its history.",
  },
  "/faults": {
    ...EVENT_STREAM,
    group: "Faults",
    fields: [...PUSHED, field("run", "Run", "name", "automatic"), field("seed", "Seed", "", "0")],
    hasPresets: true,
    about: "A stream with injected faults: select them below. /truth/{run} returns the fault log.",
  },
  "/v1/chat/completions": {
    ...EVENT_STREAM,
    group: "LLM",
    label: "POST /v1/chat/completions",
    receivers: ["fetch"],
    method: "POST",
    fields: [
      field("ttft", "First token after", "s", "0.3"),
      field("llm_rate", "Rate", "tokens/s", "50", "", "rate"),
      field("tokens", "Answer", "tokens", "64"),
      field("jitter", "Jitter", "0 to 1", "0"),
      field("seed", "Seed", "", "random"),
    ],
    defaultRate: null,
    about: "Tokens in the format of OpenAI's chat completions. EventSource cannot send this POST request.",
  },
};

// Whether a repeated request continues the stream instead of starting a new one.
const canReconnect = ({ mediaType, method }) => mediaType === "text/event-stream" && method === "GET";

// The first request of an EventSource has no Last-Event-ID header. Channels also accept the id in the query.
export function canBeginLater({ endpoint, receiver }) {
  return Boolean(ENDPOINTS[endpoint].isChannel) || (receiver === "fetch" && canReconnect(ENDPOINTS[endpoint]));
}

const CHAT_BODY = JSON.stringify({
  model: "demo",
  stream: true,
  messages: [{ role: "user", content: "Tell me about a stream" }],
});

// Faults that are added with one click.
export const PRESETS = [
  "drop=5", "duplicate=5", "reorder=4", "stall=10", "close=10", "reset=10", "truncate=10", "endless_line=5",
  "no_final_blank=true&count=10", "line_end=mixed", "bom=true", "split_utf8=true", "huge=5&huge_bytes=1000000",
  "burst=10", "header_delay=2", "heartbeats_only=true", "content_type=text/plain", "status=503&status_times=1",
  "close=10&status=204&status_after=1", "redirect=2",
];

// Faults that end the events. A stream has at most one of them.
export const ENDS = ["stall", "close", "reset", "truncate", "endless_line"];

// Event types that the server itself sends in a channel.
export const ANNOUNCEMENTS = ["gap", "dropped"];

export function typesOf(choice) {
  const more = (choice.types ?? "").split(",").map((type) => type.trim()).filter(Boolean);
  return [...ANNOUNCEMENTS, ...(choice.event ? [choice.event] : []), ...more];
}

// Relative to the page, so that a proxy can serve the server under a prefix.
export const urlOf = (path) => new URL(`.${path}`, document.baseURI);

// Faults may depend on the number of requests in a run. Without a name, each start therefore gets a new run.
export function withOwnRun(choice) {
  if (choice.endpoint !== "/faults" || choice.run || new URLSearchParams(choice.more ?? "").has("run")) return choice;
  return { ...choice, run: `page-${Math.random().toString(36).slice(2, 10)}` };
}

// Returns the URL of the fault log of a request, or "".
export function faultLogOf({ url }) {
  const run = new URL(url).searchParams.get("run");
  return run ? urlOf(`/truth/${encodeURIComponent(run)}`).href : "";
}

// Returns the request of a choice, for the receivers of receivers.js.
export function requestOf(choice) {
  const endpoint = ENDPOINTS[choice.endpoint];
  const path = endpoint.isChannel ? `${choice.endpoint}/${encodeURIComponent(choice.channel)}` : choice.endpoint;
  const url = urlOf(path);
  if (choice.receiver === "websocket") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
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
    reconnects: canReconnect(endpoint),
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

// Returns shell commands for the same request; "" if a program does not support it.
export function commandsOf({ url, method, headers, body, lastEventId, mediaType }, receiver) {
  const sent = Object.entries(headers).flatMap(([name, value]) => ["-H", quoted(`${name}: ${value}`)]);
  if (body) sent.push("-d", quoted(body));
  const curl = ["curl", "-N", ...sent];
  // A reconnection would send the prompt again.
  const sse = ["sse", "watch", ...(method === "POST" ? ["-X", "POST", "--no-reconnect"] : []), ...sent];
  if (lastEventId) {
    curl.push("-H", quoted(`Last-Event-ID: ${lastEventId}`));
    sse.push("--last-event-id", quoted(lastEventId));
  }
  return {
    curl: receiver === "websocket" ? "" : [...curl, quoted(url)].join(" "),
    sse: mediaType === "text/event-stream" ? [...sse, quoted(url)].join(" ") : "",
  };
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
