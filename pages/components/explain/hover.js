/** The example under the pointer, beside it: data has the key of the chart, and one picture of all examples in rows of `columns`. */
export default function ({ data, parentElement }) {
  const card = parentElement.querySelector(".under-the-pointer");
  const inside = card.firstElementChild;
  let chart = null;

  const hide = () => { card.hidden = true; };
  const show = ({ points, event }) => {
    const number = points[0]?.customdata?.[0];
    if (typeof number !== "number") return hide();
    const [wide, high] = data.sides.map((side) => side * data.times);
    const column = number % data.columns, row = Math.floor(number / data.columns);
    Object.assign(inside.style, {
      width: `${wide}px`,
      height: `${high}px`,
      backgroundImage: `url(${data.picture})`,
      backgroundSize: `${wide * data.columns}px auto`,
      backgroundPosition: `${-wide * column}px ${-high * row}px`,
    });
    card.dataset.example = number;
    card.hidden = false;
    const left = event.clientX + 24 + wide > innerWidth ? event.clientX - wide - 32 : event.clientX + 16;
    card.style.left = `${Math.max(4, left)}px`;
    card.style.top = `${Math.max(4, event.clientY - high - 32)}px`;
  };
  const leave = () => {
    chart?.removeListener?.("plotly_hover", show);
    chart?.removeListener?.("plotly_unhover", hide);
  };
  const find = () => {
    const now = document.querySelector(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`);
    if (!now?.on || now === chart) return;
    leave();
    hide();
    chart = now;
    chart.on("plotly_hover", show);
    chart.on("plotly_unhover", hide);
  };

  const watch = new MutationObserver(find); // the chart may come later, or another one in its place
  watch.observe(document.body, { childList: true, subtree: true });
  hide();
  find();
  return () => {
    watch.disconnect();
    leave();
    hide();
  };
}
