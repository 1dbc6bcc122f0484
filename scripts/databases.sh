#!/usr/bin/env bash
# Installs the PostgreSQL and the MariaDB that the tests of plugin sql start for
# themselves, where it is asked to by VWMP_INSTALL_DATABASES=yes: .ci/run does.
# Nobody's machine gets a database server by running tests, and where there is
# none these tests are skipped and say so. No server of the system is started.
set -euo pipefail
if [ "${VWMP_INSTALL_DATABASES:-}" != yes ]; then exit 0; fi
shopt -s nullglob
postgres=(/usr/lib/postgresql/*/bin/postgres)
if [ ${#postgres[@]} -gt 0 ] && [ -x /usr/sbin/mariadbd ] && [ -x /usr/bin/my_print_defaults ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: the tests with PostgreSQL and MariaDB are left out"
  exit 0
fi
sudo=
if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
# The package would make a cluster of its own and start it.
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get update -qq
# What makes a folder of MariaDB asks a program of the client.
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends postgresql mariadb-server-core mariadb-client-core >/dev/null
