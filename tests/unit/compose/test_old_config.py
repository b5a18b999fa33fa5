"""What compose 1 prints as YAML is read as a YAML parser would, for plain values in its own style."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.compose.model import parse_model
from komodo_agent.compose.old_config import read_old

KEYS = st.text(alphabet="abcxyz_.", max_size=6).map(lambda text: f"k{text}")
PLAIN = st.one_of(st.text(alphabet="abcxyz/.0 -", max_size=8).map(lambda text: f"v{text}x"), st.booleans(), st.none())
TREES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(st.one_of(PLAIN, st.dictionaries(KEYS, PLAIN, min_size=1, max_size=3)), max_size=3),
    ),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_as_a_yaml_parser_would(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, default_flow_style=False, indent=2, width=80)
    assert read_old(text if document else "") == json.loads(json.dumps(yaml.safe_load(text)))


@given(st.text(max_size=200))
def test_any_text_is_read_without_failing(text: str) -> None:
    assert isinstance(read_old(text), dict)


def test_short_forms_mean_what_they_say() -> None:
    text = """\
services:
  web:
    environment:
      LONG: a value that goes on and on so that the program folds it into a second line
        which is no key: it only looks so
    image: busybox
    ports:
    - 127.0.0.1:9000:80/udp
    - published: 8080
      target: 80
    volumes:
    - data:/data:rw
    - /srv:/srv:ro
volumes:
  data: {}
"""
    model = parse_model(text, "shop", old=True)
    web = model.services["web"]
    assert [(p.port, p.protocol, p.ip) for p in web.ports] == [(9000, "udp", "127.0.0.1"), (8080, "tcp", "")]
    assert (web.image, web.binds, web.volumes, web.replicas) == ("busybox", ("/srv",), ("data",), 1)
    assert model.volumes == {"data": "shop_data"}
