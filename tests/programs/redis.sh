#!/bin/sh
# SPDX-License-Identifier: MIT
# A redis server under the checker ($CHECKER), used by redis-benchmark and redis-cli.
port=$((20000 + $$ % 20000))
$CHECKER redis-server --port $port --save '' --daemonize no --loglevel warning > /dev/null &
server=$!
tries=0
until redis-cli -p $port ping > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -gt 300 ] && { echo "no server"; kill $server; exit 1; }
    sleep 0.1
done
redis-benchmark -p $port -n 2000 -q -t set,get,lpush > /dev/null && echo benchmark
redis-cli -p $port eval "return {1, redis.call('set', 'a', 'b'), redis.call('get', 'a')}" 0
redis-cli -p $port shutdown nosave
wait $server
echo "server ended with $?"
