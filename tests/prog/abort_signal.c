// SPDX-License-Identifier: MIT
// abort()
// EXIT: SIGABRT
#include <stdlib.h>
int main(void)
{
    abort(); // EXPECT: Process terminating with default action of signal 6 (SIGABRT)
}
