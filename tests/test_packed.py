"""Rows that were packed come back as they were, one by one and portion by portion."""

from __future__ import annotations

import pytest

from connectors.kit.packed import Packed


@pytest.mark.parametrize("odd", ["plain", "\ud800", 10**30])
def test_rows_come_back_as_they_were(odd):
    rows = Packed(dict[int, object])
    told = [{0: n, 1: None, 2: [odd, {"a": 1.5}]} for n in range(40)]
    portions = [told[:7], [], told[7:8], told[8:]]
    for portion in portions:
        rows.add(portion)
    assert len(rows) == 40
    assert list(rows) == told
    assert [rows[place] for place in range(40)] == told
    assert [(begin, len(page)) for begin, page in rows.pages()] == [(0, 7), (7, 1), (8, 32)]
    assert [(begin, page) for begin, page in rows.pages(8)] == [(8, told[8:])]
    assert list(rows.pages(40)) == []
    with pytest.raises(IndexError):
        rows[40]
