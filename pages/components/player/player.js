// The player: a cell that is chosen, moved or played, and what is drawn for it. All of it runs here: the server is not asked.

const PLAYERS = new WeakMap();
const SPEEDS = [1, 2, 4, 8, 16, 32, 60]; // cells a second

function luminance(text) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = text || "#fff";
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

class Player {
  constructor(root) {
    this.root = root;
    this.speed = 3;
    this.part = (name) => root.querySelector(`[data-do="${name}"]`);
    const moves = { first: () => 0, back: () => this.cell - 1, next: () => this.cell + 1, last: () => this.count - 1 };
    for (const [name, to] of Object.entries(moves)) this.part(name).onclick = () => (this.pause(), this.go(to()));
    this.part("play").onclick = () => (this.timer ? this.pause() : this.play());
    this.part("speed").oninput = (event) => ((this.speed = Number(event.target.value)), this.tellSpeed());
    this.part("cell").oninput = (event) => (this.pause(), this.go(Number(event.target.value)));
    this.watch = new ResizeObserver(() => {
      if (this.data && Math.abs(this.root.clientWidth - this.width) > 1) this.draw();
    });
    this.watch.observe(root);
    this.tellSpeed();
  }

  tellSpeed() {
    const words = `${SPEEDS[this.speed]} cell${SPEEDS[this.speed] > 1 ? "s" : ""} a second`;
    this.part("speed").setAttribute("aria-valuetext", words);
    this.part("pace").textContent = words;
  }

  /** Take new numbers: another layer starts at its strongest cell, another map of the same layer stays where it is. */
  take(data, dark, text) {
    const anchor = `${data.name} ${data.anchor}`;
    const style = text || "#000";
    this.look = { dark, picture: true, ink: style, blank: dark ? "#262d37" : "#eef1f4" };
    const fresh = JSON.stringify(data) !== this.known;
    if (fresh) {
      this.known = JSON.stringify(data);
      this.data = data;
      this.count = cellCount(data);
      if (anchor !== this.anchor) {
        this.pause();
        this.cell = this.start();
      }
      this.cell = Math.min(this.cell, this.count - 1);
      if (data.kind === "convolution" && (anchor !== this.anchor || this.channel >= data.inputs.length)) {
        const parts = compute(data, this.cell).parts.map(Math.abs);
        this.channel = parts.indexOf(Math.max(...parts));
      }
      this.anchor = anchor;
      this.build();
    }
    this.draw();
    if (fresh) setTimeout(() => this.check(data), 30);
  }

  start() {
    if (this.data.kind === "shape") return 0;
    if (this.data.kind === "softmax") return 0;
    const values = (this.data.activation ?? this.data.output).values.flat();
    return values.indexOf(Math.max(...values));
  }

  choose(channel) {
    this.channel = channel;
    this.draw();
  }

  gridSide(columns, grids) {
    const fits = Math.floor((this.width - 34 * (grids - 1) - 4) / (columns * grids));
    return Math.max(columns > 7 ? 28 : 31, Math.min(42, fits));
  }

  build() {
    const { data } = this;
    const maps = this.root.querySelector("[data-is=maps]");
    this.figures = {};
    const shown = [];
    const add = (id, title, name, control) => {
      if (shown.length && id !== "seen") shown.push(make("span", { class: "arrow", "aria-hidden": "true" }, "→"));
      this.figures[id] = figure(title, name, control);
      shown.push(this.figures[id].root);
    };
    if (data.kind === "shape") {
      add("input", "Input", data.input_name);
      add("output", "Output (click a cell)", "Output: choose a cell", true);
    } else {
      if (data.kind !== "dense" && data.kind !== "softmax") add("input", "", "");
      if (data.kind !== "softmax") add("output", `${data.output.title} (click ${data.output.bars ? "a bar" : "a cell"})`, `Output of ${data.output.title}: choose a cell`, true);
      if (data.activation) add("after", data.activation.title, `The same map after ${data.activation.title}: choose a cell`, true);
      add("seen", "", "");
    }
    for (const id of ["output", "after"]) if (this.figures[id]) this.steer(this.figures[id].canvas, id);
    maps.replaceChildren(...shown);
    this.panel = panel(data, this);
    this.root.querySelector("[data-is=panel]").replaceChildren(this.panel.root);
    this.part("cell").max = this.count - 1;
    this.part("jump").textContent = { dense: "Unit", global_max: "Map", global_average: "Map" }[data.kind] ?? "Cell";
    this.root.setAttribute("aria-label", `Player: how ${data.name} computes`);
    this.root.querySelector("[data-is=playing]").hidden = this.count < 2;
    this.root.querySelector("[data-is=check]").textContent = "";
  }

  /** A map of the output is a control: click, drag, or the arrow keys. */
  steer(canvas, id) {
    const columns = outputSides(this.data)[1];
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      const [row, column] = this.places[id](event.clientX - box.left, event.clientY - box.top);
      if (row >= 0 && column >= 0 && column < columns && row * columns + column < this.count) this.go(row * columns + column);
    };
    canvas.onpointerdown = (event) => {
      this.pause();
      canvas.setPointerCapture(event.pointerId);
      point(event);
    };
    canvas.onpointermove = (event) => event.buttons && point(event);
    canvas.onkeydown = (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -this.cell, End: this.count - 1 - this.cell };
      if (event.key === " ") this.timer ? this.pause() : this.play();
      else if (event.key in steps) {
        this.pause();
        const to = this.cell + steps[event.key];
        if (to >= 0 && to < this.count) this.go(to);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    };
  }

  go(cell) {
    this.cell = Math.max(0, Math.min(this.count - 1, cell));
    this.draw();
  }

  play() {
    if (this.cell >= this.count - 1) this.cell = 0;
    const frame = () => {
      if (!this.root.isConnected || this.cell >= this.count - 1) return this.pause();
      this.cell += 1;
      this.draw();
      this.timer = setTimeout(frame, 1000 / SPEEDS[this.speed]);
    };
    this.timer = setTimeout(frame, 1000 / SPEEDS[this.speed]);
    this.draw();
  }

  pause() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.draw();
  }

  draw() {
    const { data, cell } = this;
    const [rows, columns] = outputSides(data);
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    this.width = this.root.clientWidth;
    const found = data.kind === "shape" ? null : compute(data, cell);
    const shown = Object.keys(this.figures).length;
    const room = this.width < 560 ? (data.axes === 1 || data.bars ? this.width : (this.width - 26) / 2) : Math.min(data.axes === 1 ? 420 : 300, (this.width - 34 * (shown - 1)) / shown);
    this.places = {};
    if (this.figures.input) this.drawInput(found, room);
    const marks = [{ row, column, rows: 1, columns: 1 }];
    for (const [id, map] of [["output", data.output], ["after", data.activation]]) {
      if (!this.figures[id]) continue;
      const values = map.values ?? null;
      const limit = values ? largest(values) : 1;
      const what = { values, sides: [rows, columns], marks, limit, faded: this.timer ? cell : null, bars: data.output.bars || (data.axes === 1 && !!values) };
      this.places[id] = drawMap(this.figures[id].canvas, what, room, this.look);
      showScale(this.figures[id].scale, limit, values ? this.look : { none: true });
      const control = this.figures[id].canvas;
      for (const [name, value] of [["valuemin", 1], ["valuemax", this.count], ["valuenow", cell + 1]]) control.setAttribute(`aria-${name}`, value);
      control.setAttribute("aria-valuetext", `${this.placeWords(row, column)}${values ? `: ${number(values[row][column])}` : ""}`);
    }
    if (this.figures.seen) this.drawSeen(room);
    this.panel.show(cell, found, row, column, this.look, this.width);
    this.tell(row, column);
  }

  placeWords(row, column) {
    const { data } = this;
    if (data.kind === "dense") return `unit ${data.first + column + 1}${data.labels.length ? `, class ${data.labels[column]}` : ""}`;
    if (data.kind.startsWith("global")) return `map ${data.first + column + 1}`;
    if (data.output.bars && data.kind !== "flatten") return `value ${(data.first ?? 0) + column + 1}`;
    if (data.kind === "flatten") return `cell ${column + 1}`;
    return data.axes === 1 ? `point ${column + 1}` : `row ${row + 1}, column ${column + 1}`;
  }

  /** The input map with the window on it. */
  drawInput(found, room) {
    const { data, cell } = this;
    const shape = data.kind === "shape";
    const windowed = WINDOWED.includes(data.kind);
    const channel = data.kind === "convolution" ? Math.max(0, this.channel) : data.kind.startsWith("global") ? cell : 0;
    const input = shape ? null : data.inputs[channel];
    const grey = !shape && input.picture;
    const look = { ...this.look, grey };
    const sides = inputSides(data);
    const marks = [];
    const dots = [];
    if (windowed) {
      const read = taps(data, cell);
      const ends = read[read.length - 1];
      marks.push({ row: read[0].row, column: read[0].column, rows: ends.row - read[0].row + 1, columns: ends.column - read[0].column + 1 });
      if (found?.winner) dots.push(found.winner);
    } else if (data.kind === "global_max") dots.push({ row: Math.floor(found.winner / sides[1]), column: found.winner % sides[1] });
    else if (data.kind === "zeros") found.inside && marks.push({ row: found.y, column: found.x, rows: 1, columns: 1 });
    else if (data.kind === "flatten") marks.push({ row: found.y, column: found.x, rows: 1, columns: 1 });
    else if (!data.kind.startsWith("global")) {
      const columns = outputSides(data)[1];
      marks.push({ row: Math.floor(cell / columns), column: cell % columns, rows: 1, columns: 1 });
    }
    const limit = shape ? 1 : grey && data.axes === 2 ? Math.max(1, largest(input.values)) : data.kind === "convolution" ? Math.max(...data.inputs.map((one) => largest(one.values))) : largest(input.values);
    const unread = shape ? new Set([...data.dropped, ...data.skipped]) : null;
    const what = {
      values: input?.values ?? null,
      sides,
      border: windowed ? [data.before[0], data.before[1], data.after[0], data.after[1]] : null,
      limit,
      marks,
      dots,
      fills: shape ? taps(data, cell) : [],
      hatched: unread && ((row, column) => unread.has(row) || unread.has(column)),
      bars: !shape && sides[0] === 1,
    };
    const { canvas, scale, caption } = this.figures.input;
    const tiles = data.kind === "convolution" && this.channel < 0;
    if (tiles) drawTiles(canvas, data.inputs.map((one) => one.values), marks[0], limit, room, this.look);
    else drawMap(canvas, what, room, look);
    showScale(scale, limit, shape ? { none: true } : what.bars ? this.look : look);
    const padding = windowed && !tiles && sum(what.border) ? ", hatched: padding" : "";
    const dropped = shape && unread.size ? ", red: read by no window" : "";
    const title = shape ? `Input${dropped}` : tiles ? `All ${data.inputs.length} input channels` : input.title;
    caption.textContent = `${title}${padding}`;
    canvas.setAttribute("aria-label", shape ? data.input_name : `Input ${title}${padding}; framed: what the chosen cell is made from`);
  }

  /** What the chosen cell sees of the picture that the network was given. */
  drawSeen(room) {
    const { picture, cells, axes } = this.data.seen;
    const place = cells[this.cell];
    const { canvas, scale, caption } = this.figures.seen;
    if (axes === 2 && (this.data.kind === "dense" || this.data.kind === "softmax")) room = Math.min(room, 140);
    const sides = [picture.values.length, picture.values[0].length];
    const marks = place ? [{ row: place[0], column: place[1], rows: place[2] - place[0] + 1, columns: place[3] - place[1] + 1 }] : [];
    const limit = axes === 2 ? Math.max(1, largest(picture.values)) : largest(picture.values);
    drawMap(canvas, { values: picture.values, sides, marks, limit, bars: axes < 2 }, room, { ...this.look, grey: axes === 2 });
    const [high, wide] = marks.length ? [marks[0].rows, marks[0].columns] : [0, 0];
    const size = !place ? "nothing but padding" : axes < 2 ? `${wide} of ${sides[1]} points` : high === sides[0] && wide === sides[1] ? "the whole picture" : `${high} × ${wide} pixels`;
    caption.textContent = `Receptive field: ${size}`;
    scale.replaceChildren();
    const where = place && (axes < 2 ? `points ${place[1] + 1} to ${place[3] + 1}` : `rows ${place[0] + 1} to ${place[2] + 1}, columns ${place[1] + 1} to ${place[3] + 1}`);
    canvas.setAttribute("aria-label", `Receptive field on the input: ${size}${where ? `, ${where}` : ""}`);
  }

  tell(row, column) {
    const words = `${this.placeWords(row, column)} (${(this.cell + 1).toLocaleString("en")} of ${this.count.toLocaleString("en")})`;
    this.part("cell").value = this.cell;
    this.part("cell").setAttribute("aria-valuetext", words);
    this.part("place").textContent = words[0].toUpperCase() + words.slice(1);
    const play = this.part("play");
    play.textContent = this.timer ? "❚❚ Pause" : "▶ Play";
    this.part("first").disabled = this.part("back").disabled = this.cell === 0;
    this.part("last").disabled = this.part("next").disabled = this.cell === this.count - 1;
    const value = this.root.querySelector("[data-is=value] b")?.textContent;
    if (!this.timer) this.root.querySelector("[data-is=told]").textContent = value ? `${words}: ${value}` : words;
  }

  /** Say whether all cells that are computed here are those that Keras gave. */
  check(data) {
    const place = this.root.querySelector("[data-is=check]");
    if (data !== this.data || data.kind === "shape") return;
    if (!data.reference) {
      place.textContent = "Keras does not show the maps between the halves; they are computed from its weights.";
      return;
    }
    const worst = compared(data);
    const scale = Math.max(1, largest(data.output.values));
    const count = this.count.toLocaleString("en");
    place.dataset.worst = worst;
    place.textContent =
      worst < 1e-4 * scale
        ? `✓ All ${this.count > 1 ? `${count} cells` : "values"} computed here are those that Keras gave; the largest difference is ${worst ? worst.toExponential(0) : "0"}.`
        : `✗ What is computed here differs from Keras by up to ${number(worst)}.`;
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".player");
  if (!root) return undefined;
  if (!PLAYERS.has(root)) PLAYERS.set(root, new Player(root));
  const player = PLAYERS.get(root);
  const style = getComputedStyle(root);
  player.take(data, luminance(style.getPropertyValue("--st-background-color").trim()) < 0.5, style.getPropertyValue("--st-text-color").trim());
  return () => {
    player.pause();
    player.watch.disconnect();
  };
}
