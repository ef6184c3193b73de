// The last 60 seconds as bars on a canvas, one per second, with dashed lines at reconnections.

const LEFT = 44;
const BOTTOM = 20;
const TOP = 10;
const NARROW = 480;

const KINDS = {
  events: { words: (most) => `At most ${most} event${most === "1" ? "" : "s"} in one second`, of: (second) => second.events },
  gap: { words: (most) => `The longest gap: ${most} ms`, of: (second) => second.gapMs },
};

export class Chart {
  #canvas;
  #text;

  constructor(canvas, text) {
    this.#canvas = canvas;
    this.#text = text;
  }

  draw(seconds, kind) {
    const canvas = this.#canvas;
    const { words, of } = KINDS[kind];
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const context = scaled(canvas, width, height);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const values = seconds.map(of);
    const top = niceCeiling(Math.max(...values));
    const toY = (value) => TOP + (height - TOP - BOTTOM) * (1 - value / top);
    const step = (width - LEFT) / seconds.length;

    context.clearRect(0, 0, width, height);
    context.font = `11px ${style.fontFamily}`;
    context.fillStyle = colour("--muted");
    context.strokeStyle = colour("--line");
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(toY(top * share)) + 0.5;
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillText(short(top * share), LEFT - 6, y);
    }
    context.textBaseline = "alphabetic";
    const times = width < NARROW ? [60, 30, 0] : [60, 45, 30, 15, 0];
    for (const secondsAgo of times) {
      context.textAlign = { 60: "left", 0: "right" }[secondsAgo] ?? "center";
      const x = LEFT + (width - LEFT) * (1 - secondsAgo / 60);
      context.fillText(secondsAgo === 0 ? "now" : `${secondsAgo} s ago`, x, height - 4);
    }

    context.fillStyle = colour("--accent");
    values.forEach((value, index) => {
      const y = toY(value);
      if (value > 0) context.fillRect(LEFT + index * step + 0.5, y, Math.max(1, step - 1.5), toY(0) - y);
    });
    context.strokeStyle = colour("--warn");
    context.setLineDash([3, 3]);
    seconds.forEach(({ reconnects }, index) => {
      if (reconnects === 0) return;
      const x = Math.round(LEFT + (index + 0.5) * step) + 0.5;
      context.beginPath();
      context.moveTo(x, TOP);
      context.lineTo(x, toY(0));
      context.stroke();
    });
    context.setLineDash([]);
    this.#describe(seconds, words(short(Math.max(...values))));
  }

  // Describes the chart in words.
  #describe(seconds, words) {
    const again = seconds.reduce((sum, { reconnects }) => sum + reconnects, 0);
    const text = `${words}. Reconnects, dashed: ${again}.`;
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}

// Returns the context of a canvas in the resolution of the screen, scaled to CSS pixels.
function scaled(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
  // Setting the size clears the canvas and is as expensive as drawing.
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

// Returns an upper limit for the axis, slightly above the value, with a short number at half of it.
function niceCeiling(value) {
  for (let scale = 1; ; scale *= 10) {
    for (const step of [2, 3, 4, 6, 8, 12]) {
      if (step * scale >= value * 1.05) return step * scale;
    }
  }
}

export function short(value) {
  if (value >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (value >= 1e4) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}

function trimmed(value) {
  return String(Number(value.toFixed(value < 100 ? 1 : 0)));
}
