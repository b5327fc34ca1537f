// What a layer does with the numbers it was sent, cell by cell. The same as cnn_core/computation/checking.py, which the tests
// compare with Keras.

const erf = (x) => {
  // Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: right to 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
};

const FUNCTIONS = {
  relu: (x) => Math.max(0, x),
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  silu: (x) => x / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

const WINDOWED = ["convolution", "max", "min", "average", "shape"];
const sum = (values) => values.reduce((total, value) => total + value, 0);
const at = (values, row, column) => values[row % values.length][column % values[0].length]; // one number stands for all

/** Rows and columns of the output; a softmax has one cell for each of its rows. */
function outputSides(data) {
  if (data.kind === "shape") return data.sides;
  if (data.kind === "softmax") {
    const places = data.places.length === 2 ? data.places : [1, data.output.values.length];
    return [Math.min(places[0], Math.ceil(data.output.values.length / places[1])), places[1]];
  }
  return [data.output.values.length, data.output.values[0].length];
}

function cellCount(data) {
  if (data.kind === "softmax") return data.output.values.length;
  const [rows, columns] = outputSides(data);
  return rows * columns;
}

/** The cells that the window of an output cell reads, in reading order; those outside of the map are padding. */
function taps(data, cell) {
  const columns = outputSides(data)[1];
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  const [rows, wide] = inputSides(data);
  const apart = data.dilation ?? 1;
  const found = [];
  for (let down = 0; down < data.size[0]; down++)
    for (let right = 0; right < data.size[1]; right++) {
      const y = row * data.strides[0] - data.before[0] + down * apart;
      const x = column * data.strides[1] - data.before[1] + right * apart;
      found.push({ row: y, column: x, inside: y >= 0 && x >= 0 && y < rows && x < wide });
    }
  return found;
}

function inputSides(data) {
  return data.kind === "shape" ? data.input : [data.inputs[0].values.length, data.inputs[0].values[0].length];
}

/** One channel under its kernel: what the window reads, the products, and their sum. */
function products(data, cell, channel) {
  const map = data.inputs[channel].values;
  const weights = data.kernel[channel].flat();
  const read = taps(data, cell).map((tap) => (tap.inside ? map[tap.row][tap.column] : 0));
  const made = read.map((value, place) => value * weights[place]);
  return { read, weights, made, sum: sum(made) };
}

/** The value of an output cell and the numbers on the way to it. */
function compute(data, cell) {
  const columns = outputSides(data)[1];
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  const first = data.inputs[0]?.values;
  switch (data.kind) {
    case "convolution": {
      const parts = data.inputs.map((_, channel) => products(data, cell, channel).sum);
      const rest = data.rest ? data.rest[row][column] : 0;
      return { parts, rest, value: sum(parts) + rest + data.bias };
    }
    case "max":
    case "min":
    case "average": {
      const read = taps(data, cell).map((tap) => ({ ...tap, value: tap.inside ? first[tap.row][tap.column] : null }));
      const real = read.filter((tap) => tap.inside);
      if (data.kind === "average") {
        const total = sum(real.map((tap) => tap.value));
        return { read, real, total, value: total / real.length };
      }
      const better = (a, b) => (data.kind === "max" ? b.value > a.value : b.value < a.value);
      const winner = real.reduce((best, tap) => (better(best, tap) ? tap : best));
      return { read, real, winner, value: winner.value };
    }
    case "global_max":
    case "global_average": {
      const values = data.inputs[cell].values.flat();
      const value = data.kind === "global_max" ? values.reduce((a, b) => Math.max(a, b)) : sum(values) / values.length;
      return { value, total: sum(values), count: values.length, winner: values.indexOf(value) };
    }
    case "dense": {
      const made = data.kernel[cell].map((weight, place) => weight * first[0][place]);
      return { made, sum: sum(made), rest: data.rest[cell], bias: data.bias[cell], value: sum(made) + data.rest[cell] + data.bias[cell] };
    }
    case "softmax": {
      const logits = first[cell];
      const largest = logits.reduce((a, b) => Math.max(a, b));
      const powers = logits.map((value) => Math.exp(value - largest));
      const total = sum(powers);
      return { logits, largest, powers, total, shares: powers.map((power) => power / total) };
    }
    case "activation":
      return { entering: at(first, row, column), value: FUNCTIONS[data.function](at(first, row, column)) };
    case "normalise": {
      const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map((name) => at(data[name], row, column));
      const entering = first[row][column];
      return { entering, gamma, beta, mean, variance, value: (gamma * (entering - mean)) / Math.sqrt(variance + data.epsilon) + beta };
    }
    case "add":
    case "multiply": {
      const values = data.inputs.map((input) => input.values[row][column]);
      return { values, value: data.kind === "add" ? sum(values) : values.reduce((a, b) => a * b) };
    }
    case "zeros": {
      const [y, x] = [row - data.before[0], column - data.before[1]];
      const inside = y >= 0 && x >= 0 && y < first.length && x < first[0].length;
      return { inside, y, x, value: inside ? first[y][x] : 0 };
    }
    case "flatten":
      return { y: Math.floor(cell / first[0].length), x: cell % first[0].length, value: first.flat()[cell] };
    default:
      return { entering: first[row][column], value: first[row][column] };
  }
}

/** How far what is computed here lies from what Keras gave, over all cells: the largest difference. */
function compared(data) {
  const columns = outputSides(data)[1];
  let worst = 0;
  for (let cell = 0; cell < cellCount(data); cell++) {
    const { value, shares } = compute(data, cell);
    if (shares) {
      shares.forEach((share, place) => (worst = Math.max(worst, Math.abs(share - data.output.values[cell][place]))));
      continue;
    }
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    worst = Math.max(worst, Math.abs(value - data.output.values[row][column]));
    if (data.activation)
      worst = Math.max(worst, Math.abs(FUNCTIONS[data.activation.function](value) - data.activation.values[row][column]));
  }
  return worst;
}
