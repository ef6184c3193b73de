// The panel that publishes to a channel, with one POST per click.

import { hashOf } from "./controls.js";
import { urlOf } from "./endpoints.js";
import { explanation } from "./fetch-stream.js";
import { hasEventSource } from "./receivers.js";

const byId = (id) => document.getElementById(id);

export class PublishPanel {
  // `onChannel` is called with a new name: the panel publishes to the channel that the page watches.
  // `isHidden` says whether this tab receives events of a channel, but not of a type.
  constructor(onChannel, isHidden) {
    byId("publish-channel").addEventListener("input", ({ target }) => onChannel(target.value));
    byId("publish-type").addEventListener("input", () => this.#linkSecondTab());
    byId("publish").addEventListener("submit", async (event) => {
      event.preventDefault();
      const { words, isError } = await publish(isHidden);
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
      receiver: hasEventSource() ? "eventsource" : "fetch",
      channel: byId("publish-channel").value,
      types: byId("publish-type").value,
      start: "1",
    });
  }
}

async function publish(isHidden) {
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
    // With Redis, other servers may have subscribers: the server does not know how many.
    const to = subscribers === null ? "" : ` to ${subscribers} subscriber${subscribers === 1 ? "" : "s"}`;
    const words = `Published as ${id}${to}.`;
    const but = isHidden(channel, type || "message")
      ? ` This tab does not show it: its EventSource does not listen for "${type}" (see Parameters).`
      : "";
    return { words: words + but, isError: false };
  } catch (error) {
    return { words: `Not published: ${error.message}`, isError: true };
  }
}
