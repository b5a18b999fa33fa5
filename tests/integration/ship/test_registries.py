"""Pushing to a real registry, with and without a password, and a registry of one's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.registry import RegistryLook
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.registries import RegistryImage, RegistryOperation, own_registries
from komodo_tui.domain.values import ValueOperation
from komodo_tui.operations.push_plans import prepare_push
from komodo_tui.operations.values import Login
from komodo_tui.store.secrets import Secret
from tests.integration.resources.lab import act
from tests.integration.ship.lab import load_image
from tests.rig.registry import load_image as load_registry
from tests.rig.registry import registry

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_agent.wire.registry import RegistryContent
    from tests.integration.ship.lab import Pair
    from tests.integration.ssh.lab import Fleet

pytestmark = pytest.mark.rig
PASSWORD = "correct-horse-battery"


async def keep_login(our: Fleet, address: str, password: str = PASSWORD) -> None:
    """Keep a login, as ``registry login`` does."""
    login = msgspec.json.encode(Login(username="ana", password=password)).decode()
    token = our.runtime.values.hand_in(Secret(login))
    await act(our, ValueOperation(verb="set", kind="registry", name=address, token=token))


async def test_push_to_two_registries_one_of_them_with_a_password(pair: Pair, tmp_path: Path) -> None:
    server = pair.alpha.server
    image = load_image(server, "shop/api:1", ("one", 100_000), ("two", 200_000))
    (tmp_path / "open").mkdir()
    with (
        registry(server, tmp_path, 5001, f"ana:{PASSWORD}") as guarded,
        registry(server, tmp_path / "open", 5002) as free,
    ):
        async with pair.fleet() as our:
            operation = await prepare_push(our.manager, "shop/api:1", [f"{guarded}/team", free])
            assert operation.references == (f"{guarded}/team/shop/api:1", f"{free}/shop/api:1")
            record = await act(our, operation)
            refused, pushed = record.steps
            assert (record.outcome, refused.ok, pushed.ok) == ("failed", False, True)
            assert "no basic auth credentials" in refused.error
            assert "registry login" in refused.error
            assert pushed.result["digest"].startswith("sha256:")
            assert "docker push" in pushed.commands[-1]
            # The name made for a push that failed is gone again.
            assert f"{guarded}/team" not in server.docker("image", "ls", "--format", "{{.Repository}}")

            await keep_login(our, guarded, "wrong")
            record = await act(our, operation)
            assert not record.steps[0].ok
            assert PASSWORD not in str(record)
            await keep_login(our, guarded)
            record = await act(our, operation)
            assert record.outcome == "success", record
            server.docker("image", "rm", f"{guarded}/team/shop/api:1", f"{free}/shop/api:1", "shop/api:1")
            server.docker("pull", f"{free}/shop/api:1")
            assert server.docker("image", "inspect", "-f", "{{.Id}}", f"{free}/shop/api:1").strip() == image
    for folder in (pair.home, server.run_dir / "agent-state"):
        for path in folder.rglob("*"):
            assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


async def test_names_that_cannot_be_pushed(pair: Pair) -> None:
    load_image(pair.alpha.server, "shop/api:1", ("one", 1000))
    async with pair.fleet() as our:
        with pytest.raises(NotFoundError):
            await prepare_push(our.manager, "shop/none:1", ["127.0.0.1:5000"])
        for bad in ("-x", "http://127.0.0.1:5000", "a b", "HOST/../x"):
            with pytest.raises(UsageError):
                await prepare_push(our.manager, "shop/api:1", [bad])
        nobody = await act(our, await prepare_push(our.manager, "shop/api:1", ["127.0.0.1:5999"]))
        assert "connection refused" in nobody.steps[0].error


async def test_a_registry_of_ones_own(pair: Pair) -> None:
    server, address = pair.alpha.server, "127.0.0.1:5007"
    load_registry(server.docker_host)
    load_image(server, "shop/api:1", ("one", 500_000))
    start = RegistryOperation(verb="start", server="alpha", address=address, port=5007)
    async with pair.fleet() as our:
        with pytest.raises(RefusedError, match="open to whoever reaches it"):
            our.runtime.executor.plan(msgspec.structs.replace(start, listen="0.0.0.0", guarded=False))
        with pytest.raises(NotFoundError, match="no login is kept"):
            await act(our, start)
        await keep_login(our, address)
        record = await act(our, start)
        assert record.outcome == "success", record
        container = await our.container("alpha", "komodo-registry")
        assert [one.id for one in own_registries(our.live("alpha").containers.values())] == [container.id]

        async def look() -> RegistryContent:
            auth = await asyncio.to_thread(our.runtime.values.registry_auth, f"{address}/x")
            client = await our.manager.link("alpha").client()
            return await client.registry_content(RegistryLook(container=container.id, registry_auth=auth))

        assert (await look()).repositories == ()
        pushed = await act(our, await prepare_push(our.manager, "shop/api:1", [address]))
        assert pushed.outcome == "success", pushed
        (repository,) = (await look()).repositories
        (tag,) = repository.tags
        assert (repository.name, tag.tag, tag.digest) == ("shop/api", "1", pushed.steps[0].result["digest"])
        assert tag.size > 400_000

        image = RegistryImage(repository="shop/api", digest=tag.digest, tags=("1",), size=tag.size)
        collect = msgspec.structs.replace(start, verb="collect", container=container.id)
        delete = msgspec.structs.replace(collect, verb="delete", images=(image,))
        assert (await act(our, delete)).outcome == "success"
        assert (await look()).repositories[0].tags == ()
        collected = await act(our, collect)
        assert collected.outcome == "success", collected
        assert "blob eligible for deletion" in collected.steps[0].output
        client = await our.manager.link("alpha").client()
        wrong = RegistryLook(container=(await our.container("alpha", "komodo-registry")).id, registry_auth="")
        with pytest.raises(RefusedError, match="wants another login"):
            await client.registry_content(wrong)
