// Maps as pictures on a canvas, and numbers in tables of coloured cells.

const ORANGE = "#e69f00"; // Okabe and Ito's: seen on blue, red, black and white alike
const STOPS = {
  light: [[33, 102, 172], [103, 169, 207], [247, 247, 247], [239, 138, 98], [178, 24, 43]],
  dark: [[90, 170, 255], [44, 95, 150], [32, 36, 44], [160, 66, 52], [255, 125, 100]],
};

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element[name] = value;
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

/** A number in few letters, with a real minus sign. */
const number = (value, digits = 4) => {
  if (digits > 3 && value && Math.abs(value) < 1e-4) return value.toExponential(0).replaceAll("-", "−");
  const text = Math.abs(value) >= 1000 ? value.toPrecision(digits) : value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
};

/** The colour of a value: blue below zero, red above; pictures from black to white. */
function colour(value, limit, look) {
  if (look.grey) {
    const level = Math.round(255 * Math.min(1, Math.max(0, value / limit)));
    return [level, level, level];
  }
  const stops = STOPS[look.dark ? "dark" : "light"];
  const place = 2 + 2 * Math.min(1, Math.max(-1, value / limit));
  const low = Math.min(3, Math.floor(place));
  return stops[low].map((part, index) => Math.round(part + (place - low) * (stops[low + 1][index] - part)));
}

const css = (rgb) => `rgb(${rgb.join(",")})`;

/** Black or white, whichever reads better on a colour (WCAG 2.1, relative luminance). */
function ink(rgb) {
  const [r, g, b] = rgb.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

const largest = (values) => values.reduce((most, row) => row.reduce((best, value) => Math.max(best, Math.abs(value)), most), 0) || 1;

/** Prepare a canvas of so many CSS pixels for drawing. */
function sized(canvas, width, height) {
  const sharp = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function hatch(pen, x, y, width, height, line) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let step = -height; step < width; step += 5) {
    pen.moveTo(x + step, y + height);
    pen.lineTo(x + step + height, y);
  }
  pen.stroke();
  pen.restore();
}

function outline(pen, x, y, width, height, look) {
  pen.lineWidth = 4;
  pen.strokeStyle = look.dark ? "#000" : "#fff";
  pen.strokeRect(x, y, width, height);
  pen.lineWidth = 2.5;
  pen.strokeStyle = ORANGE;
  pen.strokeRect(x, y, width, height);
}

/**
 * Draw a map. what: {values: rows or null for blank cells, sides, border: [top, left, bottom, right] of padding cells, limit,
 * marks: [{row, column, rows, columns}] that are framed, dots: [{row, column}], faded: first cell of those not made yet,
 * hatched: (row, column) => whether no window reads the cell}. Gives back what a place on it means.
 */
function drawMap(canvas, what, width, look) {
  const [rows, columns] = what.sides;
  const [top, left, bottom, right] = what.border ?? [0, 0, 0, 0];
  if (what.bars) return drawBars(canvas, what, width, look);
  const side = Math.max(1.5, Math.min(28, width / (columns + left + right), 300 / (rows + top + bottom)));
  const pen = sized(canvas, side * (columns + left + right), side * (rows + top + bottom));
  const line = look.dark ? "rgba(255,255,255,0.45)" : "rgba(0,0,0,0.4)";
  if (top + left + bottom + right) {
    const [wide, high] = [side * (columns + left + right), side * (rows + top + bottom)];
    if (top) hatch(pen, 0, 0, wide, top * side, line);
    if (bottom) hatch(pen, 0, high - bottom * side, wide, bottom * side, line);
    if (left) hatch(pen, 0, top * side, left * side, rows * side, line);
    if (right) hatch(pen, wide - right * side, top * side, right * side, rows * side, line);
  }
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const [x, y] = [(left + column) * side, (top + row) * side];
      pen.globalAlpha = what.faded != null && row * columns + column > what.faded ? 0.3 : 1;
      pen.fillStyle = what.values ? css(colour(what.values[row][column], what.limit, look)) : look.blank;
      pen.fillRect(x, y, side + 0.5, side + 0.5);
      if (what.hatched?.(row, column)) hatch(pen, x, y, side, side, look.dark ? "#ff9d86" : "#b2182b");
      if (!what.values || side >= 14) {
        pen.strokeStyle = look.dark ? "rgba(255,255,255,0.25)" : "rgba(0,0,0,0.2)";
        pen.lineWidth = 0.5;
        pen.strokeRect(x, y, side, side);
      }
    }
  pen.globalAlpha = 1;
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.strokeRect(left * side + 0.5, top * side + 0.5, columns * side - 1, rows * side - 1);
  for (const mark of what.fills ?? []) {
    pen.fillStyle = "rgba(230,159,0,0.75)";
    pen.fillRect((left + mark.column) * side, (top + mark.row) * side, side, side);
  }
  for (const mark of what.marks ?? [])
    outline(pen, (left + mark.column) * side, (top + mark.row) * side, mark.columns * side, mark.rows * side, look);
  for (const dot of what.dots ?? []) {
    pen.beginPath();
    pen.arc((left + dot.column + 0.5) * side, (top + dot.row + 0.5) * side, Math.max(2.5, side / 4), 0, 7);
    pen.fillStyle = ORANGE;
    pen.fill();
    pen.strokeStyle = "#000";
    pen.lineWidth = 1;
    pen.stroke();
  }
  return (x, y) => [Math.floor(y / side) - top, Math.floor(x / side) - left];
}

/** All channels of an input side by side, each with its window framed; series lie below each other as strips. */
function drawTiles(canvas, maps, mark, limit, width, look) {
  const [rows, columns] = [maps[0].length, maps[0][0].length];
  const across = rows === 1 ? 1 : Math.ceil(Math.sqrt(maps.length));
  const series = rows === 1;
  const gap = series ? 0 : 3;
  const side = Math.max(1, width / across - gap) / columns;
  const tall = series ? Math.max(2, Math.min(12, 160 / maps.length)) : side;
  const [wide, high] = [across * (columns * side + gap), Math.ceil(maps.length / across) * (rows * tall + gap)];
  const pen = sized(canvas, wide, high);
  maps.forEach((values, place) => {
    const left = (place % across) * (columns * side + gap);
    const top = Math.floor(place / across) * (rows * tall + gap);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        pen.fillStyle = css(colour(values[row][column], limit, look));
        pen.fillRect(left + column * side, top + row * tall, side + 0.5, tall + 0.5);
      }
    pen.strokeStyle = ORANGE;
    pen.lineWidth = 1.5;
    if (!series) pen.strokeRect(left + mark.column * side, top + mark.row * tall, mark.columns * side, mark.rows * tall);
  });
  if (series) outline(pen, mark.column * side, 1, mark.columns * side, high - 2, look);
}

/** A series, or a row of values, as bars above and below zero. */
function drawBars(canvas, what, width, look) {
  const columns = what.sides[1];
  const [, left, , right] = what.border ?? [0, 0, 0, 0];
  const high = 120;
  const side = Math.min(24, width / (columns + left + right));
  const wide = side * (columns + left + right);
  const pen = sized(canvas, wide, high);
  const line = look.dark ? "rgba(255,255,255,0.5)" : "rgba(0,0,0,0.45)";
  if (left) hatch(pen, 0, 0, left * side, high, line);
  if (right) hatch(pen, wide - right * side, 0, right * side, high, line);
  for (let column = 0; column < columns; column++) {
    const value = what.values ? what.values[0][column] : 0;
    const tall = Math.min(1, Math.abs(value) / what.limit) * (high / 2 - 6);
    pen.globalAlpha = what.faded != null && column > what.faded ? 0.3 : 1;
    pen.fillStyle = css(colour(Math.sign(value) * Math.max(0.6, Math.abs(value) / what.limit), 1, { dark: look.dark }));
    pen.fillRect((left + column) * side + (side > 3 ? 0.5 : 0), value > 0 ? high / 2 - tall : high / 2, side - (side > 3 ? 1 : 0), Math.max(tall, value ? 1 : 0));
  }
  pen.globalAlpha = 1;
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(0, high / 2);
  pen.lineTo(wide, high / 2);
  pen.stroke();
  pen.strokeRect(left * side + 0.5, 0.5, columns * side - 1, high - 1);
  for (const mark of what.marks ?? []) outline(pen, (left + mark.column) * side, 2, Math.max(3, mark.columns * side), high - 4, look);
  for (const dot of what.dots ?? []) {
    pen.beginPath();
    pen.arc((left + dot.column + 0.5) * side, 9, 4, 0, 7);
    pen.fillStyle = ORANGE;
    pen.fill();
    pen.strokeStyle = "#000";
    pen.stroke();
  }
  return (x) => [0, Math.floor(x / side) - left];
}

/** A figure with a title, a canvas and a scale. name: what it is, for people who do not see it. */
function figure(title, name, control = false) {
  const canvas = make("canvas", control ? { role: "slider", tabindex: 0, "aria-label": name } : { role: "img", "aria-label": name });
  const scale = make("div", { class: "scale", "aria-hidden": "true" });
  const caption = make("figcaption", {}, title);
  return { root: make("figure", {}, caption, canvas, scale), canvas, scale, caption };
}

function showScale(element, limit, look) {
  if (look.none) return element.replaceChildren();
  const ends = look.grey ? ["0", number(limit, 1)] : [number(-limit, 2), number(limit, 2)];
  const stops = [-1, -0.5, 0, 0.5, 1].map((part) => css(colour(look.grey ? ((part + 1) / 2) * limit : part * limit, limit, look)));
  const bar = make("span", { class: "ramp" });
  bar.style.background = `linear-gradient(to right, ${stops.join(",")})`;
  element.replaceChildren(make("span", {}, ends[0]), bar, make("span", {}, ends[1]));
}

/** A table of numbers as large as the window. cells: [{value or null, padding, best}]. */
function grid(caption, columns) {
  const table = make("table", { class: "grid" }, make("caption", {}, caption));
  return {
    root: table,
    show(cells, limit, look, side) {
      const rows = Math.ceil(cells.length / columns);
      if (table.rows.length !== rows || table.rows[0]?.cells.length !== columns) {
        while (table.rows.length) table.deleteRow(0);
        for (let row = 0; row < rows; row++) for (let column = 0, line = table.insertRow(); column < columns; column++) line.insertCell();
      }
      table.style.setProperty("--side", `${side}px`);
      cells.forEach((cell, place) => {
        const element = table.rows[Math.floor(place / columns)].cells[place % columns];
        const rgb = cell.value == null ? null : colour(cell.value, limit, look);
        element.textContent = cell.value == null ? "–" : number(cell.value, side < 34 && Math.abs(cell.value) >= 10 ? 1 : 2);
        element.title = cell.value == null ? "padding" : cell.padding ? "padding: 0" : String(cell.value);
        element.className = `${cell.padding ? "padding" : ""} ${cell.best ? "best" : ""}`;
        element.style.background = rgb && !cell.padding ? css(rgb) : "";
        element.style.color = rgb && !cell.padding ? ink(rgb) : "";
      });
    },
  };
}

/** A number with its name over it; chips and signs in a row read as an equation. */
const chip = (name, value, id = "", extra = "") =>
  make("span", { class: `chip ${extra}`, "data-is": id || null }, make("small", {}, name), make("b", {}, value));
const sign = (text) => make("span", { class: "sign" }, text);

/** A signed bar beside a number; 1 is the full length. */
function signedBar(part, whole = false) {
  const bar = make("span", { class: whole ? "share" : "signed", "aria-hidden": "true" }, make("i", {}));
  if (whole) return (bar.firstChild.style.width = `${part * 100}%`), bar;
  bar.firstChild.style.cssText = `width:${Math.min(50, Math.abs(part) * 50)}%;${part < 0 ? "right:50%" : "left:50%"}`;
  bar.firstChild.className = part < 0 ? "less" : "more";
  return bar;
}
