"""Where a new stack can begin."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """One of them; ``{server}`` in its text stands for a server."""

    id: str
    key: str
    help: str
    text: str


_EMPTY = """\
stacks:
  - name: my-stack
    servers: [{server}]
    description: what it is for
    environment: {{HTTP_PORT: "8080"}}
    compose: |
      services:
        web:
          image: "nginx:stable"
          ports: ["${{HTTP_PORT}}:80"]
"""
_APACHE = """\
stacks:
  - name: apache
    servers: [{server}]
    description: one web server
    environment: {{HTTP_PORT: "8080"}}
    compose: |
      services:
        web:
          image: "httpd:2.4"
          restart: unless-stopped
          ports: ["${{HTTP_PORT}}:80"]
"""
_WORDPRESS = """\
stacks:
  - name: wordpress
    servers: [{server}]
    description: WordPress, its MariaDB and phpMyAdmin
    # set both on the Variables & secrets tab (g v) before the first deploy
    environment:
      HTTP_PORT: "8080"
      ADMIN_PORT: "8081"
      DB_PASSWORD: "[[WORDPRESS_DB_PASSWORD]]"
      DB_ROOT_PASSWORD: "[[WORDPRESS_DB_ROOT_PASSWORD]]"
    compose: |
      services:
        db:
          image: "mariadb:11"
          restart: unless-stopped
          environment:
            MARIADB_DATABASE: wordpress
            MARIADB_USER: wordpress
            MARIADB_PASSWORD: "${{DB_PASSWORD}}"
            MARIADB_ROOT_PASSWORD: "${{DB_ROOT_PASSWORD}}"
          volumes: ["db:/var/lib/mysql"]
          healthcheck:
            test: ["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"]
            start_period: 30s
            interval: 5s
            retries: 5
        wordpress:
          image: "wordpress:6"
          restart: unless-stopped
          depends_on: {{db: {{condition: service_healthy}}}}
          ports: ["${{HTTP_PORT}}:80"]
          environment:
            WORDPRESS_DB_HOST: db
            WORDPRESS_DB_USER: wordpress
            WORDPRESS_DB_PASSWORD: "${{DB_PASSWORD}}"
            WORDPRESS_DB_NAME: wordpress
          volumes: ["site:/var/www/html"]
        phpmyadmin:
          image: "phpmyadmin:5"
          restart: unless-stopped
          depends_on: [db]
          ports: ["${{ADMIN_PORT}}:80"]
          environment: {{PMA_HOST: db}}
      volumes:
        db:
        site:
"""
_FOLDER = """\
stacks:
  - name: my-stack
    servers: [{server}]
    # the files are on the server; nothing is ever written there
    folder: /srv/my-stack
    files: [compose.yaml]
    environment: {{}}
"""
_GIT = """\
stacks:
  - name: my-stack
    servers: [{server}]
    # the files are in git; "repo: NAME" instead of url takes one of the Repos tab, with its login
    git:
      url: https://git.example.com/ana/my-stack.git
      branch: main
      folder: deploy
    files: [compose.yaml]
    environment: {{}}
"""

EXAMPLES = (
    Example("empty", "e", "one service to change", _EMPTY),
    Example("folder on the server", "f", "compose files that are there already", _FOLDER),
    Example("git repository", "g", "compose files in git: a branch, or one commit", _GIT),
    Example("apache", "1", "one web server", _APACHE),
    Example("wordpress", "2", "WordPress, MariaDB, phpMyAdmin, two volumes", _WORDPRESS),
)
BY_ID = {example.id: example for example in EXAMPLES}


def example_text(id: str, server: str) -> str:
    """The text of an example for this server."""
    return BY_ID[id].text.format(server=server)
