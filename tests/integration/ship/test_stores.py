"""Images between engines that keep them in different ways: layers of their own, and containerd's store."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import ExitCode
from komodo_tui.fleet.client import AgentClient
from komodo_tui.operations.outcomes import exit_code
from komodo_tui.operations.ship_plans import prepare_ship
from tests.integration.resources.lab import act
from tests.integration.ship.lab import image_id, load_image, small_disk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from komodo_agent.wire.ships import ExportRequest
    from komodo_tui.domain.operations import ActionRecord
    from tests.integration.ship.lab import Pair
    from tests.integration.ssh.lab import Fleet

pytestmark = pytest.mark.rig
MIB = 1 << 20
BASE = (("busybox", 0), ("two", 20 * MIB))
ROUND = ("alpha", "beta", "gamma", "alpha")


async def test_round_through_all_of_them(stores: Pair) -> None:
    first = load_image(stores.alpha.server, "shop/api:1", *BASE, ("api-1", MIB))
    second = load_image(stores.alpha.server, "shop/api:2", *BASE, ("api-2", MIB))
    async with stores.fleet() as our:
        ids = await _round(our, stores, "shop/api:1", whole=True)
        assert (ids["alpha"], ids["beta"]) == (first, ids["gamma"])
        ids = await _round(our, stores, "shop/api:2", whole=False)
        assert (ids["alpha"], ids["beta"]) == (second, ids["gamma"])


async def _round(our: Fleet, stores: Pair, image: str, *, whole: bool) -> dict[str, str]:
    """Bring it from each to the next; its ids."""
    ids = {}
    for source, target in pairwise(ROUND):
        server = stores.all[target].server
        if target == "alpha":
            server.docker("image", "rm", image)
        record = await _ship(our, image, source, target)
        sent = int(record.steps[0].result["sent"])
        if target != "alpha":  # which has the other one all the time
            assert (sent > 20 * MIB) == whole, record
        assert sent < (24 if whole else 1.3) * MIB
        ids[target] = image_id(server, image)
        assert record.steps[0].result["image"] == ids[target]
        assert server.docker("run", "--rm", image, "echo", "it runs") == "it runs\n"
        assert stores.spooled(target) == 0
    return ids


async def _ship(our: Fleet, image: str, source: str, target: str) -> ActionRecord:
    operation = await prepare_ship(our.manager, image, [target], source)
    assert not operation.targets[0].present
    record = await act(our, operation)
    assert record.outcome == "success", record
    again = await prepare_ship(our.manager, image, [target], source)
    assert again.targets[0].present
    assert not again.targets[0].moved
    return record


async def test_several_at_once_from_one_reading_and_one_that_fails(
    stores: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_image(stores.alpha.server, "shop/api:1", *BASE)
    readings = []
    export = AgentClient.export_image

    def counted(client: AgentClient, wanted: ExportRequest) -> AsyncGenerator[bytes, None]:
        readings.append(wanted)
        return export(client, wanted)

    monkeypatch.setattr(AgentClient, "export_image", counted)
    async with stores.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta", "gamma"])
        with small_disk(stores.spool("gamma"), 1 * MIB):
            record = await act(our, operation)
        assert [step.ok for step in record.steps] == [True, False], record
        assert "there is no room for a layer" in record.steps[1].error
        assert exit_code(record) == ExitCode.PARTLY_FAILED
        assert image_id(stores.all["gamma"].server, "shop/api:1") == ""
        assert image_id(stores.beta.server, "shop/api:1") == record.steps[0].result["image"]

        stores.beta.server.docker("image", "rm", "shop/api:1")
        record = await act(our, await prepare_ship(our.manager, "shop/api:1", ["beta", "gamma"]))
    assert record.outcome == "success", record
    assert len(readings) == 2, "an act reads its image once for all that need the same of it"
    for step in record.steps:
        assert image_id(stores.all[step.target.server].server, "shop/api:1") == step.result["image"]
