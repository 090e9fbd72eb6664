#!/bin/sh
# tmux plugin: the same keys that `tmux-orc tmux bindings` prints, to be changed by options.
# By TPM, or by hand: run-shell /path/to/tmux-orc.tmux
#
#   set -g @tmux-orc-popup-key   a     # the dashboard in a popup                   (prefix + a)
#   set -g @tmux-orc-jump-key    g     # a list to pick an agent from, in a popup   (prefix + g)
#   set -g @tmux-orc-next-key    A     # jump to who has waited longest for you     (prefix + A)
#   set -g @tmux-orc-sidebar-key M-a   # the dashboard beside the window, on or off (prefix + M-a)
#
# An empty value leaves the key alone.

option() {
    # `-gqv` prints nothing both for unset and for empty: ask which one it is.
    if tmux show-options -gq "$1" | grep -q .; then
        tmux show-options -gqv "$1"
    else
        printf '%s' "$2"
    fi
}

if ! command -v tmux-orc >/dev/null 2>&1; then
    tmux display-message "tmux-orc is not on tmux's PATH: install it, then reload this plugin"
    exit 0
fi

popup=$(option @tmux-orc-popup-key a)
jump=$(option @tmux-orc-jump-key g)
next=$(option @tmux-orc-next-key A)
sidebar=$(option @tmux-orc-sidebar-key M-a)

[ -z "$popup" ] || tmux bind-key -N "agents: dashboard" "$popup" \
    display-popup -E -w 90% -h 85% "tmux-orc perf watch --exit-on-jump"
[ -z "$jump" ] || tmux bind-key -N "agents: pick one" "$jump" \
    display-popup -E -w 80% -h 75% "tmux-orc jump"
[ -z "$next" ] || tmux bind-key -N "agents: next that waits" "$next" \
    run-shell -b "tmux-orc next --client '#{client_name}' --message"
[ -z "$sidebar" ] || tmux bind-key -N "agents: side pane" "$sidebar" \
    run-shell -b "tmux-orc sidebar --toggle --pane '#{pane_id}'"
exit 0
