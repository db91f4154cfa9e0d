// SPDX-License-Identifier: MIT
// A signal that comes together with exit_group() does not keep the process from its end, while libc frees what it
// keeps: --chaos=end sends SIGURG there to those that handle it.
// OPTIONS: --chaos=end
// EXIT: 3
// STDOUT: ends
#include <signal.h>
#include <stdio.h>
static void on_signal(int sig) { (void)sig; }
int main(void)
{
    signal(SIGURG, on_signal);
    puts("ends");
    return 3;
}
