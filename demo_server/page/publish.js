// The panel that publishes to a channel: one POST per click.

import { hashOf } from "./controls.js";
import { urlOf } from "./endpoints.js";
import { explanation } from "./fetch-stream.js";
import { hasEventSource } from "./streams.js";

const byId = (id) => document.getElementById(id);

export class PublishPanel {
  // `onChannel` gets the channel's name when it is changed here: it is the same one that is watched.
  // `passesOver` says whether the stream of this tab is of a channel, and hides a type of events.
  constructor(onChannel, passesOver) {
    byId("publish-channel").addEventListener("input", ({ target }) => onChannel(target.value));
    byId("publish-type").addEventListener("input", () => this.#linkSecondTab());
    byId("publish").addEventListener("submit", async (event) => {
      event.preventDefault();
      const { words, isError } = await publish(passesOver);
      byId("published").textContent = words;
      byId("published").classList.toggle("error", isError);
    });
  }

  show(channel) {
    byId("publish-channel").value = channel;
    this.#linkSecondTab();
  }

  #linkSecondTab() {
    byId("second-tab").href = hashOf({
      endpoint: "/channels",
      way: hasEventSource() ? "eventsource" : "fetch",
      channel: byId("publish-channel").value,
      types: byId("publish-type").value,
      start: "1",
    });
  }
}

async function publish(passesOver) {
  const channel = byId("publish-channel").value;
  const type = byId("publish-type").value;
  const query = type ? `?${new URLSearchParams({ event: type })}` : "";
  const mediaType = byId("publish-json").checked ? "application/json" : "text/plain; charset=utf-8";
  try {
    const response = await fetch(urlOf(`/channels/${encodeURIComponent(channel)}${query}`), {
      method: "POST",
      headers: { "Content-Type": mediaType },
      body: byId("publish-body").value,
    });
    if (!response.ok) {
      return { words: `Refused: HTTP ${response.status}${await explanation(response)}`, isError: true };
    }
    const { id, subscribers } = await response.json();
    const words = `Published as ${id} to ${subscribers} subscriber${subscribers === 1 ? "" : "s"}.`;
    const but = passesOver(channel, type || "message")
      ? ` This tab does not show it: its EventSource was not told to listen for "${type}" (see Parameters).`
      : "";
    return { words: words + but, isError: false };
  } catch (error) {
    return { words: `Not published: ${error.message}`, isError: true };
  }
}
