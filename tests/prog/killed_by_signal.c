// SPDX-License-Identifier: MIT
// A program that dies of a signal dies of it under the tool too.
// EXIT: SIGTERM
#include <signal.h>
int main(void)
{
    raise(SIGTERM); // EXPECT: Process terminating with default action of signal 15 (SIGTERM)
    return 0;
}
