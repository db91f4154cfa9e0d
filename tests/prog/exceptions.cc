// SPDX-License-Identifier: MIT
// Exceptions thrown and caught; nothing to report.
// NEEDS: g++
// STDOUT: caught 7 at depth 10
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <stdio.h>
#include <string>
struct Guard { int &n; ~Guard() { n++; } };
static int unwound;
static void dive(int depth)
{
    Guard g{unwound};
    std::string s(depth * 10, 'x');
    if (depth == 9)
        throw 7;
    dive(depth + 1);
}
int main()
{
    try {
        dive(0);
    } catch (int v) {
        printf("caught %d at depth %d\n", v, unwound);
    }
    return 0;
}
