"""The little that Streamlit's own settings cannot say about the look."""

STYLE = """<style>
.stMainBlockContainer {padding: 4.25rem 2rem 2rem;}
.st-key-controls img, .st-key-pictures img {image-rendering: pixelated;}
@media (max-width: 640px) {
  .stMainBlockContainer {padding: 4.25rem 1rem 2rem;}
  .st-key-controls {height: auto !important; max-height: none !important; overflow: visible !important;}
  .stMain {overflow-x: hidden;}
}
</style>"""
