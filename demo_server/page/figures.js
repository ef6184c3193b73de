// The figures of a stream. Times are in milliseconds of performance.now().
//
// An event costs a few additions, because there may be tens of thousands per second. The rest is computed on display.

const BIN_MS = 250;
const CHART_S = 60;
const RATE_S = 5;
const BINS = (CHART_S + 1) * (1000 / BIN_MS);

const encoder = new TextEncoder();

export class Figures {
  events = 0;
  bytes = 0;
  comments = 0;
  connections = 0;
  lastId = "";
  lastGapMs = null;
  maxGapMs = null;
  // The last event and its time of arrival by Date.now(). Its delivery time is computed once, on display, because its
  // data may have megabytes.
  #lastData = "";
  #lastDataAt = 0;
  #lastDeliveryMs = undefined;
  #firstMs = null;
  // Time of the last connection, event or comment.
  #heardMs = null;
  #lastMs = null;
  #bins = Array.from({ length: BINS }, () => newBin(-1));

  opened(nowMs) {
    this.connections += 1;
    this.#heardMs = nowMs;
    this.#firstMs ??= nowMs;
    if (this.connections > 1) this.#bin(nowMs).reconnects += 1;
  }

  comment(nowMs) {
    this.comments += 1;
    this.#heardMs = nowMs;
  }

  event(data, id, nowMs) {
    this.events += 1;
    this.bytes += encoder.encode(data).length;
    this.lastId = id;
    const bin = this.#bin(nowMs);
    bin.events += 1;
    if (this.#lastMs !== null) {
      const gapMs = nowMs - this.#lastMs;
      this.lastGapMs = gapMs;
      this.maxGapMs = Math.max(this.maxGapMs ?? 0, gapMs);
      bin.gapMs = Math.max(bin.gapMs, gapMs);
    }
    this.#lastMs = nowMs;
    this.#heardMs = nowMs;
    this.#lastData = data;
    this.#lastDataAt = Date.now();
    this.#lastDeliveryMs = undefined;
  }

  silentMs(nowMs) {
    return this.#heardMs === null ? 0 : nowMs - this.#heardMs;
  }

  get reconnects() {
    return Math.max(0, this.connections - 1);
  }

  // Events per second over the last 5 s, or since the first connection.
  rate(nowMs) {
    if (this.#firstMs === null) return 0;
    const now = Math.floor(nowMs / BIN_MS);
    const first = now - RATE_S * (1000 / BIN_MS) + 1;
    let events = 0;
    for (let number = first; number <= now; number += 1) events += this.#read(number).events;
    const spanMs = Math.min(nowMs - first * BIN_MS, nowMs - this.#firstMs);
    return (events * 1000) / Math.max(spanMs, 1000);
  }

  // Arrival of the last event by this clock, minus its timestamp by the server's clock; null without a timestamp.
  deliveryMs() {
    if (this.#lastDeliveryMs === undefined) {
      const ts = timestampOf(this.#lastData);
      this.#lastDeliveryMs = ts === null ? null : this.#lastDataAt - ts / 1e6;
    }
    return this.#lastDeliveryMs;
  }

  // The last 60 seconds, oldest first: {events, gapMs, reconnects} of each.
  seconds(nowMs) {
    const perSecond = 1000 / BIN_MS;
    const last = Math.floor(nowMs / 1000);
    return Array.from({ length: CHART_S }, (_, index) => {
      const sum = newBin(last - CHART_S + 1 + index);
      for (let part = 0; part < perSecond; part += 1) {
        const bin = this.#read(sum.number * perSecond + part);
        sum.events += bin.events;
        sum.gapMs = Math.max(sum.gapMs, bin.gapMs);
        sum.reconnects += bin.reconnects;
      }
      return sum;
    });
  }

  #bin(nowMs) {
    const number = Math.floor(nowMs / BIN_MS);
    const index = number % BINS;
    if (this.#bins[index].number !== number) this.#bins[index] = newBin(number);
    return this.#bins[index];
  }

  #read(number) {
    const bin = this.#bins[((number % BINS) + BINS) % BINS];
    return bin.number === number ? bin : newBin(number);
  }
}

function timestampOf(data) {
  try {
    const { ts } = JSON.parse(data);
    return typeof ts === "number" ? ts : null;
  } catch {
    return null;
  }
}

function newBin(number) {
  return { number, events: 0, gapMs: 0, reconnects: 0 };
}
