"""The little that Streamlit's own settings cannot say about the look and the menu."""

STYLE = """<style>
.stMainBlockContainer {padding: 3.25rem 2rem 2rem;}
.st-key-controls img, .st-key-pictures img {image-rendering: pixelated;}
/* Streamlit's own greys and its white on the dark theme's blue are too faint to read for some (WCAG 2.1, 1.4.3). */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {color: inherit; opacity: 0.9;}
button[kind="primary"] p, button[kind="primary"] span, [data-tag] span, [data-tag] button {color: light-dark(#ffffff, #0b1b28);}
/* Counts on the colours of their cells are read in the page's own letters; Streamlit's charts have fainter ones. */
[class*="confusion"] .annotation-text {fill: currentColor !important;}
/* What a menu no longer shows would hold its place for a moment, and what is below it would jump away from a click. */
[data-testid="stPopoverBody"] [data-retained="true"] {display: none;}
/* The controls of the first moment have no labels yet; with room for them nothing moves when they come. */
.st-key-preset [data-testid="stSkeleton"], .st-key-dataset_menu [data-testid="stSkeleton"] {height: 68px;}
@media (max-width: 640px) {
  .stMainBlockContainer {padding: 3.25rem 1rem 2rem;}
  .st-key-controls {height: auto !important; max-height: none !important; overflow: visible !important;}
  .st-key-bench > .stHorizontalBlock, .st-key-bench > * > .stHorizontalBlock {flex-direction: column-reverse;}
  .st-key-bench .stColumn {width: 100%;}
  /* The answer comes right below what was drawn. */
  .st-key-reading > .stHorizontalBlock > .stColumn:nth-child(2), .st-key-reading > * > .stHorizontalBlock > .stColumn:nth-child(2) {order: 1;}
  .st-key-reading h3 {font-size: 1.2rem; padding: 0.25rem 0;}
  /* Eight maps in a row need more than a phone's width: the row scrolls, the page does not. */
  [class*="st-key-row_"] {overflow-x: auto;}
  [class*="st-key-row_"] > * {min-width: 560px;}
}
</style>"""

# On a phone Streamlit leaves its menu open over the page that was chosen in it.
CLOSE_MENU = """<script>
if (!window.closesMenu) {
  window.closesMenu = true;
  document.addEventListener("click", ({ target }) => {
    if (innerWidth <= 768 && target.closest("[data-testid=stSidebarNavLink]"))
      setTimeout(() => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click());
  });
}
</script>"""
