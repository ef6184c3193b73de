// The form. Its state is an object that is also stored in the #hash of the URL, for links and reloads.

import { canBeginLater, ENDPOINTS, ENDS, PRESETS } from "./endpoints.js";
import { hasEventSource, RECEIVERS } from "./receivers.js";

const DEFAULTS = { endpoint: "/stream", receiver: "eventsource", pace_by: "interval", channel: "ticker" };
const LAST_ID = { key: "last_id", label: "Continue after", unit: "id", placeholder: "" };

const byId = (id) => document.getElementById(id);

export class Controls {
  choice = {};
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    fillEndpoints(byId("endpoint"));
    byId("endpoint").addEventListener("change", ({ target }) => this.set({ endpoint: target.value }));
    byId("receivers").addEventListener("change", ({ target }) => this.set({ receiver: target.value }));
    // All text fields, including those of the endpoint. They are not replaced during typing.
    byId("controls").addEventListener("input", ({ target }) => {
      if (target.name && target.type !== "radio") this.set({ [target.name]: target.value }, { keepsFields: true });
    });
    for (const preset of PRESETS) byId("presets").append(presetButton(preset, () => this.#toggle(preset)));
  }

  // Reads the choice from the URL; must be called first. Returns whether to start the stream.
  read() {
    // Older links have `way` instead of `receiver`.
    const { start, way, ...choice } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    this.choice = { ...DEFAULTS };
    this.set(way ? { receiver: way, ...choice } : choice);
    return start !== undefined;
  }

  // Writes the choice to the URL, without an entry in the tab's history.
  write(isStarted) {
    history.replaceState(null, "", hashOf({ ...this.choice, start: isStarted ? "1" : "" }));
  }

  set(changes, { keepsFields = false } = {}) {
    const choice = (this.choice = { ...this.choice, ...changes });
    if (!Object.hasOwn(ENDPOINTS, choice.endpoint)) choice.endpoint = DEFAULTS.endpoint;
    if (choice.pace_by !== "rate") choice.pace_by = DEFAULTS.pace_by;
    const endpoint = ENDPOINTS[choice.endpoint];
    if (!usable(endpoint).includes(choice.receiver)) choice.receiver = usable(endpoint)[0];
    if (!keepsFields) this.#showFields(endpoint);
    this.#showReceivers(endpoint);
    this.#showPresets();
    this.#onChange();
  }

  #showFields(endpoint) {
    const { choice } = this;
    byId("endpoint").value = choice.endpoint;
    byId("about").textContent = endpoint.about;
    byId("channel-field").hidden = !endpoint.isChannel;
    byId("presets").hidden = !endpoint.hasPresets;
    const fields = endpoint.fields.map((field) => textField(field, choice));
    if (endpoint.defaultRate) fields.unshift(paceField(choice, endpoint));
    if (canBeginLater(choice)) fields.push(textField(LAST_ID, choice));
    byId("fields").replaceChildren(...fields);
    byId("types-field").hidden = choice.receiver !== "eventsource";
    for (const name of ["channel", "types", "more"]) byId(name).value = choice[name] ?? "";
  }

  #showReceivers(endpoint) {
    const { receiver } = this.choice;
    const hadFocus = byId("receivers").contains(document.activeElement);
    byId("receivers").replaceChildren(
      ...endpoint.receivers.map((name) =>
        receiverButton(name, name === receiver, name === "eventsource" && !hasEventSource()),
      ),
    );
    if (hadFocus) byId("receivers").querySelector(":checked")?.focus();
    byId("receiver-hint").textContent = RECEIVERS[receiver].hint;
  }

  #showPresets() {
    const chosen = new URLSearchParams(this.choice.more ?? "");
    for (const button of byId("presets").children) {
      button.setAttribute("aria-pressed", String(isChosen(button.textContent, chosen)));
    }
  }

  #toggle(preset) {
    const more = new URLSearchParams(this.choice.more ?? "");
    const wasChosen = isChosen(preset, more);
    for (const [name, value] of new URLSearchParams(preset)) {
      if (ENDS.includes(name)) ENDS.forEach((other) => more.delete(other));
      if (wasChosen) more.delete(name);
      else more.set(name, value);
    }
    this.set({ more: more.toString() });
  }
}

export function hashOf(choice) {
  return `#${new URLSearchParams(Object.entries(choice).filter(([, value]) => value !== ""))}`;
}

const usable = (endpoint) => endpoint.receivers.filter((name) => name !== "eventsource" || hasEventSource());

function isChosen(preset, chosen) {
  return [...new URLSearchParams(preset)].every(([name, value]) => chosen.get(name) === value);
}

function fillEndpoints(select) {
  for (const [name, { group, label = name }] of Object.entries(ENDPOINTS)) {
    let options = select.querySelector(`optgroup[label="${group}"]`);
    if (!options) {
      options = element("optgroup", { label: group });
      select.append(options);
    }
    options.append(new Option(label, name));
  }
}

function textField({ key, label, unit, placeholder, hint }, choice) {
  const input = element("input", {
    id: `field-${key}`, name: key, placeholder, value: choice[key] ?? "", spellcheck: false, autocapitalize: "off",
  });
  const words = element("label", { htmlFor: input.id }, `${label} `, element("span", { className: "unit" }, unit));
  return element("div", { className: "field", title: hint ?? "" }, words, input);
}

// One field for both, because interval and rate exclude each other.
function paceField(choice, endpoint) {
  const input = element("input", { id: "field-pace", name: "pace", inputMode: "decimal", value: choice.pace ?? "" });
  const unit = element("select", { id: "pace-by", name: "pace_by", ariaLabel: "Unit of the pace" });
  unit.append(new Option("seconds apart", "interval"), new Option("events/s", "rate"));
  unit.value = choice.pace_by;
  const showDefault = () => {
    const rate = endpoint.defaultRate;
    input.placeholder = unit.value === "rate" ? rate : String(1 / rate);
  };
  unit.addEventListener("change", showDefault);
  showDefault();
  const unitWords = element("span", { className: "unit" }, "0: as fast as possible");
  const words = element("label", { htmlFor: input.id }, "Pace ", unitWords);
  return element("div", { className: "field wide" }, words, element("div", { className: "pair" }, input, unit));
}

function receiverButton(name, isChecked, isDisabled) {
  const properties = { type: "radio", name: "receiver", value: name, checked: isChecked, disabled: isDisabled };
  const radio = element("input", properties);
  return element("label", {}, radio, element("span", {}, RECEIVERS[name].label));
}

function presetButton(preset, onClick) {
  const button = element("button", { type: "button", ariaPressed: "false" }, preset);
  button.addEventListener("click", onClick);
  return button;
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
