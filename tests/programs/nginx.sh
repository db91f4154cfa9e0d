#!/bin/sh
# SPDX-License-Identifier: MIT
# nginx with one worker on loopback, asked by curl (and ab where there is one).
port=$((20000 + $$ % 20000))
cat > "$W/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $W/pid; error_log $W/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $W; proxy_temp_path $W; fastcgi_temp_path $W;
  uwsgi_temp_path $W; scgi_temp_path $W;
  server { listen 127.0.0.1:$port; location / { root $I; } } }
CONF
$CHECKER nginx -p "$W" -e "$W/error.log" -c "$W/nginx.conf" &
tries=0
until curl -s "http://127.0.0.1:$port/hello.c" > /dev/null; do
    tries=$((tries + 1))
    [ $tries -gt 300 ] && { echo "no server"; exit 1; }
    sleep 0.1
done
for i in 1 2 3 4 5; do curl -s "http://127.0.0.1:$port/small.txt" | cksum; done
command -v ab > /dev/null && ab -q -n 200 -c 4 "http://127.0.0.1:$port/hello.c" > /dev/null 2>&1 && echo ab
kill -QUIT "$(cat "$W/pid")"
wait
echo ended
