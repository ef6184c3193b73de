// The page: connects the form, a receiver, the figures, the chart and the log.

import { Chart, short } from "./chart.js";
import { Controls } from "./controls.js";
import { ANNOUNCEMENTS, commandsOf, ENDPOINTS, faultLogOf, requestOf, withOwnRun } from "./endpoints.js";
import { Figures } from "./figures.js";
import { Log } from "./log.js";
import { PublishPanel } from "./publish.js";
import { hasEventSource, RECEIVERS } from "./receivers.js";

// Faster updates are not visible. Drawing on a timer also keeps the cost of an event independent of the display.
const DRAWINGS_PER_S = 8;

// After this time without data, the page shows the silence. EventSource hides heartbeats, so they do not count there.
const SILENT_S = 3;

const byId = (id) => document.getElementById(id);

const controls = new Controls(showRequest);
const panel = new PublishPanel((channel) => controls.set({ channel }), isHidden);
const log = new Log(byId("log"));
const chart = new Chart(byId("chart"), byId("chart-text"));
let figures = new Figures();
let stream = null;
// The receiver of the displayed stream. The form may have another selection by now.
let receiver = "";
// The channel of the displayed stream, if it is one, and the event types that it listens for.
let subscribed = { channel: null, types: [] };
// Time at which the stream was closed: the figures and the chart stop there.
let closedAt = null;

function start() {
  stop();
  receiver = controls.choice.receiver;
  const isChat = ENDPOINTS[controls.choice.endpoint].method === "POST";
  figures = new Figures();
  closedAt = null;
  log.clear();
  byId("answer").hidden = !isChat;
  byId("answer-text").textContent = "";
  const request = requestOf(withOwnRun(controls.choice));
  const { isChannel } = ENDPOINTS[controls.choice.endpoint];
  subscribed = { channel: isChannel ? controls.choice.channel : null, types: ["message", ...request.types] };
  showFaultLog(faultLogOf(request));
  showState("connecting", "");
  // A closed receiver may still report something. Only the current one counts.
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
    const opened = RECEIVERS[receiver].open(request, on);
    mine.close = () => opened.close();
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
  // A disabled button loses the focus.
  if (document.activeElement === byId("stop")) byId("start").focus();
  byId("stop").disabled = true;
  byId("start").textContent = "Start";
  controls.write(false);
}

function showState(name, reason) {
  byId("status").dataset.state = name;
  byId("state").textContent = name;
  byId("reason").textContent = reason;
  byId("ask-fetch").hidden = !(name === "failed" && receiver === "eventsource");
}

// Says whether this tab receives an event that was published here, but does not show it.
function isHidden(channel, type) {
  const isReceived = stream !== null && receiver === "eventsource" && channel === subscribed.channel;
  return isReceived && !subscribed.types.includes(type);
}

function showFaultLog(url) {
  byId("fault-log").hidden = url === "";
  byId("fault-log").href = url;
}

// Seconds without data on an open stream. It may be idle or dead; a client cannot tell.
function silenceWords(now) {
  const silentS = Math.floor(figures.silentMs(now) / 1000);
  return byId("status").dataset.state === "open" && silentS >= SILENT_S ? `no data for ${silentS} s` : "";
}

// Returns the text of a chunk of a chat completion; "" for "[DONE]".
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
    comments: receiver === "eventsource" && figures.comments === 0 ? "not shown" : String(figures.comments),
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

// Date.now() has a resolution of one millisecond.
function deliveryWords(ms) {
  if (ms === null) return "-";
  return Math.abs(ms) < 1 ? "under 1" : String(Math.round(ms));
}

function showRequest() {
  const request = requestOf(controls.choice);
  const { curl, sse } = commandsOf(request, controls.choice.receiver);
  const shown = { url: request.url, curl, sse };
  const without = { curl: "does not read WebSockets; use python -m websockets", sse: "reads only event streams" };
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
  // On a phone, open parameters would push the stream below the first screen.
  byId("parameters").open = window.matchMedia("(min-width: 56rem)").matches;

  byId("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  byId("stop").addEventListener("click", stop);
  byId("ask-fetch").addEventListener("click", () => {
    controls.set({ receiver: "fetch" });
    start();
  });
  byId("pause").addEventListener("click", ({ currentTarget }) => {
    log.isPaused = !log.isPaused;
    currentTarget.setAttribute("aria-pressed", String(log.isPaused));
    currentTarget.textContent = log.isPaused ? "Resume" : "Pause";
  });
  byId("clear").addEventListener("click", () => log.clear());
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(button));
  }
  window.addEventListener("hashchange", readAddress);
  // A timer, not only animation frames: a tab in the background gets none, but must keep its log short.
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
    // Over plain HTTP, only localhost has clipboard access. Select the text, so that the user can copy it.
    getSelection().selectAllChildren(byId(button.dataset.copies));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

begin();
