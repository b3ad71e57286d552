#!/bin/sh
# Makes the image that the page opens with: sample.sh OUTPUT, with the ocicle command in $OCICLE_BIN.
# The same bytes every time: no clock, no owner, no umask gets into it.
set -eu

case $1 in /*) output=$1 ;; *) output=$PWD/$1 ;; esac
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=$work/store

ocicle() {
    "$OCICLE_BIN" --quiet --progress none "$@" >/dev/null
}

# SEED LENGTH: as a program begins, and then as if it went on.
program() {
    printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
    noise "$1" "$2"
}

# SEED LENGTH: letters that compress badly, as those of a program do.
noise() {
    awk -v s="$1" -v n="$2" 'BEGIN {
        letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"
        for (i = 1; i <= n; i++) {
            s = (s * 16807) % 2147483647
            printf "%s", substr(letters, int(s / 33554432) + 1, 1)
            if (i % 76 == 0) printf "\n"
        }
    }'
}

# DIRECTORY: modes and times are ours, not those of this machine.
settle() {
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -exec chmod 644 {} +
    find "$1" -type f \( -path '*/bin/*' -o -name '*.sh' \) -exec chmod 755 {} +
    find "$1" -exec touch -h -d @1699900000 {} +
}

# TAG DIRECTORY COMMAND: a layer that puts the directory over the root.
layer() {
    settle "$2"
    ocicle insert "$store#$1" "$2" / --history-created-by "$3" --uid-map "0:$(id -u):1" --gid-map "0:$(id -g):1"
}

picture() {
    printf '\211\120\116\107\015\012\032\012\000\000\000\015\111\110\104\122\000\000\000\030\000\000\000\030\002\003\000\000'
    printf '\000\235\031\325\153\000\000\000\014\120\114\124\105\013\141\160\154\305\317\372\372\370\340\263\134\140\244\367'
    printf '\266\000\000\000\130\111\104\101\124\170\332\155\313\261\015\300\040\020\103\321\237\202\021\330\207\021\050\060'
    printf '\005\043\260\027\005\244\310\136\031\042\004\021\072\142\311\172\205\357\150\063\354\074\223\263\117\256\176\357'
    printf '\254\155\135\176\177\065\115\112\034\344\046\345\106\252\122\252\304\042\305\202\274\225\074\162\106\162\004\016'
    printf '\005\360\140\107\035\230\321\277\274\023\346\103\327\134\101\066\260\000\000\000\000\111\105\116\104\256\102\140'
    printf '\202'
}

# NAME SEED: what a distribution brings.
base() {
    mkdir -p "$work/base/etc/ssl" "$work/base/usr/bin" "$work/base/usr/lib" "$work/base/usr/share/zoneinfo/Europe" "$work/base/tmp" \
        "$work/base/usr/share/doc/base" "$work/base/var/log"
    cd "$work/base"
    printf 'PRETTY_NAME="Harbour Linux 3 (sample)"\nNAME="Harbour Linux"\nID=harbour\nVERSION_ID="3"\n' >etc/os-release
    printf 'root:x:0:0:root:/root:/bin/sh\ntide:x:1000:1000:Tide tables:/app:/usr/sbin/nologin\n' >etc/passwd
    printf 'root:x:0:\ntide:x:1000:\n' >etc/group
    printf 'Welcome to %s.\nThis image is made up, but its layers are real.\n' "$1" >etc/motd
    printf '127.0.0.1 localhost\n::1 localhost\n' >etc/hosts
    noise 11 5200 >etc/ssl/cert.pem
    program "$2" 14000 >usr/bin/busybox
    for name in cat cp ls mv rm sh; do ln -sf busybox usr/bin/$name; done
    ln -sf usr/bin bin
    program 23 9000 >usr/lib/libc.so.6
    program 29 4100 >usr/lib/libssl.so.3
    ln -sf libssl.so.3 usr/lib/libssl.so
    for city in Amsterdam Berlin Lisbon Oslo Rome; do noise 31 420 >usr/share/zoneinfo/Europe/$city; done
    printf 'Free to copy, as it is made up.\n' >usr/share/doc/base/copyright
    : >var/log/lastlog
}

# What installing a package leaves behind: the package, and what it was unpacked from.
packages() {
    mkdir -p "$work/packages/usr/bin" "$work/packages/usr/lib/tide" "$work/packages/var/cache/packages" "$work/packages/etc"
    cd "$work/packages"
    program 41 7000 >usr/bin/tided
    program 43 3000 >usr/lib/tide/harmonics.dat
    noise 47 11000 >var/cache/packages/tided_3.1.pkg
    noise 53 2600 >var/cache/packages/index
    printf '[tide]\nport = 8080\nunits = "metric"\n' >etc/tide.conf
}

# VERSION GREETING: the application.
app() {
    mkdir -p "$work/app-$1/app/static" "$work/app-$1/app/data" "$work/app-$1/etc"
    cd "$work/app-$1"
    cat >app/server.sh <<'END'
#!/bin/sh
# Answers with the next high water.
. /etc/tide.conf.sh
while read -r harbour; do
    awk -F, -v h="$harbour" '$1 == h { print $2, $3 " m" }' /app/data/tides.csv
done
END
    printf '%s\n' "$2" >app/VERSION
    awk 'BEGIN {
        print "harbour,time,height"
        split("Lisbon Brest Oban Bergen Cuxhaven", name, " ")
        for (day = 1; day <= 28; day++) for (i = 1; i <= 5; i++)
            printf "%s,2023-11-%02d %02d:%02d,%.1f\n", name[i], day, (day * 50 / 60 + i * 2) % 24, (day * 50) % 60, 2 + i / 3 + (day % 14) / 10
    }' >app/data/tides.csv
    cat >app/static/index.html <<END
<!doctype html>
<title>Tides</title>
<img src="logo.svg" alt="">
<h1>High water, $2</h1>
END
    cat >app/static/logo.svg <<'END'
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 72" width="360" height="216">
  <rect width="120" height="72" rx="8" fill="#e3f0f1"/>
  <circle cx="88" cy="22" r="10" fill="#e0b35c"/>
  <path d="M0 44c15-8 25-8 40 0s25 8 40 0 25-8 40 0v28H0z" fill="#6cc5cf"/>
  <path d="M0 56c15-8 25-8 40 0s25 8 40 0 25-8 40 0v16H0z" fill="#0b6170"/>
</svg>
END
    picture >app/static/icon.png
    printf '[tide]\nport = 8080\nunits = "metric"\nharbours = 5\n# %s\n' "$2" >etc/tide.conf
}

# ARCHITECTURE SEED
build() {
    image=v1-$1
    rm -rf "$work/base" "$work/packages" "$work/app-1" "$work/mode"
    base "Harbour Linux on $1" "$2"
    packages
    app 1 1.0.0
    ocicle new "$store#$image" --platform "linux/$1"
    layer "$image" "$work/base" '/bin/sh -c #(nop) ADD file:harbour-3-rootfs.tar.xz in / '
    layer "$image" "$work/packages" '/bin/sh -c pkg update && pkg install tided'
    layer "$image" "$work/app-1" 'COPY . / # buildkit'
    mkdir -p "$work/mode/usr/bin"
    cp "$work/packages/usr/bin/tided" "$work/mode/usr/bin/tided"
    settle "$work/mode"
    chmod 4755 "$work/mode/usr/bin/tided"
    touch -d @1699900000 "$work/mode/usr/bin/tided"
    ocicle insert "$store#$image" "$work/mode" / --history-created-by 'RUN chmod u+s /usr/bin/tided' \
        --uid-map "0:$(id -u):1" --gid-map "0:$(id -g):1"
    ocicle insert "$store#$image" --whiteout /var/cache/packages --history-created-by 'RUN rm -rf /var/cache/packages'
    ocicle config "$store#$image" --env PATH=/usr/bin:/bin --env LANG=C.UTF-8 --env TIDE_UNITS=metric --workdir /app --user tide \
        --entrypoint /app/server.sh --cmd --verbose --port 8080/tcp --volume /app/data --stop-signal SIGTERM \
        --label org.opencontainers.image.title='Tide tables' --label org.opencontainers.image.version=1.0.0 \
        --label org.opencontainers.image.licenses=CC0-1.0 --author 'The ocicle contributors' --created 2023-11-14T00:00:00Z \
        --history-created-by 'ENTRYPOINT ["/app/server.sh"]'
}

# The second version: a changed application, a file more, a file less.
next() {
    image=v2-$1
    rm -rf "$work/app-2"
    app 2 2.0.0
    cd "$work/app-2"
    printf '\n# Metres or feet.\ncase ${TIDE_UNITS-} in feet) factor=3.28 ;; *) factor=1 ;; esac\n' >>app/server.sh
    printf 'harbour,latitude,longitude\nLisbon,38.70,-9.16\nBrest,48.38,-4.49\n' >app/data/harbours.csv
    rm etc/tide.conf
    layer "v2-$1" "$work/app-2" 'COPY . / # buildkit'
    ocicle insert "$store#$image" --whiteout /etc/motd --history-created-by 'RUN rm /etc/motd'
    ocicle config "$store#$image" --env TIDE_UNITS=feet --label org.opencontainers.image.version=2.0.0 --created 2023-11-14T12:00:00Z \
        --history-created-by 'ENV TIDE_UNITS=feet'
}

ocicle init "$store"
for machine in 'amd64 61' 'arm64 67'; do
    build $machine
    ocicle tag "$store#v1-${machine% *}" "v2-${machine% *}"
    next "${machine% *}"
done

printf '{"spdxVersion":"SPDX-2.3","name":"tide","packages":[{"name":"tided","versionInfo":"3.1"}]}\n' >"$work/sbom.json"
cat >"$work/tree.toml" <<'END'
[[root]]
tag = "v1"
[[root.index.manifests]]
from = "#v1-amd64"
[[root.index.manifests]]
from = "#v1-arm64"

# The release has an index in an index, and a bill of materials beside it.
[[root]]
tag = "v2"
[[root.index.manifests]]
name = "images"
[[root.index.manifests.index.manifests]]
from = "#v2-amd64"
[[root.index.manifests.index.manifests]]
from = "#v2-arm64"
[[root.index.manifests]]
[root.index.manifests.manifest]
artifact_type = "application/spdx+json"
subject = "@images"
[[root.index.manifests.manifest.layers]]
media_type = "application/spdx+json"
blob = { file = "sbom.json" }
END
ocicle tree apply "$work/tree.toml" "$store"
for tag in v1-amd64 v1-arm64 v2-amd64 v2-arm64; do ocicle rm "$store#$tag"; done
rm -f "$output"
ocicle copy "$store" "oci-archive:$output"
