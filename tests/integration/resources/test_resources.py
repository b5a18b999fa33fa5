"""Images, volumes and networks of a real engine, over a real sshd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.resources import CreateNetwork, CreateVolume, PullImage
from komodo_tui.domain.resources import PruneRule, ResourceOperation, prunable, target_of
from tests.integration.resources.lab import act, import_image, resources
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.images import BUSYBOX

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.rig


async def test_lists_say_what_uses_what_and_create_and_remove_work(clean: RemoteAgent, tmp_path: Path) -> None:
    docker = clean.server.docker
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        for spec in (CreateNetwork(name="shop", subnet="10.99.1.0/24"), CreateVolume(name="data", labels={"a": "b"})):
            record = await act(our, ResourceOperation(verb="create", servers=("alpha",), spec=spec))
            assert record.outcome == "success", record
        docker("run", "-d", "--name", "web", "--network", "shop", "-v", "data:/data", BUSYBOX, "sleep", "1000")

        found = await resources(our)
        assert (found["data"].used_by, found["data"].labels) == (("web",), {"a": "b"})
        assert (found["shop"].used_by, found["shop"].detail) == (("web",), "10.99.1.0/24")
        assert found[BUSYBOX].used_by == ("web",)
        assert found["bridge"].fixed

        record = await act(our, ResourceOperation(verb="remove", targets=(target_of("alpha", found["data"]),)))
        assert record.outcome == "failed"
        assert "in use" in record.steps[0].error
        docker("rm", "-f", "web")
        wanted = tuple(target_of("alpha", found[name]) for name in ("data", "shop"))
        record = await act(our, ResourceOperation(verb="remove", targets=wanted))
        assert record.outcome == "success", record
        assert [step.commands for step in record.steps] == [("docker volume rm data",), ("docker network rm shop",)]
        assert {"data", "shop"}.isdisjoint(await resources(our))


async def test_an_image_goes_with_the_tags_that_were_shown_and_no_other(clean: RemoteAgent, tmp_path: Path) -> None:
    import_image(clean.server, "shop/api:1")
    clean.server.docker("tag", "shop/api:1", "shop/api:2")
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        seen = target_of("alpha", (await resources(our))["shop/api:1"])
        record = await act(our, ResourceOperation(verb="tag", targets=(seen,), tag="shop/api:3"))
        assert record.outcome == "success", record
        record = await act(our, ResourceOperation(verb="remove", targets=(seen,)))
        assert record.outcome == "success", record
        assert record.steps[0].commands == ("docker image rm shop/api:1 shop/api:2",)
        assert (await resources(our))["shop/api:3"].tags == ("shop/api:3",)

        import_image(clean.server, "shop/api:1", b"another")  # the name means another image now
        record = await act(our, ResourceOperation(verb="remove", targets=(seen,)))
        assert record.outcome == "failed"
        assert "another image by now" in record.steps[0].error
        assert "shop/api:1" in await resources(our)


async def test_prune_takes_what_was_shown_and_leaves_what_is_used_by_now(clean: RemoteAgent, tmp_path: Path) -> None:
    for number in range(3):
        import_image(clean.server, f"old:{number}", str(number).encode())
    clean.server.docker("volume", "create", "spare")
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        found = (await resources(our)).values()
        rule = PruneRule(images="unused")
        picked = [r for r in prunable(found, rule, our.runtime.fleet.state.servers["alpha"].seen) if "old" in r.name]
        assert {resource.name for resource in picked} == {"old:0", "old:1", "old:2"}
        clean.server.docker("create", "--name", "late", "old:1", "/file")
        operation = ResourceOperation(verb="prune", targets=tuple(target_of("alpha", r) for r in picked))
        record = await act(our, operation)
        assert record.outcome == "success", record
        assert record.steps[0].result == {"removed": "2", "kept": "1"}
        assert {"old:1", "spare"} <= (await resources(our)).keys()


async def test_disk_usage_counts_layers_and_volumes(clean: RemoteAgent, tmp_path: Path) -> None:
    clean.server.docker("run", "--rm", "-v", "full:/data", BUSYBOX, "sh", "-c", "head -c 300000 /dev/zero > /data/x")
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        client = await our.manager.link("alpha").client()
        usage = await client.disk_usage()
        image = (await resources(our))[BUSYBOX]
        assert usage.images > 1_000_000
        volume = next(item for item in usage.items if (item.kind, item.id) == ("volume", "full"))
        assert 300_000 <= volume.freed < 400_000
        assert {item.id for item in usage.items} >= {image.id}


async def test_a_name_that_is_taken_and_one_that_is_none_are_refused(clean: RemoteAgent, tmp_path: Path) -> None:
    clean.server.docker("volume", "create", "data")
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        for name, word in (("data", "already"), ("../etc", "is no name"), ("a b", "is no name")):
            operation = ResourceOperation(verb="create", servers=("alpha",), spec=CreateVolume(name=name))
            record = await act(our, operation)
            assert record.outcome == "failed"
            assert word in record.steps[0].error
        operation = ResourceOperation(verb="pull", servers=("alpha",), spec=PullImage(image="../x?y"))
        record = await act(our, operation)
        assert record.outcome == "failed"
        assert "is no image" in record.steps[0].error
