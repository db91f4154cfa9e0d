// SPDX-License-Identifier: MIT
// Addresses by the names of variables, their members and elements.
// DIFFERS: Valgrind 3.19 does not understand all that gcc 12 writes
// OPTIONS: --read-var-info=yes
#include "../../include/gimle/memcheck.h"
typedef struct Point { short x, y; } Point;
typedef struct Shape {
    const char *name;
    struct { Point corner[4]; };
    union { long id; char tag[8]; } u;
} Shape;
static Shape shapes[2][3];
int plain;
__attribute__((noinline)) static void ask(void *p)
{
    VALGRIND_MAKE_MEM_UNDEFINED(p, 1);
    (void)!VALGRIND_CHECK_MEM_IS_DEFINED(p, 1);
    VALGRIND_MAKE_MEM_DEFINED(p, 1);
}
__attribute__((noinline)) static int look(long parameter)
{
    Shape local = { 0 };
    int number = 0;
    // EXPECT: Uninitialised byte(s) found during client check request
    // AUX: Location 0xADDR is 1 byte inside local.corner[2].y,
    // AUX: declared at variables.c:22, in frame #1 of thread 1
    ask((char *)&local.corner[2].y + 1);
    // EXPECT: Uninitialised byte(s) found during client check request
    // AUX: Location 0xADDR is 3 bytes inside local var "number"
    // AUX: declared at variables.c:23, in frame #1 of thread 1
    ask((char *)&number + 3);
    // EXPECT: Uninitialised byte(s) found during client check request
    // AUX: Location 0xADDR is 0 bytes inside local var "parameter"
    // AUX: declared at variables.c:20, in frame #1 of thread 1
    ask(&parameter);
    for (int i = 0; i < 1; i++) {
        Point *volatile in_block[2] = { 0 };
        // EXPECT: Uninitialised byte(s) found during client check request
        // AUX: Location 0xADDR is 7 bytes inside in_block[1],
        // AUX: declared at variables.c:37, in frame #1 of thread 1
        ask((char *)&in_block[1] + 7);
    }
    return number + (int)local.u.id + (int)parameter;
}
int main(void)
{
    // EXPECT: Uninitialised byte(s) found during client check request
    // AUX: Location 0xADDR is 2 bytes inside shapes[1][2].u.id,
    // AUX: a global variable declared at variables.c:12
    ask((char *)&shapes[1][2].u.tag + 2);
    // EXPECT: Uninitialised byte(s) found during client check request
    // AUX: Location 0xADDR is 1 byte inside global var "plain"
    // AUX: declared at variables.c:13
    ask((char *)&plain + 1);
    return look(0);
}
