// The page: ties the form, a receiver, the figures, the chart and the log together.

import { Chart, short } from "./chart.js";
import { Controls } from "./controls.js";
import { ANNOUNCEMENTS, commandsOf, ENDPOINTS, requestOf, truthOf, withOwnRun } from "./endpoints.js";
import { Figures } from "./figures.js";
import { Log } from "./log.js";
import { PublishPanel } from "./publish.js";
import { hasEventSource, WAYS } from "./streams.js";

// Eyes follow no more; and what an event costs does not grow with what is shown of it.
const DRAWINGS_PER_S = 8;

// A stream that says nothing for longer is told to be silent. EventSource hides heartbeats: they do not count.
const SILENT_S = 3;

const byId = (id) => document.getElementById(id);

const controls = new Controls(showRequest);
const panel = new PublishPanel((channel) => controls.set({ channel }));
const log = new Log(byId("log"));
const chart = new Chart(byId("chart"), byId("chart-text"));
let figures = new Figures();
let stream = null;
// The way of what is shown: the form may have moved on.
let way = "";
// The time at which the figures and the chart stand still: when the stream was closed.
let closedAt = null;

function start() {
  stop();
  way = controls.choice.way;
  const isChat = ENDPOINTS[controls.choice.endpoint].method === "POST";
  figures = new Figures();
  closedAt = null;
  log.clear();
  byId("answer").hidden = !isChat;
  byId("answer-text").textContent = "";
  const request = requestOf(withOwnRun(controls.choice));
  showTruth(truthOf(request));
  showState("connecting", "");
  // A receiver that was closed may still have something to say: only the present one is listened to.
  const on = {
    state(name, reason) {
      if (stream !== mine) return;
      if (name === "open") figures.opened(performance.now());
      log.add("state", name, reason);
      showState(name, reason);
      if (name === "closed" || name === "failed") end();
    },
    event(type, data, id) {
      if (stream !== mine) return;
      figures.event(data, id, performance.now());
      log.add(ANNOUNCEMENTS.includes(type) ? "announcement" : "event", type, data, id);
      if (isChat) byId("answer-text").append(contentOf(data));
    },
    comment(text) {
      if (stream !== mine) return;
      figures.comment(performance.now());
      log.add("comment", "comment", text.trimStart());
    },
  };
  const mine = { close: () => {} };
  stream = mine;
  byId("stop").disabled = false;
  byId("start").textContent = "Restart";
  controls.write(true);
  try {
    const receiver = WAYS[way].open(request, on);
    mine.close = () => receiver.close();
  } catch (error) {
    on.state("failed", error.message);
  }
}

function stop() {
  if (!stream) return;
  showState("closed", "stopped here");
  log.add("state", "closed", "stopped here");
  end();
}

function end() {
  stream.close();
  stream = null;
  closedAt = performance.now();
  byId("stop").disabled = true;
  byId("start").textContent = "Start";
  controls.write(false);
}

function showState(name, reason) {
  byId("status").dataset.state = name;
  byId("state").textContent = name;
  byId("reason").textContent = reason;
  byId("ask-fetch").hidden = !(name === "failed" && way === "eventsource");
}

function showTruth(url) {
  byId("truth").hidden = url === "";
  byId("truth").href = url;
}

// How long nothing has come on a stream that is open: it may be at rest, or dead, and nobody can tell which.
function silenceWords(now) {
  const silentS = Math.floor(figures.silentMs(now) / 1000);
  return byId("status").dataset.state === "open" && silentS >= SILENT_S ? `nothing for ${silentS} s` : "";
}

// What a chunk of a chat completion adds to the answer; "[DONE]" adds nothing.
function contentOf(data) {
  try {
    return JSON.parse(data).choices[0].delta.content ?? "";
  } catch {
    return "";
  }
}

function draw() {
  const now = closedAt ?? performance.now();
  const shown = {
    events: figures.events.toLocaleString("en"),
    rate: short(figures.rate(now)),
    gap: gapWords(figures.lastGapMs),
    "max-gap": gapWords(figures.maxGapMs),
    bytes: figures.bytes.toLocaleString("en"),
    delivery: deliveryWords(figures.deliveryMs()),
    reconnects: String(figures.reconnects),
    comments: way === "eventsource" && figures.comments === 0 ? "not shown" : String(figures.comments),
    "last-id": figures.lastId || "-",
    silence: silenceWords(now),
  };
  for (const [id, text] of Object.entries(shown)) {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  }
  chart.draw(figures.seconds(now), byId("chart-kind").value);
  log.show();
}

function gapWords(ms) {
  return ms === null ? "-" : ms.toFixed(ms < 100 ? 1 : 0);
}

// Date.now() counts whole milliseconds: what is below one is not known.
function deliveryWords(ms) {
  if (ms === null) return "-";
  return Math.abs(ms) < 1 ? "under 1" : String(Math.round(ms));
}

function showRequest() {
  const request = requestOf(controls.choice);
  const { curl, sse } = commandsOf(request, controls.choice.way);
  const shown = { url: request.url, curl, sse };
  const without = { curl: "reads no WebSocket; python -m websockets does", sse: "reads event streams only" };
  for (const [id, text] of Object.entries(shown)) {
    byId(id).textContent = text || without[id];
    byId(id).classList.toggle("none", !text);
    document.querySelector(`[data-copies=${id}]`).disabled = !text;
  }
  panel.show(controls.choice.channel);
  controls.write(stream !== null);
}

function begin() {
  byId("no-eventsource").hidden = hasEventSource();
  // On a phone, what comes should not lie below a screen of parameters that nobody has touched.
  byId("parameters").open = window.matchMedia("(min-width: 56rem)").matches;

  byId("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  byId("stop").addEventListener("click", stop);
  byId("ask-fetch").addEventListener("click", () => {
    controls.set({ way: "fetch" });
    start();
  });
  byId("pause").addEventListener("click", ({ currentTarget }) => {
    log.isPaused = !log.isPaused;
    currentTarget.setAttribute("aria-pressed", String(log.isPaused));
    currentTarget.textContent = log.isPaused ? "Go on" : "Pause";
  });
  byId("clear").addEventListener("click", () => log.clear());
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(button));
  }
  window.addEventListener("hashchange", readAddress);
  // A timer and not a chain of animation frames: a tab in the background has none, and must keep its log short, too.
  setInterval(() => (document.hidden ? draw() : requestAnimationFrame(draw)), 1000 / DRAWINGS_PER_S);
  readAddress();
}

function readAddress() {
  const isStarted = controls.read();
  stop();
  if (isStarted) start();
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(byId(button.dataset.copies).textContent);
    button.textContent = "Copied";
  } catch {
    // Over plain HTTP there is a clipboard for localhost only: selected, the text is one key away.
    getSelection().selectAllChildren(byId(button.dataset.copies));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

begin();
