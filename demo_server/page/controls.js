// The form: what is chosen, as an object that is also the address's #hash, so that a link or a reload brings it back.

import { canBeginLater, ENDPOINTS, ENDS, PRESETS } from "./endpoints.js";
import { hasEventSource, WAYS } from "./streams.js";

const DEFAULTS = { endpoint: "/stream", way: "eventsource", pace_by: "interval", channel: "ticker" };
const LAST_ID = { key: "last_id", label: "Begin after", unit: "id", placeholder: "" };

const byId = (id) => document.getElementById(id);

export class Controls {
  choice = {};
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    fillEndpoints(byId("endpoint"));
    byId("endpoint").addEventListener("change", ({ target }) => this.set({ endpoint: target.value }));
    byId("ways").addEventListener("change", ({ target }) => this.set({ way: target.value }));
    // All text fields: those of the HTML and those that an endpoint brings. They stay as they are while one types.
    byId("controls").addEventListener("input", ({ target }) => {
      if (target.name && target.type !== "radio") this.set({ [target.name]: target.value }, { keepsFields: true });
    });
    for (const preset of PRESETS) byId("presets").append(presetButton(preset, () => this.#toggle(preset)));
  }

  // Takes the choice out of the address; to be called first. Returns whether it asks to be started.
  read() {
    const { start, ...choice } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    this.choice = { ...DEFAULTS };
    this.set(choice);
    return start !== undefined;
  }

  // Makes the choice the address, without a step in the tab's history for every key that is pressed.
  write(isStarted) {
    history.replaceState(null, "", hashOf({ ...this.choice, start: isStarted ? "1" : "" }));
  }

  set(changes, { keepsFields = false } = {}) {
    const choice = (this.choice = { ...this.choice, ...changes });
    if (!Object.hasOwn(ENDPOINTS, choice.endpoint)) choice.endpoint = DEFAULTS.endpoint;
    if (choice.pace_by !== "rate") choice.pace_by = DEFAULTS.pace_by;
    const endpoint = ENDPOINTS[choice.endpoint];
    if (!usable(endpoint).includes(choice.way)) choice.way = usable(endpoint)[0];
    if (!keepsFields) this.#showFields(endpoint);
    this.#showWays(endpoint);
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
    byId("types-field").hidden = choice.way !== "eventsource";
    for (const name of ["channel", "types", "more"]) byId(name).value = choice[name] ?? "";
  }

  #showWays(endpoint) {
    const { way } = this.choice;
    const hadFocus = byId("ways").contains(document.activeElement);
    byId("ways").replaceChildren(
      ...endpoint.ways.map((name) => wayButton(name, name === way, name === "eventsource" && !hasEventSource())),
    );
    if (hadFocus) byId("ways").querySelector(":checked")?.focus();
    byId("way-hint").textContent = WAYS[way].hint;
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

const usable = (endpoint) => endpoint.ways.filter((way) => way !== "eventsource" || hasEventSource());

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

// One field, as an interval and a rate exclude each other.
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
  const unitWords = element("span", { className: "unit" }, "0 is as fast as it is read");
  const words = element("label", { htmlFor: input.id }, "Pace ", unitWords);
  return element("div", { className: "field wide" }, words, element("div", { className: "pair" }, input, unit));
}

function wayButton(name, isChecked, isDisabled) {
  const radio = element("input", { type: "radio", name: "way", value: name, checked: isChecked, disabled: isDisabled });
  return element("label", {}, radio, element("span", {}, WAYS[name].label));
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
