"""What goes wrong while an image is on its way: nothing half there, the record complete, the next attempt free."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from komodo_tui.operations.ship_plans import prepare_ship
from tests.integration.resources.lab import act
from tests.integration.ship.lab import image_id, load_image, small_disk
from tests.rig.server import DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.operations.progress import StepProgress
    from tests.integration.ship.lab import Pair
    from tests.integration.ssh.lab import Fleet
    from tests.rig.server import Server

pytestmark = pytest.mark.rig
MIB = 1 << 20
BASE = (("one", 17 * MIB), ("two", 26 * MIB))
INGEST = "containerd/daemon/io.containerd.content.v1.content/ingest"
"""Where containerd's store takes blobs in."""


async def test_the_engines_disk_is_full(pair: Pair) -> None:
    wanted = load_image(pair.alpha.server, "shop/api:1", *BASE)
    async with pair.fleet() as our:
        await _full(our, pair.beta.server, "tmp")
        record = await _ship(our)
    assert int(record.steps[0].result["resumed"]) > 20 * MIB
    assert image_id(pair.beta.server, "shop/api:1") == wanted


async def test_the_disk_of_containerds_store_is_full(stores: Pair) -> None:
    load_image(stores.alpha.server, "shop/api:1", *BASE)
    async with stores.fleet() as our:
        await _full(our, stores.beta.server, INGEST)
        record = await _ship(our)
    assert image_id(stores.beta.server, "shop/api:1") == record.steps[0].result["image"]


async def _full(our: Fleet, server: Server, folder: str) -> None:
    """An attempt that finds no room for the engine's own files."""
    with small_disk(DATA / server.name / folder, MIB):
        record = await act(our, await prepare_ship(our.manager, "shop/api:1", ["beta"], "alpha"))
    assert (record.outcome, record.steps[0].end) == ("failed", "failed"), record
    assert "no space left on device" in record.steps[0].error
    listed = server.docker("image", "ls", "-a")
    assert "shop/api" not in listed
    assert "<none>" not in listed


async def test_images_go_and_names_move_meanwhile(pair: Pair) -> None:
    alpha, beta = pair.alpha.server, pair.beta.server
    first = load_image(alpha, "shop/api:1", *BASE)
    second = load_image(alpha, "shop/api:2", BASE[0], ("three", 26 * MIB))
    async with pair.fleet() as our:

        def at_the_source() -> None:
            alpha.docker("tag", second, "shop/api:1")
            alpha.docker("image", "rm", first)

        record = await _meanwhile(our, pair, "shop/api:1", at_the_source)
        assert record.steps[0].result["image"] == image_id(beta, "shop/api:1") == first

        record = await _meanwhile(our, pair, "shop/api:2", lambda: beta.docker("image", "rm", "shop/api:1"))
        assert int(record.steps[0].result["sent"]) > 40 * MIB  # the lowest layer, too, once it was gone
        assert image_id(beta, "shop/api:2") == second
        assert "<none>" not in beta.docker("image", "ls", "-a")

        operation = await prepare_ship(our.manager, "shop/api:2", ["beta"], "alpha")
        beta.docker("image", "rm", "shop/api:2")
        alpha.docker("image", "rm", "shop/api:1", "shop/api:2")
        record = await act(our, operation)
    assert record.outcome == "failed"
    assert "is not there any more" in record.steps[0].error
    assert image_id(beta, "shop/api") == ""


async def test_cancelled_too_late_it_is_seen_through(pair: Pair) -> None:
    wanted = load_image(pair.alpha.server, "shop/api:1", *BASE)
    async with pair.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        executor, told = our.runtime.executor, asyncio.Event()

        def tell(progress: StepProgress) -> None:
            if "unpacks" in progress.text:
                told.set()

        acting = asyncio.create_task(
            executor.submit(executor.plan(operation), our.runtime.actor, given=True, progress=tell)
        )
        await asyncio.wait_for(told.wait(), 30)
        await executor.cancel(executor.running()[0].id)
        record = await acting
    assert record.steps[0].ok, "the engine has it, so it is not told that it was cancelled"
    assert image_id(pair.beta.server, "shop/api:1") == wanted


async def _ship(our: Fleet) -> ActionRecord:
    record = await act(our, await prepare_ship(our.manager, "shop/api:1", ["beta"], "alpha"))
    assert record.outcome == "success", record
    return record


async def _meanwhile(our: Fleet, pair: Pair, image: str, happens: Callable[[], object]) -> ActionRecord:
    """Ship to beta; in the middle of it something happens."""
    operation = await prepare_ship(our.manager, image, ["beta"], "alpha")
    acting = asyncio.create_task(act(our, operation))
    async with asyncio.timeout(30):
        while pair.spooled() <= 5 * MIB:
            await asyncio.sleep(0.002)
    await asyncio.to_thread(happens)
    record = await acting
    assert record.outcome == "success", record
    return record
