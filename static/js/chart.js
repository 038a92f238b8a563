/* Charts of dashboards: `[data-chart]` holds its data as JSON; colours follow the theme, a click goes through to the records. */

import { say, whenever } from "./dom.js";

const TONES = ["teal", "blue", "orange", "purple", "green", "pink", "amber", "indigo", "red", "gray"];
const drawn = new Map();

/* The computed colour of a token, as the theme has it now. */
function colour(element, token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function tone(element, name) {
  const probe = document.createElement("span");
  probe.className = `tone-${name}`;
  probe.style.color = "var(--tone-fill)";
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function palette(element) {
  return { ink: colour(element, "--ink-2"), faint: colour(element, "--ink-3"), line: colour(element, "--line"), surface: colour(element, "--surface"), raised: colour(element, "--raised"), tones: Object.fromEntries(TONES.map((name) => [name, tone(element, name)])) };
}

function writer(data) {
  const language = document.documentElement.lang;
  const decimals = data.decimals ?? undefined;
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: decimals ?? 2, minimumFractionDigits: decimals });
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const dress = (text) => (data.percent ? `${text}%` : /^[¥$€£]|\$$/.test(data.unit ?? "") ? `${data.unit}${text}` : `${text}${data.unit ? ` ${data.unit}` : ""}`);
  const scale = (value) => (data.percent ? Number(value) * 100 : Number(value));
  return {
    full: (value) => (value === null || value === undefined || value === "-" ? "–" : dress(plain.format(scale(value)))),
    axis: (value) => (data.percent ? `${plain.format(scale(value))}%` : short.format(value)),
  };
}

function common(data, look, write) {
  return {
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300,
    color: TONES.map((name) => look.tones[name]),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: look.ink, fontSize: 12 },
    tooltip: { renderMode: "richText", confine: true, backgroundColor: look.raised, borderColor: look.line, textStyle: { color: look.ink, fontSize: 12 }, valueFormatter: write.full },
    legend: { show: data.series.length > 1, type: "plain", bottom: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: look.ink } },
  };
}

function paint(data, look, place) {
  const name = data.colors?.[place];
  return name ? look.tones[name] : undefined;
}

function axes(data, look, write) {
  const names = { type: "category", data: data.categories, axisTick: { show: false }, axisLine: { lineStyle: { color: look.line } }, axisLabel: { color: look.faint, hideOverlap: true, width: data.horizontal ? 110 : undefined, overflow: "truncate" }, inverse: Boolean(data.horizontal) };
  const values = { type: "value", axisLabel: { color: look.faint, formatter: write.axis }, splitLine: { lineStyle: { color: look.line, type: "dashed" } }, minInterval: data.whole ? 1 : undefined };
  return data.horizontal ? { xAxis: values, yAxis: names } : { xAxis: names, yAxis: values };
}

function cartesian(data, look, write) {
  const settings = common(data, look, write);
  const line = data.kind === "line";
  return {
    ...settings,
    ...axes(data, look, write),
    grid: { left: 4, right: 16, top: 12, bottom: data.series.length > 1 ? 28 : 4, containLabel: true },
    tooltip: { ...settings.tooltip, trigger: "axis", axisPointer: { type: line ? "line" : "shadow", shadowStyle: { opacity: 0.3 } } },
    series: data.series.map((one) => ({
      type: data.kind, name: one.name, stack: data.stacked ? "all" : undefined, smooth: data.smooth ? 0.3 : false, barMaxWidth: 32, symbolSize: 6,
      areaStyle: line && data.area ? { opacity: 0.14 } : undefined, color: one.color ? look.tones[one.color] : undefined, itemStyle: line ? undefined : { borderRadius: data.stacked ? 0 : data.horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      data: one.values.map((value, place) => ({ value, itemStyle: data.series.length === 1 && paint(data, look, place) ? { color: paint(data, look, place) } : undefined })),
    })),
  };
}

function parts(data) {
  return data.categories.map((name, place) => ({ name, value: data.series[0]?.values[place] ?? 0 }));
}

/* Where there is room the names stand beside the slices; else in a legend below. */
function pie(data, look, write, width) {
  const settings = common(data, look, write);
  const roomy = width >= 400 && data.categories.length <= 10;
  return {
    ...settings,
    legend: { ...settings.legend, show: !roomy, type: "scroll", pageTextStyle: { color: look.ink }, pageIconColor: look.ink, pageIconInactiveColor: look.faint },
    tooltip: { ...settings.tooltip, trigger: "item", formatter: ({ name, value, percent }) => `${name}\n${write.full(value)} · ${Math.round(percent)}%` },
    series: [{
      type: "pie", radius: data.whole_pie ? "76%" : ["48%", "76%"], center: ["50%", roomy ? "50%" : "44%"], itemStyle: { borderColor: look.surface, borderWidth: 2 },
      label: { color: look.ink, position: roomy ? "outside" : "inside", formatter: ({ name, percent }) => (roomy ? `${name} ${Math.round(percent)}%` : percent < 6 ? "" : `${Math.round(percent)}%`), ...(roomy ? {} : { color: look.surface, fontWeight: 600 }) },
      labelLine: { show: roomy, lineStyle: { color: look.line } },
      data: parts(data).map((part, place) => ({ ...part, itemStyle: paint(data, look, place) ? { color: paint(data, look, place) } : undefined })),
    }],
  };
}

/* Stages that grow again make no funnel: they are drawn as centred bars, whose widths say only what is in each. */
function stages(data, look, write, items, widths) {
  const settings = common(data, look, write);
  const widest = Math.max(...widths);
  const bar = { type: "bar", stack: "all", barWidth: "72%" };
  return {
    ...settings,
    legend: { show: false },
    tooltip: { ...settings.tooltip, trigger: "item" },
    grid: { left: 4, right: 8, top: 4, bottom: 4, containLabel: true },
    xAxis: { type: "value", show: false, max: widest },
    yAxis: { type: "category", inverse: true, data: items.map((part) => part.name), axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: look.ink } },
    series: [
      { ...bar, silent: true, color: "transparent", tooltip: { show: false }, data: widths.map((width) => (widest - width) / 2) },
      { ...bar, label: { show: true, position: "inside", color: look.ink, backgroundColor: look.surface, padding: [2, 6], borderRadius: 3, formatter: ({ value }) => write.full(value) }, data: items.map((part, place) => ({ value: part.value, itemStyle: { color: paint(data, look, place) ?? look.tones[TONES[place % TONES.length]], borderRadius: 3 } })) },
    ],
  };
}

function funnel(data, look, write) {
  const settings = common(data, look, write);
  const items = parts(data);
  const widths = items.map((part) => Number(part.value));
  if (widths.some((width, place) => width > widths[place - 1])) return stages(data, look, write, items, widths);
  const label = ({ name, value, dataIndex }) => `${name}  ${write.full(value)}${dataIndex && widths[dataIndex - 1] ? `  (${Math.round((widths[dataIndex] / widths[dataIndex - 1]) * 100)}%)` : ""}`;
  return {
    ...settings,
    legend: { show: false },
    tooltip: { ...settings.tooltip, trigger: "item", formatter: label },
    series: [{ type: "funnel", sort: "none", gap: 3, left: "4%", width: "52%", top: 8, bottom: 8, minSize: "8%", label: { position: "right", color: look.ink, formatter: label }, labelLine: { show: true, length: 16, lineStyle: { color: look.line } }, itemStyle: { borderWidth: 0 }, data: items.map((part, place) => ({ ...part, itemStyle: paint(data, look, place) ? { color: paint(data, look, place) } : undefined })) }],
  };
}

const KINDS = { bar: cartesian, line: cartesian, pie, funnel };

function empty(data) {
  return !data.categories?.length || !data.series?.some((one) => one.values.some((value) => Number(value)));
}

function draw(element) {
  const { chart, data } = drawn.get(element);
  chart.setOption(KINDS[data.kind](data, palette(element), writer(data), element.clientWidth), true);
}

whenever("[data-chart]", async (element) => {
  const data = JSON.parse(element.querySelector('script[type="application/json"]')?.textContent ?? "null");
  if (!data || !KINDS[data.kind] || empty(data)) {
    element.append(Object.assign(document.createElement("p"), { className: "chart-none", textContent: say("no_data") }));
    return;
  }
  const { init } = await import("../vendor/echarts.min.js");
  if (!element.isConnected) return;
  const room = element.appendChild(Object.assign(document.createElement("div"), { className: "chart-room" }));
  const chart = init(room, null, { renderer: "svg" });
  drawn.set(element, { chart, data });
  draw(element);
  element.dataset.drawn = "";
  if (data.urls?.some(Boolean)) {
    room.classList.add("drills");
    chart.on("click", ({ dataIndex }) => data.urls[dataIndex] && (location.href = data.urls[dataIndex]));
  }
  new ResizeObserver(() => {
    if (!room.isConnected) return;
    chart.resize();
    if (data.kind === "pie") draw(element);
  }).observe(room);
});

document.addEventListener("theme", () => drawn.forEach((_, element) => element.isConnected && draw(element)));
document.addEventListener("htmx:after:swap", () => {
  for (const [element, { chart }] of drawn) {
    if (!element.isConnected) {
      chart.dispose();
      drawn.delete(element);
    }
  }
});
