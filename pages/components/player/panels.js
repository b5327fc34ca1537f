// The numbers under the maps: what the chosen cell is made of, for each kind of layer. A panel has a root and show(found).

const FEW = 12; // contributions of a dense layer that are named one by one

function panel(data, state) {
  if (data.kind === "shape") return shapePanel(data);
  if (data.kind === "convolution") return convolutionPanel(data, state);
  if (["max", "min", "average"].includes(data.kind)) return poolingPanel(data, state);
  if (data.kind === "dense") return densePanel(data);
  if (data.kind === "softmax") return softmaxPanel(data);
  return formulaPanel(data);
}

/** The end of every equation: the layer's cell, the activation that follows, and what Keras says. */
function ending(data, value, row, column) {
  const parts = [sign("="), chip(data.name, number(value), "value", "made")];
  let last = [value, data.output.values[row][column]];
  if (data.activation) {
    const after = FUNCTIONS[data.activation.function](value);
    parts.push(sign("→"), chip(`${data.activation.function}: ${data.formula}`, number(after), "after", "made"));
    last = [after, data.activation.values[row][column]];
  }
  const same = Math.abs(last[0] - last[1]) < 1e-4 * (1 + Math.abs(last[1]));
  if (data.reference) parts.push(chip("Keras gives", `${number(last[1])} ${same ? "✓" : "✗"}`, "keras", "quiet"));
  return parts;
}

function convolutionPanel(data, state) {
  const [window_, kernel, made] = ["Window", "Kernel", "Products"].map((name) => grid(name, data.size[1]));
  const many = data.inputs.length > 1;
  const [times, equals] = [sign("×"), sign("=")];
  const numbers = make("div", { class: "numbers" }, window_.root, times, kernel.root, equals, made.root);
  const equation = make("div", { class: "equation" });
  const root = make("div", {}, numbers, equation);
  const buttons = data.inputs.map((_, place) => {
    const bar = signedBar(0);
    const value = make("b", {});
    const button = make("button", { type: "button", onclick: () => state.choose(place) }, `${data.first + place + 1}`, bar, value);
    return { button, bar, value };
  });
  const all = make("button", { type: "button", onclick: () => state.choose(-1) }, "All, summed");
  if (many) {
    const list = make("div", { class: "channels", role: "group", "aria-label": "Partial sum of each input channel" }, all, ...buttons.map((b) => b.button));
    root.insertBefore(make("p", { class: "hint" }, "Partial sum of each input channel. Press one to see its numbers:"), equation);
    root.insertBefore(list, equation);
  }
  const weights = data.kernel.map((map) => map.flat());
  const heaviest = largest(weights);
  const strongest = Math.max(...data.inputs.map((input) => largest(input.values)));
  return {
    root,
    show(cell, found, row, column, look) {
      const one = state.channel;
      const side = state.gridSide(data.size[1], one < 0 ? 1 : 3);
      [window_.root, times, kernel.root, equals].forEach((element) => (element.hidden = one < 0));
      if (one < 0) {
        const total = taps(data, cell).map((tap, place) =>
          sum(data.inputs.map((input, channel) => (tap.inside ? input.values[tap.row][tap.column] * weights[channel][place] : 0))));
        made.root.caption.textContent = `Products, summed over ${data.inputs.length} channels`;
        made.show(total.map((value) => ({ value })), Math.max(...total.map(Math.abs)) || 1, { dark: look.dark }, side);
      } else {
        const { read, made: each } = products(data, cell, one);
        const places = taps(data, cell);
        const grey = data.inputs[one].picture && look.picture;
        window_.show(read.map((value, place) => ({ value, padding: !places[place].inside })), grey ? 1 : strongest, { dark: look.dark, grey }, side);
        kernel.show(weights[one].map((value) => ({ value })), heaviest, { dark: look.dark }, side);
        made.show(each.map((value) => ({ value })), Math.max(...each.map(Math.abs)) || 1, { dark: look.dark }, side);
        made.root.caption.textContent = many ? `Products, channel ${data.first + one + 1}` : "Products";
      }
      if (many) {
        const most = Math.max(...found.parts.map(Math.abs)) || 1;
        buttons.forEach(({ button, bar, value }, place) => {
          bar.replaceWith((buttons[place].bar = signedBar(found.parts[place] / most)));
          value.textContent = number(found.parts[place], 3);
          button.setAttribute("aria-pressed", place === one);
          button.setAttribute("aria-label", `Channel ${data.first + place + 1}: partial sum ${number(found.parts[place])}`);
        });
        all.setAttribute("aria-pressed", one < 0);
      }
      const parts = [chip(many ? `Sum over ${data.inputs.length} channels` : `Sum of ${data.size[0] * data.size[1]} products`, number(sum(found.parts)), "sum")];
      if (data.rest) parts.push(sign("+"), chip(`The other ${data.channels - data.inputs.length} channels`, number(found.rest), "rest"));
      if (data.reference) parts.push(sign("+"), chip("Bias", number(data.bias), "bias"));
      equation.replaceChildren(...parts, ...ending(data, found.value, row, column));
    },
  };
}

function poolingPanel(data, state) {
  const window_ = grid("Window", data.size[1]);
  const equation = make("div", { class: "equation" });
  return {
    root: make("div", {}, make("div", { class: "numbers" }, window_.root), equation),
    show(cell, found, row, column, look) {
      const winner = found.winner;
      const cells = found.read.map((tap) => ({ value: tap.value, padding: !tap.inside, best: winner && tap.row === winner.row && tap.column === winner.column }));
      window_.show(cells, largest(data.inputs[0].values), { dark: look.dark }, state.gridSide(data.size[1], 1));
      const count = found.real.length;
      const parts = winner
        ? [chip(`${data.kind === "max" ? "Largest" : "Smallest"} of ${count} real cells`, number(found.value), "sum"), sign("at"), chip("Which cell won", placeName(data, winner.row, winner.column))]
        : [chip(`Sum of ${count} real cells`, number(found.total), "sum"), sign("÷"), chip("Real cells", String(count))];
      equation.replaceChildren(...parts, ...ending(data, found.value, row, column));
    },
  };
}

const placeName = (data, row, column) => (data.axes === 1 ? `point ${column + 1}` : `row ${row + 1}, column ${column + 1}`);

/** Which map, row and column an input of a dense layer was. */
function inputName(data, place) {
  const index = data.index ? data.index[place] : place;
  if (!data.shape) return `Input ${index + 1}`;
  const [rows, columns, channels] = data.shape;
  const cell = Math.floor(index / channels);
  const where = rows > 1 ? `row ${Math.floor(cell / columns) + 1}, col ${(cell % columns) + 1}` : `point ${cell + 1}`;
  return channels > 1 ? `Map ${(index % channels) + 1}, ${where}` : where;
}

function densePanel(data) {
  const body = make("tbody", {});
  const head = make("tr", {}, ...["Input", "Value", "× weight", "= product", ""].map((text) => make("th", { scope: "col" }, text)));
  const table = make("table", { class: "list" }, make("caption", {}, ""), make("thead", {}, head), body);
  const equation = make("div", { class: "equation" });
  return {
    root: make("div", {}, table, equation),
    show(cell, found, row, column) {
      const order = found.made.map((_, place) => place).sort((a, b) => Math.abs(found.made[b]) - Math.abs(found.made[a])).slice(0, FEW);
      const most = Math.abs(found.made[order[0]]) || 1;
      table.caption.textContent = `Unit ${data.first + cell + 1}: the ${order.length} of ${data.of.toLocaleString("en")} inputs that move it most`;
      body.replaceChildren(
        ...order.map((place) =>
          make("tr", {}, make("th", { scope: "row" }, inputName(data, place)),
            ...[number(data.inputs[0].values[0][place]), number(data.kernel[cell][place]), number(found.made[place])].map((text) => make("td", {}, text)),
            make("td", { class: "wide" }, signedBar(found.made[place] / most)))));
      const named = sum(order.map((place) => found.made[place]));
      const others = data.of - order.length;
      const parts = [chip(`These ${order.length}`, number(named), "sum")];
      if (others) parts.push(sign("+"), chip(`The other ${others.toLocaleString("en")} inputs`, number(found.sum - named + found.rest)));
      equation.replaceChildren(...parts, sign("+"), chip("Bias", number(found.bias), "bias"), ...ending(data, found.value, row, column));
      if (data.softmax) equation.append(make("p", { class: "hint" }, `The softmax that follows needs all units: choose the layer ${data.softmax}.`));
    },
  };
}

function softmaxPanel(data) {
  const body = make("tbody", {});
  const head = make("tr", {}, ...["", "Value z", "z − largest", "e to that", "÷ sum", ""].map((text) => make("th", { scope: "col" }, text)));
  const table = make("table", { class: "list" }, make("caption", {}, ""), make("thead", {}, head), body);
  const equation = make("div", { class: "equation" });
  return {
    root: make("div", {}, table, equation),
    show(cell, found) {
      const best = found.shares.indexOf(Math.max(...found.shares));
      const order = found.shares.map((_, place) => place).sort((a, b) => found.shares[b] - found.shares[a]).slice(0, 40);
      const names = data.labels.length ? data.labels : found.shares.map((_, place) => `${place + 1}`);
      const rows = found.shares.length > 40 ? order : found.shares.map((_, place) => place);
      table.caption.textContent = `The sum of all e-powers is ${number(found.total)}.${rows.length < found.shares.length ? ` The ${rows.length} largest of ${found.shares.length}:` : ""}`;
      body.replaceChildren(
        ...rows.map((place) => {
          const values = [found.logits[place], found.logits[place] - found.largest, found.powers[place]].map((value) => make("td", {}, number(value)));
          const share = make("td", { "data-is": place === best ? "share" : null }, number(found.shares[place]));
          return make("tr", { class: place === best ? "best" : "" }, make("th", { scope: "row" }, names[place]), ...values, share, make("td", { class: "wide" }, signedBar(found.shares[place], true)));
        }));
      equation.replaceChildren(
        chip("The surest", names[best]), chip(`e^(${number(found.logits[best] - found.largest, 2)})`, number(found.powers[best])), sign("÷"),
        chip("Sum", number(found.total)), sign("="), chip(data.name, number(found.shares[best]), "value", "made"),
        chip("Keras gives", number(data.output.values[cell][best]), "keras", "quiet"));
      equation.append(make("p", { class: "hint" }, "Taking the largest away first changes nothing in the shares; it keeps the powers from becoming too large for a computer."));
    },
  };
}

/** Kinds that need no table: one line. */
function formulaPanel(data) {
  const equation = make("div", { class: "equation" });
  const parts = {
    global_max: (found) => [chip(`Largest of ${found.count} cells`, number(found.value), "sum")],
    global_average: (found) => [chip(`Sum of ${found.count} cells`, number(found.total), "sum"), sign("÷"), chip("Cells", String(found.count))],
    activation: (found) => [chip("x", number(found.entering), "sum"), sign("→"), chip(data.function, data.formula)],
    normalise: (found) => [
      sign("("), chip("x", number(found.entering), "sum"), sign("−"), chip("mean", number(found.mean)), sign(") ÷ √("), chip("variance", number(found.variance)),
      sign("+"), chip("ε", String(data.epsilon)), sign(") ×"), chip("gamma", number(found.gamma)), sign("+"), chip("beta", number(found.beta))],
    add: (found) => found.values.flatMap((value, place) => [...(place ? [sign("+")] : []), chip(data.inputs[place].title, number(value))]),
    multiply: (found) => found.values.flatMap((value, place) => [...(place ? [sign("×")] : []), chip(data.inputs[place].title, number(value))]),
    zeros: (found) => [chip(found.inside ? placeName(data, found.y, found.x) : "Padding", number(found.value), "sum")],
    flatten: (found) => [chip(`Map ${data.number + 1}, ${placeName(data, found.y, found.x)}`, number(found.value), "sum")],
    same: (found) => [chip("x", number(found.entering), "sum")],
  }[data.kind];
  return {
    root: make("div", {}, equation),
    show(cell, found, row, column) {
      equation.replaceChildren(...parts(found), ...ending(data, found.value, row, column));
      if (data.kind === "flatten") {
        const place = cell * data.channels + data.number + 1;
        equation.append(make("p", { class: "hint" }, `It becomes value ${place.toLocaleString("en")} of the row: cell by cell, and of each cell all maps.`));
      }
    },
  };
}

/** No numbers: which cells a window reads, along one side, for every window at once. */
function shapePanel(data) {
  const strip = figure("Every window along one side, one a line", data.strip_name);
  return {
    root: make("div", {}, strip.root),
    show(cell, found, row, column, look, width) {
      const [before, side, after] = [data.before[1], data.input[1], data.after[1]];
      const places = data.sides[1];
      const step = Math.max(3, Math.min(26, width / (before + side + after)));
      const tall = Math.max(5, Math.min(16, 320 / places));
      const pen = sized(strip.canvas, step * (before + side + after), 24 + tall * places + 4);
      const line = look.dark ? "rgba(255,255,255,0.45)" : "rgba(0,0,0,0.4)";
      const unread = new Set([...data.dropped, ...data.skipped]);
      for (let place = -before; place < side + after; place++) {
        const x = (before + place) * step;
        const real = place >= 0 && place < side;
        pen.fillStyle = look.blank;
        if (real) pen.fillRect(x, 0, step, 20);
        if (!real) hatch(pen, x, 0, step, 20, line);
        if (unread.has(place)) hatch(pen, x, 0, step, 24 + tall * places, look.dark ? "#ff9d86" : "#b2182b");
        pen.strokeStyle = line;
        pen.lineWidth = 0.75;
        pen.strokeRect(x, 0, step, 20);
        if (real && step >= 16) {
          pen.fillStyle = look.ink;
          pen.font = "11px sans-serif";
          pen.textAlign = "center";
          pen.fillText(String(place + 1), x + step / 2, 14);
        }
      }
      for (let place = 0; place < places; place++) {
        const start = place * data.strides[1] - data.before[1];
        const y = 24 + place * tall;
        pen.globalAlpha = place === column ? 1 : 0.45;
        pen.fillStyle = look.dark ? "#7c8796" : "#9aa5b1";
        pen.fillRect((before + start) * step, y + tall / 2 - 1, step * (data.dilation * (data.size[1] - 1) + 1), 2);
        for (let tap = 0; tap < data.size[1]; tap++) {
          const cellAt = start + tap * data.dilation;
          pen.fillStyle = place === column ? ORANGE : look.dark ? "#4aa3df" : "#17598a";
          pen.fillRect((before + cellAt) * step + 1, y + 1, Math.max(1, step - 2), tall - 2);
        }
        pen.globalAlpha = 1;
      }
    },
  };
}
