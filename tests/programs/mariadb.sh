#!/bin/sh
# SPDX-License-Identifier: MIT
# A MariaDB server: set up natively, then run under the checker and asked through a socket.
rm -rf "$W/mariadb"
mkdir "$W/mariadb" && mariadb-install-db --no-defaults --datadir="$W/mariadb" --user="$(id -un)" \
    --auth-root-authentication-method=normal > /dev/null 2>&1 || exit 1
$CHECKER "$(command -v mariadbd || echo /usr/sbin/mariadbd)" --no-defaults --datadir="$W/mariadb" \
    --user="$(id -un)" --skip-networking --socket="$W/mariadb/s" --pid-file="$W/mariadb/pid" 2> /dev/null &
tries=0
until mariadb --no-defaults -S "$W/mariadb/s" -e 'select 1' > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -gt 600 ] && { echo "no server"; exit 1; }
    sleep 0.1
done
mariadb --no-defaults -S "$W/mariadb/s" -e 'create database d; use d;
    create table t (a int primary key, b varchar(40), key(b)); insert into t select seq, md5(seq) from seq_1_to_5000;
    select count(*), min(b), max(b) from t; select count(*) from t x join t y on x.b = y.b where x.a % 7 = 0;'
mariadb-admin --no-defaults -S "$W/mariadb/s" shutdown
wait
echo ended
