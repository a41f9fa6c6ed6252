#!/bin/sh
# Install Debian packages: scripts/debian-packages.sh PACKAGE...
# Needs root, or sudo without a password; without them it says what to install.
set -eu

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 ||
    fail "These programs are needed and cannot be installed from here: $*. Please install them and try again."
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root=sudo
else
    fail "These Debian packages are needed: $*. Please run: sudo apt-get install $*"
fi

apt() {
    # shellcheck disable=SC2086  # empty where this is root already
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 "$@"
}

known() {
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}

update() {
    echo "Fetching the lists of Debian packages (apt-get update)."
    apt update
}

known "$@" || update
echo "Installing the Debian packages $* (apt-get install)."
# Lists may be so old that they name files which are gone.
apt install --no-install-recommends "$@" || { update && apt install --no-install-recommends "$@"; } ||
    fail "These Debian packages could not be installed: $*. What apt-get said is above."
