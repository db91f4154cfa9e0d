// SPDX-License-Identifier: MIT
// execve() from a thread that is not the first.
// LDFLAGS: -pthread
// STDOUT: from exec
#include <pthread.h>
#include <unistd.h>
static void *work(void *arg)
{
    execl("/bin/echo", "echo", "from exec", (char *)0);
    return 0;
}
int main(void)
{
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    pthread_join(t, 0);
    return 1;
}
