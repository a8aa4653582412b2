"""The public key that proves evidence elsewhere, and how."""

from __future__ import annotations

import streamlit as st

from governance import evidence
from governance.house import House
from governance.parts.text import bold


def evidence_key(house: House) -> None:
    """The command, the fingerprint to compare by another way, and the key itself."""
    with st.container(border=True):
        st.subheader("To prove it elsewhere", anchor=False)
        file = evidence.public_key_file(house.home)
        pem = file.read_bytes()
        st.markdown(
            "`leaverwatch evidence verify FILE --key public.pem` needs this public key and nothing else. Its"
            f" fingerprint is {bold(evidence.fingerprint(evidence.public_key(pem)))}: compare it by another way."
        )
        st.download_button(
            "Public key", data=pem, file_name="public.pem", mime="application/x-pem-file", icon=":material/key:"
        )
