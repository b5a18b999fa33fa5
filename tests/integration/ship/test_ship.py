"""An image brought from one engine to another, over two real sshds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.operations.ship_plans import prepare_ship
from tests.integration.resources.lab import act
from tests.integration.ship.lab import image_id, load_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.ship.lab import Pair

pytestmark = pytest.mark.rig
BASE = (("one", 17 << 20), ("two", 26 << 20))


async def test_only_what_lacks_is_sent_and_the_same_image_is_there(pair: Pair) -> None:
    first = load_image(pair.alpha.server, "shop/api:1", *BASE, ("api-1", 1 << 20))
    second = load_image(pair.alpha.server, "shop/api:2", *BASE, ("api-2", 1 << 20))
    async with pair.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        assert (operation.source, operation.targets[0].lacking) == ("alpha", 3)
        plan = our.runtime.executor.plan(operation)
        assert "3 of 3 layers, about 44.0M" in plan.steps[0].text
        record = await act(our, operation)
        assert record.outcome == "success", record
        assert image_id(pair.beta.server, "shop/api:1") == first

        operation = await prepare_ship(our.manager, "shop/api:2", ["beta"], tags=("shop/api:2", "shop/api:latest"))
        record = await act(our, operation)
        assert record.outcome == "success", record
        assert image_id(pair.beta.server, "shop/api:2") == image_id(pair.beta.server, "shop/api:latest") == second
        assert int(record.steps[0].result["sent"]) < (1 << 20) + 100_000  # 1 MiB of layer, of an image of 44
        assert pair.spooled() == 0
        assert "<none>" not in pair.beta.server.docker("image", "ls", "-a")

        again = await prepare_ship(our.manager, "shop/api:1", ["beta"], tags=("shop/other:1",))
        assert again.targets[0].present
        record = await act(our, again)
        assert int(record.steps[0].result["sent"]) < 1000
        assert image_id(pair.beta.server, "shop/other:1") == first


async def test_it_goes_on_after_the_agent_was_killed(pair: Pair) -> None:
    wanted = load_image(pair.alpha.server, "shop/api:1", *BASE)
    async with pair.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        acting = asyncio.create_task(act(our, operation))
        await _until(lambda: pair.spooled() > 30 << 20)
        pair.beta.kill()
        assert image_id(pair.beta.server, "shop/api") == ""
        await asyncio.to_thread(pair.beta.start)
        record = await acting
    assert record.outcome == "success", record
    assert int(record.steps[0].result["resumed"]) > 4 << 20
    assert image_id(pair.beta.server, "shop/api:1") == wanted
    assert "<none>" not in pair.beta.server.docker("image", "ls", "-a")


async def test_cancelled_it_leaves_no_name_and_the_next_attempt_goes_on(pair: Pair) -> None:
    wanted = load_image(pair.alpha.server, "shop/api:1", *BASE)
    async with pair.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        acting = asyncio.create_task(act(our, operation))
        await _until(lambda: pair.spooled() > 5 << 20)
        (running,) = our.runtime.executor.running()
        await our.runtime.executor.cancel(running.id)
        record = await acting
        assert record.outcome == "cancelled", record
        assert image_id(pair.beta.server, "shop/api") == ""

        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        assert operation.targets[0].kept > 4 << 20
        assert "of it there from before" in our.runtime.executor.plan(operation).steps[0].text
        record = await act(our, operation)
        assert int(record.steps[0].result["resumed"]) >= operation.targets[0].kept
        assert image_id(pair.beta.server, "shop/api:1") == wanted


async def test_what_cannot_be_is_said(pair: Pair) -> None:
    load_image(pair.alpha.server, "shop/api:1", ("one", 1000))
    load_image(pair.beta.server, "shop/web:1", ("one", 1000))
    load_image(pair.alpha.server, "shop/web:1", ("two", 1000))
    async with pair.fleet() as our:
        with pytest.raises(NotFoundError, match="no server that answers has an image 'shop/none'"):
            await prepare_ship(our.manager, "shop/none", ["beta"])
        with pytest.raises(UsageError, match="no server to bring it to"):
            await prepare_ship(our.manager, "shop/api:1", ["alpha"], "alpha")
        with pytest.raises(UsageError, match="not the same image everywhere"):
            await prepare_ship(our.manager, "shop/web:1", [])
        load_image(pair.alpha.server, "shop/arm:1", ("one", 1000), platform="arm64")
        operation = await prepare_ship(our.manager, "shop/arm:1", ["beta"])
        with pytest.raises(RefusedError, match=r"is for linux/arm64: it would not run on beta \(linux/x86_64\)"):
            our.runtime.executor.plan(operation)
        plan = our.runtime.executor.plan(replace(operation, any_platform=True))
        assert "would not run there" in plan.steps[0].warning
        moved = our.runtime.executor.plan(await prepare_ship(our.manager, "shop/web:1", ["beta"], "alpha"))
        assert "is another image there now" in moved.steps[0].warning


async def test_a_full_disk_is_said_before_anything_is_sent(pair: Pair) -> None:
    load_image(pair.alpha.server, "shop/api:1", ("one", 1000))
    async with pair.fleet() as our:
        operation = await prepare_ship(our.manager, "shop/api:1", ["beta"])
        full = replace(operation, targets=(replace(operation.targets[0], free=10),))
        with pytest.raises(RefusedError, match="no room on beta"):
            our.runtime.executor.plan(full)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)
