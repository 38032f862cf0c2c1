# System packages: what is missing, and bringing it by apt when this user may. Source it after common.sh.
# shellcheck shell=bash

# library:Debian package that brings it. What the Qt wheels link against and do not carry (ldd over the wheels).
QT_LIBRARIES="
libEGL.so.1:libegl1
libGL.so.1:libgl1
libGLX.so.0:libglx0
libglib-2.0.so.0:libglib2.0-0
libdbus-1.so.3:libdbus-1-3
libfontconfig.so.1:libfontconfig1
libfreetype.so.6:libfreetype6
libpulse.so.0:libpulse0
libdrm.so.2:libdrm2
libX11.so.6:libx11-6
libX11-xcb.so.1:libx11-xcb1
libXext.so.6:libxext6
libXrandr.so.2:libxrandr2
libxcb.so.1:libxcb1
libxcb-cursor.so.0:libxcb-cursor0
libxcb-glx.so.0:libxcb-glx0
libxcb-icccm.so.4:libxcb-icccm4
libxcb-image.so.0:libxcb-image0
libxcb-keysyms.so.1:libxcb-keysyms1
libxcb-randr.so.0:libxcb-randr0
libxcb-render.so.0:libxcb-render0
libxcb-render-util.so.0:libxcb-render-util0
libxcb-shape.so.0:libxcb-shape0
libxcb-shm.so.0:libxcb-shm0
libxcb-sync.so.1:libxcb-sync1
libxcb-util.so.1:libxcb-util1
libxcb-xfixes.so.0:libxcb-xfixes0
libxcb-xkb.so.1:libxcb-xkb1
libxkbcommon.so.0:libxkbcommon0
libxkbcommon-x11.so.0:libxkbcommon-x11-0
"

# command:Debian package. What tests and peers need (--dev).
ENGINES="ffmpeg:ffmpeg ffprobe:ffmpeg mpv:mpv chromium:chromium Xvfb:xvfb xdotool:xdotool node:nodejs npm:npm
cvlc:vlc-bin cvlc:vlc-plugin-base gst-play-1.0:gstreamer1.0-plugins-base-apps gst-play-1.0:gstreamer1.0-plugins-good
gst-play-1.0:gstreamer1.0-plugins-bad gst-play-1.0:gstreamer1.0-libav
cvlc:vlc-plugin-video-output gst-play-1.0:gstreamer1.0-x"

# Print the Debian packages whose libraries the dynamic linker does not know. Nothing off Linux.
missing_libraries() {
    local known entry ldconfig
    [ "$(uname -s)" = Linux ] || return 0
    ldconfig=$(PATH="$PATH:/sbin:/usr/sbin" command -v ldconfig) || return 0
    known=$("$ldconfig" -p 2>/dev/null) || return 0
    for entry in $QT_LIBRARIES; do
        case $known in
        *"${entry%%:*} "*) ;;
        *) printf '%s\n' "${entry#*:}" ;;
        esac
    done
}

# Print the Debian packages whose commands are not on the PATH.
missing_engines() {
    local entry
    for entry in $ENGINES; do
        command -v "${entry%%:*}" >/dev/null 2>&1 || printf '%s\n' "${entry#*:}"
    done | sort -u
}

# Whether we may install system packages here without asking anybody.
may_use_apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# system_packages PURPOSE PACKAGE...: bring them, or say what is missing and return 1.
system_packages() {
    local purpose=$1
    shift
    if may_use_apt; then
        run_step "package lists" as_root apt-get update -q || true
        if run_step "$# system packages for $purpose: $*" apt_install "$@"; then
            return 0
        fi
    fi
    say "  ! $purpose: these system packages are missing and could not be installed from here: $*"
    if command -v apt-get >/dev/null 2>&1; then
        say "    as root: apt-get install $*"
    else
        say "    (their Debian names; install your system's equivalents)"
    fi
    return 1
}
