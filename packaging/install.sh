#!/bin/sh
# Installs tmux-orc @VERSION@ for this kind of machine: the program, its manual and completions. No root is needed.
#
#   sh install.sh [FOLDER]      below FOLDER, default ~/.local: FOLDER/bin/tmux-orc, FOLDER/share/...
#
# It fetches one archive from $TMUX_ORC_URL (default: @URL@)
# with curl or wget, and checks it against the sum that this file has. To remove: rm -r FOLDER/bin/tmux-orc
# FOLDER/lib/tmux-orc FOLDER/share/tmux-orc FOLDER/share/doc/tmux-orc, and the files named tmux-orc in FOLDER/share.
set -eu

from=${TMUX_ORC_URL:-'@URL@'}
to=${1:-$HOME/.local}
sums='@SUMS@'

stop() {
    echo "install: $*" >&2
    exit 1
}
machine=$(uname -m)
[ "$machine" != arm64 ] || machine=aarch64
case $(uname -s) in
Linux) kind=$machine-unknown-linux-gnu ;;
Darwin) kind=$machine-apple-darwin ;;
*) stop "there is no program for $(uname -s)" ;;
esac
sum=$(echo "$sums" | sed -n "s/^$kind //p")
[ -n "$sum" ] || stop "there is no program for $kind in this release. With Rust: make install, in a checkout"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=tmux-orc-@VERSION@-$kind
echo "install: fetching $from/$name.tar.gz"
if command -v curl >/dev/null 2>&1; then
    curl -fsSL -o "$work/archive" "$from/$name.tar.gz" || stop "it could not be fetched"
elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$work/archive" "$from/$name.tar.gz" || stop "it could not be fetched"
else
    stop "curl or wget is needed"
fi
if command -v sha256sum >/dev/null 2>&1; then
    found=$(sha256sum "$work/archive")
else
    found=$(shasum -a 256 "$work/archive")
fi
[ "${found%% *}" = "$sum" ] || stop "the archive is not the one of this release: its SHA-256 is ${found%% *}, not $sum"
tar -xzf "$work/archive" -C "$work"

# On a machine with an older or another C library the static program that comes with it runs.
program=$work/$name/bin/tmux-orc
if ! "$program" --version >/dev/null 2>&1; then
    static=$work/$name/lib/tmux-orc/$kind/tmux-orc
    "$static" --version >/dev/null 2>&1 || stop "the program does not run here: $("$program" --version 2>&1 | head -n 1)"
    cp "$static" "$program"
fi

mkdir -p "$to/bin" "$to/share"
# A program that runs keeps its file: the new one takes its name.
cp "$program" "$to/bin/.tmux-orc.new"
mv -f "$to/bin/.tmux-orc.new" "$to/bin/tmux-orc"
cp -R "$work/$name/share/." "$to/share/"
if [ -d "$work/$name/lib" ]; then
    mkdir -p "$to/lib"
    cp -R "$work/$name/lib/." "$to/lib/"
fi
echo "install: $("$to/bin/tmux-orc" --version) is $to/bin/tmux-orc"
case :$PATH: in
*":$to/bin:"*) ;;
*) echo "install: $to/bin is not on your PATH: add it, or call it by that name" ;;
esac
command -v tmux >/dev/null 2>&1 || echo "install: tmux is not here: install it too (3.2 or newer)"
