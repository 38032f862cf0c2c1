# Shared by the scripts beside this folder: where things are, and how to tell what goes on.
# Portable bash (3.2 and later). Source it; it runs nothing by itself.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV="$ROOT/.venv"

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Print the comment block at the top of a script: its help.
usage_of() { sed -n '2,/^$/{s/^# \{0,1\}//;p;}' "$1"; }

# run_step LABEL COMMAND...: run it with its output in a log, show that it is alive, and show the log's end if it fails.
run_step() {
    local label=$1 log started=$SECONDS pid status=0
    shift
    log=$(mktemp "${TMPDIR:-/tmp}/cushion.XXXXXX")
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    # shellcheck disable=SC2064 # the pid of now is meant
    trap "kill $pid 2>/dev/null; rm -f '$log'; exit 130" INT TERM
    if [ -t 1 ]; then
        while kill -0 "$pid" 2>/dev/null; do
            printf '\r  … %s  %s s ' "$label" "$((SECONDS - started))"
            sleep 1
        done
        printf '\r\033[K'
    else
        say "  … $label"
    fi
    wait "$pid" || status=$?
    trap - INT TERM
    if [ "$status" -ne 0 ]; then
        say "  ✗ $label: failed after $((SECONDS - started)) s; the end of its output:" >&2
        tail -n 25 "$log" | sed 's/^/    /' >&2
        rm -f "$log"
        return "$status"
    fi
    rm -f "$log"
    say "  ✓ $label ($((SECONDS - started)) s)"
}
