"""Two stacks of Debian packages: Apache alone, and WordPress with its MariaDB and phpMyAdmin."""

from __future__ import annotations

from typing import Any

IMAGE = "debian-web"
"""What :mod:`tests.rig.debian` makes; each service runs another program of it."""


def _healthy(path: str = "") -> str:
    """A check of a web server; a path that sends nobody elsewhere."""
    return f"""
    healthcheck:
      test: [CMD, php, -r, "exit(@file_get_contents('http://127.0.0.1/{path}') === false ? 1 : 0);"]
      interval: 1s
      start_period: 60s
      retries: 3
"""


APACHE = f"""\
services:
  web:
    image: {IMAGE}
    init: true
    stop_grace_period: 1s
    command: [apachectl, -D, FOREGROUND]
    ports: ["${{HTTP_PORT}}:80"]{_healthy()}"""

WORDPRESS = f"""\
x-web: &web
  image: {IMAGE}
  init: true
  stop_grace_period: 1s
  command: [apachectl, -D, FOREGROUND]
services:
  db:
    image: {IMAGE}
    stop_grace_period: 5s
    command: [sh, /db.sh]
    environment: {{DB_PASSWORD: "[[DB_PASSWORD]]"}}
    volumes: ["db:/var/lib/mysql", "./db.sh:/db.sh:ro"]
    healthcheck: {{test: [CMD, mariadb-admin, ping], interval: 1s, start_period: 60s, retries: 3}}
  wordpress:
    <<: *web
    depends_on: {{db: {{condition: service_healthy}}}}
    environment: {{DB_PASSWORD: "[[DB_PASSWORD]]"}}
    ports: ["${{HTTP_PORT}}:80"]
    volumes:
      - "./wordpress.conf:/etc/apache2/sites-enabled/000-default.conf:ro"
      - "./wordpress.php:/etc/wordpress/config-default.php:ro"{_healthy("wp-login.php")}
  phpmyadmin:
    <<: *web
    depends_on: [db]
    ports: ["${{ADMIN_PORT}}:80"]
    volumes:
      - "./phpmyadmin.conf:/etc/apache2/sites-enabled/000-default.conf:ro"
      - "./phpmyadmin.php:/etc/phpmyadmin/conf.d/host.php:ro"{_healthy()}
volumes: {{db: {{}}}}
"""

_DATABASE = """\
set -e
mkdir -p /run/mysqld
chown mysql /run/mysqld
test -d /var/lib/mysql/mysql || mariadb-install-db --user=mysql --skip-test-db > /dev/null
cat > /run/mysqld/init.sql <<END
CREATE DATABASE IF NOT EXISTS wordpress;
CREATE USER IF NOT EXISTS wordpress@'%' IDENTIFIED BY '$DB_PASSWORD';
GRANT ALL ON wordpress.* TO wordpress@'%';
END
exec mariadbd --user=mysql --bind-address=0.0.0.0 --innodb-log-file-size=8M --init-file=/run/mysqld/init.sql
"""
_CONFIGURATION = """\
<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', getenv('DB_PASSWORD'));
define('DB_HOST', 'db');
define('WP_HTTP_BLOCK_EXTERNAL', true);
"""
_ADMIN = "<?php $cfg['Servers'][1]['host'] = 'db';\n"


def attached() -> dict[str, str]:
    """The files beside WordPress' compose file."""
    return {
        "db.sh": _DATABASE,
        "wordpress.conf": _virtual_host("/usr/share/wordpress"),
        "wordpress.php": _CONFIGURATION,
        "phpmyadmin.conf": _virtual_host("/usr/share/phpmyadmin"),
        "phpmyadmin.php": _ADMIN,
    }


def stacks(servers: list[str], **changes: Any) -> list[dict[str, Any]]:
    """Both stacks as a fleet file has them; ``changes`` are of WordPress."""
    health = {"window": 90, "steady": 1}
    return [
        {"name": "apache", "servers": servers, "environment": {"HTTP_PORT": "8080"}, "compose": APACHE,
         "health": health},
        {"name": "blog", "servers": servers, "environment": {"HTTP_PORT": "8081", "ADMIN_PORT": "8082"},
         "compose": WORDPRESS, "attached": attached(), "health": health, **changes},
    ]  # fmt: skip


def _virtual_host(root: str) -> str:
    inside = f"DocumentRoot {root}\n<Directory {root}>\nRequire all granted\n</Directory>"
    return f"<VirtualHost *:80>\n{inside}\n</VirtualHost>\n"
