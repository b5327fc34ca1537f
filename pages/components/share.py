"""Taking the settings along: as a file, and as a link."""

from urllib.parse import urlsplit

import streamlit as st

from cnn_core import links
from cnn_core.errors import SpecError
from cnn_core.spec import RunSpec
from pages.components import history


def share(spec: RunSpec) -> None:
    """A menu with the settings as a file to keep, a file to open, and a link."""
    with st.popover("Share", icon=":material/share:", help="The network and all settings as a file or a link."):
        st.download_button(
            "Download as a file",
            spec.model_dump_json(indent=2),
            f"{spec.preset or 'network'}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
            help="The network, its data and its training as JSON. `python -m cnn_core train --spec FILE` trains it too.",
        )
        st.session_state.setdefault("uploads", 0)
        key = f"shared_file_{st.session_state.uploads}"
        st.file_uploader(
            "Open a file",
            "json",
            key=key,
            max_upload_size=1,
            on_change=_open,
            args=(key,),
            help="A file that was downloaded here. It takes the place of the settings on this page; Undo brings them back.",
        )
        if fault := st.session_state.pop("file_fault", None):
            st.error(fault, icon=":material/error:")
        st.caption("This link opens the lab with these settings:")
        st.code(_link(spec), language=None, wrap_lines=True)  # in a box of fixed height a keyboard could not scroll it


def _link(spec: RunSpec) -> str:
    here = urlsplit(st.context.url or "")
    page = f"{here.scheme}://{here.netloc}{here.path or '/'}" if here.netloc else ""
    return f"{page}?spec={links.encode(spec)}"


def _open(key: str) -> None:
    """Take the settings of a file over, or say what is wrong with it and keep what is there."""
    file = st.session_state[key]
    if file is None:
        return
    try:
        spec = links.read_file(file.getvalue(), file.name)
    except SpecError as error:
        st.session_state.file_fault = f"{error} Nothing was changed."
        return
    history.replace(spec)
    st.session_state.uploads += 1  # an empty field for the next file
    history.say(f"{file.name} is open. Undo, above the layers, brings back what was here.")
