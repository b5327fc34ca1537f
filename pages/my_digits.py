"""My digits: the person's own drawings as a test set, scores on it, and networks that are taught it."""

import numpy as np
import streamlit as st

from cnn_core import figures, my_digits, targets
from cnn_core.errors import DataError
from pages.components import state
from pages.components.own_digits import album, drawing, reading, teaching
from pages.components.run_picker import run_picker

CONFUSION_FROM = 20  # drawings

state.open_session()
run = run_picker()
try:
    collection = my_digits.read(state.lab().home)
except DataError as error:
    album.damaged(error)
    st.stop()
reads = run is not None and reading.can_read(run)
answers = right = scores = None

draw, look = st.columns(2, gap="large")
with draw:
    st.subheader("A digit of yours", anchor=False)
    drawing.draw_one(run)
with look:
    st.subheader(f"My digits: {len(collection)}", anchor=False)
    if reads and len(collection):
        with state.in_sentences():  # the drawings are there whatever has become of the network
            scores, true = reading.score(run, collection), reading.truth(run, collection)
    if scores is not None:
        labels = targets.labels(run.spec, targets.main_head(run.spec))
        said = reading.probabilities(run, collection).argmax(axis=1)
        answers, right = np.array(labels)[said], said == true
        low, high = scores.interval
        with st.container(horizontal=True):
            st.metric("Read right", f"{scores.accuracy:.1%}", border=True)
            help = "What so few drawings leave room for (Wilson's interval)."
            st.metric("95 % confidence interval", f"{low:.0%} – {high:.0%}", border=True, help=help)
            st.metric("Mistakes", f"{len(scores.mistakes)} of {len(collection)}", border=True)
    if len(collection):
        album.album(collection, answers, right)
    else:
        st.info("There are none yet. Draw a digit and press its number; ten of each make a good test set.")
    album.put_back()
    album.to_and_from_a_file(collection)

if not len(collection) or run is None:
    st.stop()
if not reads:
    st.info("This network was not made for pictures of digits. Choose another one above, and it reads yours.")
    st.stop()
st.subheader("Networks on my digits", anchor=False)
teaching.scoreboard(run, collection)
st.subheader("Teach it my handwriting", anchor=False)
teaching.teach(run, collection)
if scores is not None and len(collection) > CONFUSION_FROM:
    st.subheader("What it takes for what", anchor=False)
    matrix = figures.confusion(scores.confusion, labels)
    st.plotly_chart(matrix, key="own_confusion", config={"displayModeBar": False}, alt="Confusion matrix of your own digits")
