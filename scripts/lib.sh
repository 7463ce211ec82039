# Shared by the scripts in this folder: where things are, and a Python environment with the package in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD

# A server that changes users needs its code where other users can read it. A checkout below a private home is not
# such a place: then the environment, with a copy of the package, goes to a public one.
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$top/pyproject.toml" 2>/dev/null; then
  venv=${EXIMIOUS_VENV:-/var/tmp/eximious-$(printf %s "$top" | cksum | cut -d' ' -f1)}
  editable=
else
  venv=${EXIMIOUS_VENV:-$top/.venv}
  editable=-e
fi

say() { printf '\n== %s\n' "$*"; }

# need PACKAGE ... : install the Debian packages that are missing (as root; otherwise say what is missing).
need() {
  local missing=() package
  for package; do dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "missing Debian packages: ${missing[*]} (apt-get install them as root)" >&2
    return 1
  fi
  say "Installing ${missing[*]}"
  without_services install_packages "${missing[@]}"
}

install_packages() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
  # What a package would start at the next boot is for its owner to want: tests start their servers themselves.
  local units
  units=$(dpkg -L "$@" | sed -n 's|^.*/systemd/system/\([^/@]*\.service\)$|\1|p')
  if [ -n "$units" ] && [ -d /run/systemd/system ]; then systemctl --quiet disable $units || true; fi
}

# without_services COMMAND ... : while it runs, no package may start a service (invoke-rc.d(8) asks policy-rc.d).
without_services() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  "$@"
)

# environment EXTRAS : make or bring up to date the virtual environment with the package and these extras.
environment() {
  local python=${PYTHON:-/usr/bin/python3} stamp
  [ -x "$python" ] || python=python3
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
  "$python" -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
  stamp=$venv/.made-from
  if [ -z "$editable" ] || [ ! -e "$stamp" ] || ! printf '%s %s' "$1" "$(cksum <pyproject.toml)" | cmp -s - "$stamp"; then
    say "Preparing the Python environment in $venv"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check $editable ".[$1]"
    printf '%s %s' "$1" "$(cksum <pyproject.toml)" >"$stamp"
  fi
  PATH=$venv/bin:$PATH
  export PATH EXIMIOUS_BIN=$venv/bin
}
