#!/bin/sh
# Installs the servers that some tests start for themselves, where this user may install Debian packages.
# Without them those tests are skipped, and this says so; with POS_REQUIRE_ALL set, that is a failure.
set -eu

PATH=$PATH:/usr/sbin     # Debian keeps the broker there, outside an ordinary user's PATH

missing() {
    command -v mosquitto >/dev/null || printf 'mosquitto '
    command -v mosquitto_sub >/dev/null || printf 'mosquitto-clients '
}

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

if [ -n "$(missing)" ] && may_install; then
    echo "Installing: $(missing)"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2046  # one word for each package
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $(missing); } >/dev/null || true
fi

[ -z "$(missing)" ] && exit 0

cat >&2 <<TEXT
******************************************************************************
  NOT INSTALLED: $(missing)
  The tests against a real MQTT broker CANNOT RUN here. On Debian, as root:
      apt-get install $(missing)
******************************************************************************
TEXT
[ -z "${POS_REQUIRE_ALL:-}" ]
