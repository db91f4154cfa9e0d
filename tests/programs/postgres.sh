#!/bin/sh
# SPDX-License-Identifier: MIT
# initdb, a server on a socket of its own and pgbench; as an unprivileged user, since the server
# refuses to be root.  The bin folder of the distribution's newest version is used.
bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | tail -1)
[ -n "$bin" ] && PATH=$bin:$PATH
run() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
data=$(mktemp -d /tmp/gimle-pg.XXXXXX)
[ "$(id -u)" = 0 ] && chown nobody "$data"
cd /tmp
# the unprivileged user cannot write its log into the folder of the test
if [ -n "$CHECKER" ]; then
    CHECKER=$(printf '%s' "$CHECKER" | sed "s,--log-file=[^ ]*,--log-file=$data/log.%p,")
fi
run $CHECKER initdb -D "$data/db" -A trust -U test > /dev/null 2>&1 || { echo "initdb failed"; exit 1; }
run $CHECKER postgres -D "$data/db" -k "$data" -c listen_addresses= > /dev/null 2>&1 &
tries=0
until psql -h "$data" -U test -d postgres -c 'select 1' > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -gt 600 ] && { echo "no server"; exit 1; }
    sleep 0.1
done
pgbench -h "$data" -U test -i -q postgres > /dev/null 2>&1 && echo initialised
pgbench -h "$data" -U test -c 2 -t 20 postgres 2> /dev/null | grep 'transactions actually'
run pg_ctl -D "$data/db" stop -m fast > /dev/null
wait
cp "$data"/log.* "$W" 2> /dev/null
rm -rf "$data"
