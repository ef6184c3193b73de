"use strict";
// Draws the charts, and makes their legends, tables and buttons. All text enters the page as textContent.
(() => {
  const root = document.documentElement;
  root.dataset.script = "";
  const PAPER_PX = 660;
  const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // A canvas needs colours as values: the custom properties hold light-dark(), which only an element resolves.
  const probe = document.body.appendChild(make("i"));
  probe.hidden = true;
  const color = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };

  const grouped = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const digitsOf = (value) => (value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3);
  const trimmed = (value) => Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
  const short = (value) => (Math.abs(value) >= 1e6 ? `${trimmed(value / 1e6)}M` : Math.abs(value) >= 1e4 ? `${trimmed(value / 1e3)}k` : trimmed(value));
  const byBytes = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]];
  const stepOf = (value, steps) => steps.find(([least]) => Math.abs(value) >= least) ?? steps[steps.length - 1];
  const inBytes = (format) => (value) => {
    const [factor, unit] = stepOf(value, byBytes);
    return `${format(value / factor)} ${unit}`;
  };
  const precise = (value) => grouped(value, digitsOf(value));
  const axisBytes = inBytes(trimmed);
  const exactBytes = inBytes((value) => (Number.isInteger(value) ? grouped(value, 0) : precise(value)));
  const units = {
    ms: {
      axis: (v) => (Math.abs(v) >= 1000 ? `${trimmed(v / 1000)} s` : `${trimmed(v)} ms`),
      value: (v) => (Math.abs(v) >= 1000 ? `${precise(v / 1000)} s` : `${precise(v)} ms`),
    },
    count: { axis: (v) => (Number.isInteger(v) ? short(v) : ""), value: (v) => grouped(v, 0) },
    per_s: { axis: (v) => `${short(v)}/s`, value: (v) => `${grouped(v, Math.abs(v) < 10 && !Number.isInteger(v) ? 1 : 0)}/s` },
    bytes: { axis: axisBytes, value: exactBytes },
    bytes_per_s: { axis: (v) => `${axisBytes(v)}/s`, value: (v) => `${exactBytes(v)}/s` },
    percent: { axis: (v) => `${trimmed(v)} %`, value: (v) => `${grouped(v, 1)} %` },
    number: { axis: short, value: trimmed },
  };
  const percentile = (x) => {
    const percent = 100 * (1 - 1 / x);
    return `${Number(percent.toFixed(Math.max(0, Math.ceil(Math.log10(x)) - 1)))} %`;
  };
  const decades = (low, high) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) found.push(10 ** power);
    return found;
  };
  // The loads themselves, from the largest down, where there is place for their labels.
  const apart = (plot, loads) => {
    const { min, max } = plot.scales.x;
    const place = (x) => (plot.bbox.width / devicePixelRatio) * (Math.log(x / min) / Math.log(max / min));
    return loads
      .filter((x) => x >= min && x <= max)
      .reduceRight((kept, x) => (kept.length && place(kept[0]) - place(x) < 44 ? kept : [x, ...kept]), []);
  };
  const xAxes = {
    time: { title: "time since the start", axis: (x) => `${trimmed(x)} s`, value: (x) => `${trimmed(x)} s` },
    percentile: {
      title: "percentile", isLog: true, axis: percentile, value: percentile,
      splits: (plot) => [1, ...(plot.width < 500 ? [] : [2]), ...decades(10, plot.scales.x.max)].filter((x) => x <= plot.scales.x.max),
    },
    load: { title: "load", isLog: true, axis: short, value: trimmed, splits: apart },
    throughput: {
      title: "throughput", isLog: true, axis: short, value: trimmed,
      splits: (plot) => logSplits(plot.scales.x.min, plot.scales.x.max),
    },
  };

  const logSplits = (low, high) => {
    const all = decades(low, high).flatMap((ten) => [1, 2, 5].map((k) => Number((k * ten).toPrecision(3))));
    const inside = all.filter((y) => y >= low && y <= high);
    if (inside.length > 8) return inside.filter((y) => /^0*\.?0*1/.test(String(y)));
    return inside.length > 1 ? inside : [low, (low + high) / 2, high].map((y) => Number(y.toPrecision(3)));
  };

  const textWidth = (() => {
    const context = make("canvas").getContext("2d");
    return (text) => { context.font = FONT; return context.measureText(text).width; };
  })();
  const together = uPlot.sync("time");

  class Chart {
    constructor(spec) {
      this.spec = spec;
      this.holder = document.getElementById(spec.id);
      this.plotBox = this.holder.querySelector(".plot");
      this.unit = units[spec.unit];
      this.xAxis = { ...xAxes[spec.axis], ...(spec.axis_title ? { title: spec.axis_title } : {}) };
      this.isLog = spec.is_log;
      this.shown = spec.series.map((series) => series.is_shown);
      this.makeLegend();
      this.makeScaleButton();
      this.holder.querySelector("details").addEventListener("toggle", () => this.makeTable(), { once: true });
      this.draw();
    }

    colorOf(index) { return color(`series-${(index % 8) + 1}`); }

    draw(width = this.plotBox.clientWidth) {
      this.plot?.destroy();
      const options = {
        width, height: this.plotBox.clientHeight, padding: [this.spec.marks.length ? 18 : 10, this.spec.axis === "time" ? 18 : 30, 0, 0], legend: { show: false },
        cursor: {
          y: false, points: { size: 6 }, drag: { x: true, y: false },
          ...(this.spec.axis === "time" ? { sync: { key: together.key, setSeries: false } } : {}),
        },
        scales: {
          x: { time: false, distr: this.xAxis.isLog ? 3 : 1, range: (_, low, high) => this.xRange(low, high) },
          y: { distr: this.isLog ? 3 : 1, range: (_, low, high) => this.yRange(low, high) },
        },
        axes: [this.horizontal(width), this.vertical()],
        series: [{}, ...this.spec.series.map((series, index) => this.line(series, index))],
        hooks: { draw: [(plot) => this.drawMarks(plot), (plot) => this.drawCurves(plot)], setCursor: [(plot) => this.showValues(plot.cursor.idx)] },
      };
      this.plot = new uPlot(options, [this.spec.x, ...this.spec.series.map((series) => this.drawable(series.values))], this.plotBox);
    }

    // A logarithmic axis has no place for zero and below.
    drawable(values) { return this.isLog ? values.map((value) => (value > 0 ? value : null)) : values; }

    xRange(low, high) {
      const [first, last] = [this.spec.x[0], this.spec.x[this.spec.x.length - 1]];
      return first === last ? [first, first + 1] : [low, high];
    }

    yRange(low, high) {
      if (low === null || high === null) return this.isLog ? [1, 10] : [0, 1];
      if (this.isLog) return [low / 1.25, high * 1.25];
      return [Math.min(0, low * 1.08), high > 0 ? high * 1.08 : low < 0 ? 0 : 1];
    }

    horizontal(width) {
      const { splits, axis } = this.xAxis;
      return {
        stroke: () => color("quiet"), font: FONT, size: 34, gap: 6, space: width < 500 ? 60 : 76,
        grid: { stroke: () => color("line"), width: 1 }, ticks: { show: false },
        values: (_, all) => all.map((x) => (x === null ? "" : axis(x))),
        ...(splits ? { splits: (plot) => splits(plot, this.spec.x), filter: (_, all) => all } : {}),
      };
    }

    vertical() {
      return {
        stroke: () => color("quiet"), font: FONT, gap: 6, space: 34,
        size: (_, values) => Math.ceil(Math.max(24, ...(values ?? []).map(textWidth))) + 10,
        grid: { stroke: () => color("line"), width: 1 }, ticks: { show: false },
        values: (_, all) => all.map((y) => (y === null ? "" : this.unit.axis(y))),
        ...(this.isLog ? { splits: (plot) => logSplits(plot.scales.y.min, plot.scales.y.max), filter: (_, all) => all } : {}),
      };
    }

    line(series, index) {
      return {
        show: this.shown[index], stroke: () => this.colorOf(index), width: 1.5, spanGaps: false,
        points: { show: this.spec.has_points, size: 5, fill: () => this.colorOf(index) },
        ...(series.is_stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        ...(this.spec.order.length ? { paths: () => null } : {}),
      };
    }

    // Lines in an order of their own, and the label of each point.
    drawCurves(plot) {
      const { order, labels, x } = this.spec;
      const context = plot.ctx;
      const ratio = devicePixelRatio;
      const pointOf = (series, index) => {
        const value = plot.data[series + 1][index];
        return value === null ? null : [plot.valToPos(x[index], "x", true), plot.valToPos(value, "y", true)];
      };
      const { left, top, width, height } = plot.bbox;
      context.save();
      context.beginPath();
      context.rect(left, top, width, height);
      context.clip();
      context.lineWidth = 1.5 * ratio;
      this.spec.series.forEach((_, series) => {
        if (!this.shown[series]) return;
        const points = order.map((index) => pointOf(series, index));
        context.strokeStyle = this.colorOf(series);
        context.beginPath();
        points.forEach((point, place) => point && (place && points[place - 1] ? context.lineTo(...point) : context.moveTo(...point)));
        context.stroke();
      });
      context.restore();
      context.save();
      context.fillStyle = color("quiet");
      context.font = FONT.replace("12px", `${12 * ratio}px`);
      context.textAlign = "center";
      const last = this.shown.lastIndexOf(true);
      const drawn = [];
      order.forEach((index) => {
        const point = last < 0 ? null : pointOf(last, index);
        if (!point || point[0] < left - 1 || point[0] > left + width + 1) return;
        const half = context.measureText(labels[index]).width / 2;
        const isTaken = ([x, y, other]) => Math.abs(x - point[0]) < half + other + 4 * ratio && Math.abs(y - point[1]) < 13 * ratio;
        if (drawn.some(isTaken)) return; // pointing at it shows the label
        drawn.push([...point, half]);
        context.fillText(labels[index], point[0], point[1] - 8 * ratio);
      });
      context.restore();
    }

    drawMarks(plot) {
      const context = plot.ctx;
      const ratio = devicePixelRatio;
      context.save();
      for (const mark of this.spec.marks) {
        const x = Math.round(plot.valToPos(mark.x, "x", true));
        if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
        context.strokeStyle = context.fillStyle = color("quiet");
        context.lineWidth = ratio;
        context.setLineDash([4 * ratio, 3 * ratio]);
        context.beginPath();
        context.moveTo(x, plot.bbox.top);
        context.lineTo(x, plot.bbox.top + plot.bbox.height);
        context.stroke();
        context.font = FONT.replace("12px", `${12 * ratio}px`);
        context.textAlign = x > plot.bbox.left + plot.bbox.width * 0.85 ? "right" : "center";
        context.fillText(mark.label, x, plot.bbox.top - 5 * ratio);
      }
      context.restore();
    }

    makeLegend() {
      const legend = this.holder.querySelector(".legend");
      this.at = make("span", "at");
      this.values = this.spec.series.map((series, index) => {
        const button = make("button", `series-${(index % 8) + 1}`);
        button.type = "button";
        button.setAttribute("aria-pressed", String(this.shown[index]));
        button.append(make("i"), make("span", "", series.label));
        button.addEventListener("click", () => {
          this.shown[index] = !this.shown[index];
          button.setAttribute("aria-pressed", String(this.shown[index]));
          this.plot.setSeries(index + 1, { show: this.shown[index] });
        });
        legend.append(button);
        return button.appendChild(make("b"));
      });
      legend.append(this.at);
    }

    showValues(index) {
      const has = index !== null && index !== undefined;
      this.at.textContent = has ? `at ${this.nameOf(index)}` : "";
      this.spec.series.forEach((series, place) => {
        const value = has ? series.values[index] : null;
        this.values[place].textContent = !has ? "" : value === null ? "–" : this.unit.value(value);
      });
    }

    nameOf(index) {
      const label = this.spec.labels[index];
      return this.xAxis.value(this.spec.x[index]) + (label ? ` (${label})` : "");
    }

    makeScaleButton() {
      if (!this.spec.is_log) return;
      const button = make("button", "", "Linear scale");
      button.type = "button";
      button.addEventListener("click", () => {
        this.isLog = !this.isLog;
        button.textContent = this.isLog ? "Linear scale" : "Logarithmic scale";
        this.draw();
      });
      this.holder.querySelector("figcaption").append(button);
    }

    makeTable() {
      const table = make("table");
      const head = table.createTHead().insertRow();
      [this.xAxis.title, ...this.spec.series.map((series) => series.label)].forEach((text) => {
        const cell = head.appendChild(make("th", "", text));
        cell.scope = "col";
      });
      const body = table.createTBody();
      this.spec.x.forEach((x, index) => {
        const row = body.insertRow();
        row.appendChild(make("th", "", this.nameOf(index))).scope = "row";
        for (const { values } of this.spec.series) {
          row.insertCell().textContent = values[index] === null ? "–" : this.unit.value(values[index]);
        }
      });
      this.holder.querySelector("details .scroll").append(table);
    }
  }

  const drawn = charts.map((spec) => new Chart(spec));
  const redraw = () => drawn.forEach((chart) => chart.plot.redraw(false, true));
  const fit = () => drawn.forEach((chart) => {
    const { clientWidth: width, clientHeight: height } = chart.plotBox;
    if (width && (width !== chart.plot.width || height !== chart.plot.height)) chart.plot.setSize({ width, height });
  });
  const resized = new ResizeObserver(fit);
  drawn.forEach((chart) => resized.observe(chart.plotBox));

  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  const toggle = document.getElementById("theme");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    root.dataset.theme = isDark ? "light" : "dark";
    redraw();
  });

  // A canvas is printed as it was drawn: draw it in the light colours, at the width of the paper.
  addEventListener("beforeprint", () => {
    root.classList.add("printing");
    drawn.forEach((chart) => {
      const isAlone = chart.holder.parentElement.childElementCount === 1;
      const height = chart.plotBox.classList.contains("tall") ? 260 : 170; // as in the style for paper
      chart.plot.setSize({ width: isAlone ? PAPER_PX : (PAPER_PX - 20) / 2, height });
    });
    redraw();
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    fit();
    redraw();
  });

  const packed = document.getElementById("document");
  const save = document.getElementById("save");
  if (typeof DecompressionStream === "function") {
    save.hidden = false;
    save.addEventListener("click", async () => {
      const bytes = Uint8Array.from(atob(packed.textContent.trim()), (character) => character.charCodeAt(0));
      const json = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
      const link = make("a");
      link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
      link.download = save.dataset.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  }
  root.dataset.ready = "";
})();
