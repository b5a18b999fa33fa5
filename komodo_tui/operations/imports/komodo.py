"""Komodo's resource files (TOML) as definitions of ours.

The format is that of Komodo's *Sync Resources* (``client/core/rs/src/entities/toml.rs``): arrays of tables by
kind, each with ``name``, ``description``, ``tags``, ``deploy``, ``after`` and ``config``.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.imports import texts
from komodo_tui.operations.imports.komodo_alerts import alerter_of, maintenance_of
from komodo_tui.operations.imports.komodo_procedures import procedure_of
from komodo_tui.operations.imports.komodo_usual import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_tui.domain.syncs import Plain
    from komodo_tui.operations.imports.found import Imported

Table = dict[str, Any]
_NOT_OURS = {
    "swarm": "swarms are not managed here", "builder": "a build names its server itself, or takes the least loaded",
    "action": "actions are TypeScript: write a procedure with `script` steps", "template": "there are no templates",
    "git_provider": "keep its tokens as secrets, and name them as `token` of repos and stacks",
    "image_registry": "keep its passwords by `komodo-tui registry login`",
    "user_group": "there are no users here: who may do what is up to SSH and the servers",
}  # fmt: skip
_GIT = ("git_provider", "git_https", "git_account", "repo", "branch", "commit", "linked_repo", "clone_path", "reclone")


def read_komodo(text: str, name: str, found: Imported) -> None:
    """Take in one file. Raises UsageError where it is no TOML; all else is a note."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: this is no TOML: {error}") from error
    makers = {
        "server": _server, "variable": _variable, "repo": _repo, "build": _build, "stack": _stack,
        "deployment": _deployment, "procedure": procedure_of, "resource_sync": _sync, "alerter": alerter_of,
    }  # fmt: skip
    for key, tables in document.items():
        kind = key.removesuffix("s") if key.endswith("s") else key
        for table in tables if isinstance(tables, list) else [tables]:
            if not isinstance(table, dict) or not isinstance(table.get("config", {}), dict):
                found.note(kind, f"left out: it is not as Komodo writes it, [[{kind}]] and [{kind}.config]")
                continue
            what = f"{kind} {table.get('name') or table.get('domain', '')}".strip()
            if kind not in makers:
                found.note(what, _NOT_OURS.get(kind, "there is nothing like it here"))
                continue
            try:
                makers[kind](table, what, found)
            except (AttributeError, KeyError, TypeError, ValueError) as error:  # of a form that Komodo has nowhere
                found.note(what, f"left out: something in it is not as Komodo writes it: {error}")
    _redeploys(document, found)


def _tables(value: Any) -> list[Table]:
    """Those of an array that are of use."""
    there = value if isinstance(value, list) else []
    return [one for one in there if isinstance(one, dict) and isinstance(one.get("config", {}), dict)]


def _base(table: Table) -> Plain:
    return {"name": table.get("name", ""), "description": table.get("description", ""), "tags": table.get("tags", [])}


def _config(table: Table) -> Table:
    config: Table = table.get("config", {})
    return config


def _server(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    host = urlsplit(str(config.get("address", ""))).hostname or str(config.get("external_address", ""))
    limits = {
        ours: {"warning": float(config.get(f"{theirs}_warning", warning)),
               "critical": float(config.get(f"{theirs}_critical", critical))}
        for ours, theirs, warning, critical in (
            ("cpu", "cpu", 90, 99), ("memory", "mem", 75, 95), ("disk", "disk", 75, 95)
        )
        if f"{theirs}_warning" in config or f"{theirs}_critical" in config
    }  # fmt: skip
    local = host in ("localhost", "127.0.0.1", "periphery", "host.docker.internal", "")
    how = (
        "this machine, unless you say otherwise" if local else f"check that `ssh {host}` works, with the user you want"
    )
    found.note(what, f"reached by SSH here, not by its periphery: {how}")
    found.add("servers", {**_base(table), "address": "local" if local else host, "alerts": limits})
    if config.get("enabled") is False:
        found.note(what, "it was not enabled there")
    maintenance_of(str(table.get("name", "")), config.get("maintenance_windows", ()), what, found)
    limited = (f"{k}_{level}" for k in ("cpu", "mem", "disk") for level in ("warning", "critical"))
    known = ("address", "external_address", "enabled", "maintenance_windows", *limited)
    found.unmatched(what, config, known, USUAL["server"])


def _variable(table: Table, what: str, found: Imported) -> None:
    if table.get("is_secret"):
        found.note(what, f"a secret: set it by `komodo-tui secret set {table.get('name', '')}`")
        return
    found.add("variables", {"name": table.get("name", ""), "value": str(table.get("value", ""))})


def _url(config: Mapping[str, Any]) -> str:
    repo = str(config.get("repo", ""))
    if not repo:
        return ""
    scheme = "https" if config.get("git_https", True) else "http"
    return f"{scheme}://{config.get('git_provider') or 'github.com'}/{repo}.git"


def _git_account(config: Mapping[str, Any], what: str, found: Imported) -> None:
    if config.get("git_account"):
        found.note(
            what, f"its login was account {config['git_account']}: keep the token as a secret and name it as `token`"
        )


def _repo(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    _git_account(config, what, found)
    found.add("repos", {
        **_base(table), "url": _url(config), "branch": config.get("branch", ""), "commit": config.get("commit", ""),
        "servers": [config["server"]] if config.get("server") else [], "links": config.get("links", []),
        "on_clone": texts.commands(config.get("on_clone")), "on_pull": texts.commands(config.get("on_pull")),
    })  # fmt: skip
    found.unmatched(what, config, (*_GIT, "server", "links", "on_clone", "on_pull", "webhook_enabled"), USUAL["repo"])


def _repo_for(table: Table, what: str, found: Imported) -> str:
    """The name of the repo that a build or a sync reads: the linked one, or one that is made for it."""
    config = _config(table)
    if config.get("linked_repo"):
        return str(config["linked_repo"])
    if not config.get("repo"):
        return ""
    name = f"{table.get('name', '')}-source"
    _git_account(config, what, found)
    found.add("repos", {"name": name, "url": _url(config), "branch": config.get("branch", ""),
                        "commit": config.get("commit", "")})  # fmt: skip
    return name


def _build(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    version = config.get("version", {})
    plain = (".".join(str(version.get(part, 0)) for part in ("major", "minor", "patch"))
             if isinstance(version, dict) and version else str(version or ""))  # fmt: skip
    folder = str(config.get("build_path", "")) if config.get("files_on_host") else ""
    tags = {ours: False for ours, theirs in (("latest", "include_latest_tag"), ("commit", "include_commit_tag"))
            if config.get(theirs) is False}  # fmt: skip
    if config.get("include_version_tags") is False:
        tags |= {"version": False, "minor": False, "major": False}
    found.add("builds", {
        **_base(table), "repo": "" if folder or config.get("dockerfile") else _repo_for(table, what, found),
        "folder": folder, "dockerfile": config.get("dockerfile", ""), "links": config.get("links", []),
        "path": "" if folder else _path(config.get("build_path", "")), "file": config.get("dockerfile_path", ""),
        "build_args": texts.mapping(config.get("build_args")), "labels": texts.mapping(config.get("labels")),
        "secrets": {key: key for key in texts.mapping(config.get("secret_args"))},
        "extra_args": config.get("extra_args", []), "pre_build": texts.commands(config.get("pre_build")),
        "image": config.get("image_name", ""), "version": plain, "image_tags": tags,
        "bump": "none" if config.get("auto_increment_version") is False else "",
        "registries": _registries(config.get("image_registry", [])),
    })  # fmt: skip
    for key in texts.mapping(config.get("secret_args")):
        found.note(what, f"secret argument {key}: set it by `komodo-tui secret set {key}`")
    known = (*_GIT, "version", "image_registry", "build_path", "files_on_host", "dockerfile", "dockerfile_path",
             "links", "build_args", "labels", "secret_args", "extra_args", "pre_build", "image_name", "builder",
             "auto_increment_version", "use_buildx", "include_latest_tag", "include_commit_tag",
             "include_version_tags", "webhook_enabled")  # fmt: skip
    found.unmatched(what, config, known, USUAL["build"])


def _registries(given: Any) -> list[Table]:
    """A list today; once one table with a type and parameters."""
    tables = [given.get("params", given)] if isinstance(given, dict) else given if isinstance(given, list) else []
    kept = ("domain", "organization")
    return [{key: one[key] for key in kept if one.get(key)} for one in tables if one.get("domain")]


def _path(path: Any) -> str:
    text = str(path or "").strip("/")
    return "" if text == "." else text.removeprefix("./")


def _stack(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    folder = str(config.get("run_directory", ""))
    plain: Plain = {
        **_base(table), "servers": [config["server"]] if config.get("server") else [],
        "project": config.get("project_name", ""), "links": config.get("links", []),
        "environment": texts.mapping(config.get("environment")), "after": table.get("after", []),
        "files": config.get("file_paths", []), "ignore_services": config.get("ignore_services", []),
        "extra_args": config.get("extra_args", []), "build": config.get("run_build", False) or None,
        "pull": "always" if config.get("auto_pull", True) else "missing",
        "pre_deploy": texts.commands(config.get("pre_deploy")),
        "post_deploy": texts.commands(config.get("post_deploy")),
        "env_files": [one["path"] if isinstance(one, dict) else one for one in config.get("additional_env_files", [])],
    }  # fmt: skip
    if config.get("files_on_host"):
        plain["folder"] = folder
    elif config.get("linked_repo") or config.get("repo"):
        where = {"repo": config["linked_repo"]} if config.get("linked_repo") else {"url": _url(config)}
        _git_account(config, what, found)
        plain["git"] = {**where, **{key: value for key, value in (
            ("branch", config.get("branch", "")), ("commit", config.get("commit", "")), ("folder", _path(folder)),
        ) if value}}  # fmt: skip
    else:
        plain["compose"] = config.get("file_contents", "")
    found.add("stacks", plain)
    found.note_secrets(what, plain["environment"])
    if config.get("auto_update") or config.get("poll_for_updates"):
        found.note(what, "newer images are marked here; `deploy --update`, or a procedure with a schedule, takes them")
    known = (*_GIT, "server", "project_name", "links", "environment", "file_paths", "ignore_services", "extra_args",
             "run_build", "auto_pull", "pre_deploy", "post_deploy", "additional_env_files", "files_on_host",
             "run_directory", "file_contents", "auto_update", "poll_for_updates", "webhook_enabled")  # fmt: skip
    found.unmatched(what, config, known, USUAL["stack"])


def _deployment(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    image = config.get("image", {})
    params = image.get("params", {}) if isinstance(image, dict) else {}
    named = f"[[build.{params['build']}]]" if params.get("build") else str(params.get("image", image or ""))
    found.add("deployments", {
        **_base(table), "image": named, "servers": [config["server"]] if config.get("server") else [],
        "ports": texts.joined(config.get("ports")), "volumes": texts.joined(config.get("volumes")),
        "environment": texts.mapping(config.get("environment")), "labels": texts.mapping(config.get("labels")),
        "network": config.get("network", ""), "restart": config.get("restart", ""), "links": config.get("links", []),
        "command": str(config.get("command", "")).split(), "after": table.get("after", []),
    })  # fmt: skip
    found.note_secrets(what, texts.mapping(config.get("environment")))
    known = ("image", "server", "ports", "volumes", "environment", "labels", "network", "restart", "links", "command",
             "redeploy_on_build", "poll_for_updates", "auto_update")  # fmt: skip
    found.unmatched(what, config, known, USUAL["deployment"])


def _redeploys(document: Table, found: Imported) -> None:
    """Komodo has it at the deployment; here a build names what is deployed after it."""
    for table in (table for key in ("deployment", "deployments") for table in _tables(document.get(key))):
        config = _config(table)
        params = config["image"].get("params", {}) if isinstance(config.get("image"), dict) else {}
        if not config.get("redeploy_on_build") or not params.get("build"):
            continue
        build = next((b for b in found.definitions.get("builds", []) if b["name"] == params["build"]), None)
        if build is not None:
            build.setdefault("redeploy_on_build", []).append(table.get("name", ""))


def _sync(table: Table, what: str, found: Imported) -> None:
    config = _config(table)
    paths = [_path(path) for path in config.get("resource_path", [])] or [""]
    repo = _repo_for(table, what, found)
    for number, path in enumerate(paths, 1):
        name = table.get("name", "") if len(paths) == 1 else f"{table.get('name', '')}-{number}"
        found.add("syncs", {
            "name": name, "description": table.get("description", ""), "repo": repo,
            "folder": "" if repo else "/etc/komodo/syncs", "path": path.replace(".toml", ".yaml"),
            "tags": config.get("match_tags", []), "delete": config.get("delete", False) or None,
        })  # fmt: skip
    found.note(what, "it reads YAML here: import its TOML files the same way, and commit what comes of it beside them")
    known = (*_GIT, "resource_path", "match_tags", "delete", "managed", "files_on_host", "file_contents",
             "include_resources", "include_variables", "webhook_enabled")  # fmt: skip
    found.unmatched(what, config, known, USUAL["resource_sync"])
