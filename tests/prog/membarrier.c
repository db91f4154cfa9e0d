// SPDX-License-Identifier: MIT
// membarrier: what is offered can be done; restartable sequences are not, nor are barriers for them.
// STDOUT: private: 0 0, restartable sequences: offered 0, EINVAL 1
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static long barrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }
int main(void)
{
    long offered = barrier(MEMBARRIER_CMD_QUERY);
    printf("private: %ld ", barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
    printf("%ld, restartable sequences: ", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
    long r = barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ);
    printf("offered %d, EINVAL %d\n", (offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) != 0,
           r < 0 && errno == EINVAL);
    return 0;
}
