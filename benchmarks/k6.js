// k6 + xk6-sse as a reader: as many users as streams, each holding one, with delivery as a metric of our own.
// Run by the runner; by hand: k6 run -e URL=... -e STREAMS=1000 -e DURATION_S=10 benchmarks/k6.js

import sse from "k6/x/sse";
import { Counter, Trend } from "k6/metrics";

const opened = new Counter("opened");
const events = new Counter("events");
const delivery = new Trend("delivery");

export const options = {
    vus: Number(__ENV.STREAMS),
    duration: `${__ENV.DURATION_S}s`,
    gracefulStop: "0s",
    summaryTrendStats: ["p(50)", "p(99)"],
};

export default function () {
    sse.open(__ENV.URL, {}, (client) => {
        client.on("open", () => opened.add(1));
        client.on("event", (event) => {
            events.add(1);
            delivery.add(Date.now() - JSON.parse(event.data).ts / 1e6);
        });
    });
}

export function handleSummary(data) {
    const value = (name, key) => (data.metrics[name] ? data.metrics[name].values[key] : null);
    return {
        stdout: JSON.stringify({
            opened: value("opened", "count") || 0,
            events: value("events", "count") || 0,
            duration_s: data.state.testRunDurationMs / 1000,
            delivery_p50_ms: value("delivery", "p(50)"),
            delivery_p99_ms: value("delivery", "p(99)"),
        }),
    };
}
