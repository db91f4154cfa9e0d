// SPDX-License-Identifier: MIT
// Options that the program changes while it runs.
// OPTIONS: --leak-check=full
// LINE: Handling new value --leak-check=no for option --leak-check=no
// LINE: Handling new value --trace-children=yes for option --trace-children
// LINE: Cannot change --num-callers option dynamically
// LINE: Ignoring dynamic change to unrecognised option --nonsense
// LINE: For a detailed leak analysis, rerun with: --leak-check=full
#include <stdlib.h>
#include "../../include/gimle/client.h"
int main(void)
{
    VALGRIND_CLO_CHANGE("--trace-children=yes");
    VALGRIND_CLO_CHANGE("--num-callers=3");
    VALGRIND_CLO_CHANGE("--nonsense");
    VALGRIND_CLO_CHANGE("--leak-check=no");
    return malloc(77) == 0;
}
