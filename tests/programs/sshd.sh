#!/bin/sh
# SPDX-License-Identifier: MIT
# An SSH server with its sandbox (seccomp, limits of zero), which runs a command for a client.
port=$((20000 + $$ % 20000))
rm -f "$W/host" "$W/user" "$W/host.pub" "$W/user.pub"
ssh-keygen -q -t ed25519 -N '' -f "$W/host" && ssh-keygen -q -t ed25519 -N '' -f "$W/user" || exit 1
mkdir -p /run/sshd 2> /dev/null
cat > "$W/sshd.conf" <<CONF
Port $port
ListenAddress 127.0.0.1
HostKey $W/host
AuthorizedKeysFile $W/user.pub
StrictModes no
UsePAM no
PidFile $W/sshd.pid
PermitRootLogin yes
CONF
$CHECKER "$(command -v sshd || echo /usr/sbin/sshd)" -D -r -f "$W/sshd.conf" 2> /dev/null &
tries=0
until ssh -F none -p $port -i "$W/user" -o BatchMode=yes -o StrictHostKeyChecking=no \
          -o UserKnownHostsFile=/dev/null 127.0.0.1 'echo from the shell; cksum' < "$I/small.txt" 2> /dev/null; do
    tries=$((tries + 1))
    [ $tries -gt 100 ] && { echo "no server"; exit 1; }
    sleep 0.3
done
kill "$(cat "$W/sshd.pid")"
wait
echo ended
