#!/bin/sh
# tmux plugin: keys that open the dashboard, and that jump to the agent that has waited longest for you.
# By TPM, or by hand: run-shell /path/to/tmux-orc.tmux
#
#   set -g @tmux-orc-popup-key A     # the dashboard in a popup             (prefix + A)
#   set -g @tmux-orc-pane-key  C-a   # the dashboard in a pane at the right (prefix + C-a); off unless set
#   set -g @tmux-orc-next-key  N     # jump to who has waited longest       (prefix + N)
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

popup=$(option @tmux-orc-popup-key A)
pane=$(option @tmux-orc-pane-key "")
next=$(option @tmux-orc-next-key N)

[ -z "$popup" ] || tmux bind-key -N "agents: dashboard" "$popup" display-popup -E -w 90% -h 90% tmux-orc perf watch
[ -z "$pane" ] || tmux bind-key -N "agents: dashboard beside" "$pane" split-window -h -l 45% tmux-orc perf watch
[ -z "$next" ] || tmux bind-key -N "agents: next that waits" "$next" run-shell "tmux-orc next"
exit 0
