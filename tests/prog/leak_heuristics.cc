// SPDX-License-Identifier: MIT
// Pointers into the middle of blocks that are known to mean the whole, by what stands at their start; a block of
// malloc() may be an array of objects, too.
// OPTIONS: --leak-check=full
// LINE: still reachable: 288 bytes in 4 blocks
// LINE: of which reachable via heuristic:
// LINE: /length64 +: 88 bytes in 1 blocks/
// LINE: /newarray +: 152 bytes in 2 blocks/
// LINE: /multipleinheritance: 48 bytes in 1 blocks/
#include <cstdint>
#include <cstdlib>
struct First { virtual ~First() {} long a; };
struct Second { virtual ~Second() {} long b; };
struct Both : First, Second { long c, d; };
struct Counted { long x; ~Counted() { x = 0; } };
static Second *second;
static Counted *counted;
static char *sized, *array;
int main()
{
    second = new Both;
    counted = new Counted[9];
    uint64_t *p = static_cast<uint64_t *>(malloc(88));
    p[0] = 80;
    sized = reinterpret_cast<char *>(p + 1);
    p = static_cast<uint64_t *>(malloc(72));
    p[0] = 8;
    array = reinterpret_cast<char *>(p + 1);
    return 0;
}
