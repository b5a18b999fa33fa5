"""The rows of a table: order and filter by figures that rows look up."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.table_model import TableModel


class Row(NamedTuple):
    """A name, and figures by name that live elsewhere."""

    name: str
    figures: dict[str, float]


CPU: Column[Row] = Column(
    "cpu", "CPU", 5, lambda r: "", key=lambda r: r.figures.get(r.name), descending=True, live=True
)
NAME: Column[Row] = Column("name", "NAME", 5, lambda r: r.name, key=lambda r: r.name)


@pytest.fixture
def figures() -> dict[str, float]:
    return {"a": 1.0, "b": 2.0, "c": 3.0}


@pytest.fixture
def model(figures: dict[str, float]) -> TableModel[Row]:
    model: TableModel[Row] = TableModel(lambda row: row.name)
    model.replace({name: Row(name, figures) for name in "abcd"})
    return model


def test_new_figures_order_the_view_anew_with_the_cursor_on_its_row(
    model: TableModel[Row], figures: dict[str, float]
) -> None:
    model.sort(CPU, reverse=True)
    assert model.view == ["c", "b", "a", "d"]
    model.choose("b")
    figures["a"] = 9.0
    assert model.refigure()
    assert model.view == ["a", "c", "b", "d"]
    assert (model.cursor, model.index) == ("b", 2)


def test_figures_that_keep_the_order_change_nothing(model: TableModel[Row], figures: dict[str, float]) -> None:
    model.sort(CPU, reverse=True)
    figures["c"] = 4.0
    assert not model.refigure()
    assert model.view == ["c", "b", "a", "d"]


def test_an_order_without_figures_is_not_looked_at_again(model: TableModel[Row], figures: dict[str, float]) -> None:
    model.sort(NAME)
    figures["a"] = 9.0
    assert not model.refigure()


def test_a_filtered_row_keeps_its_figure_for_when_it_comes_back(
    model: TableModel[Row], figures: dict[str, float]
) -> None:
    model.sort(CPU, reverse=True)
    model.filter(lambda row: row.name != "a")
    figures["a"] = 9.0
    model.refigure()
    assert model.view == ["c", "b", "d"]
    model.filter(None)
    assert model.view == ["a", "c", "b", "d"]


@pytest.mark.parametrize(("at", "expected"), [("b", "c"), ("d", "a")])
def test_the_cursor_of_a_row_that_goes_is_on_the_nearest_left(model: TableModel[Row], at: str, expected: str) -> None:
    model.choose(at)
    model.filter(lambda row: row.name in ("a", "c") if at == "b" else row.name == "a")
    assert model.cursor == expected
    assert model.view[model.index] == expected


def test_without_rows_there_is_no_cursor(model: TableModel[Row]) -> None:
    model.choose("b")
    model.update({}, list("abcd"))
    assert (model.cursor, model.index, model.view) == (None, 0, [])
