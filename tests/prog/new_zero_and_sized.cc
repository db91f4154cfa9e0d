// SPDX-License-Identifier: MIT
// new of zero bytes, placement new, aligned and nothrow forms: right pairs are silent.
// CFLAGS: -std=c++17
// NEEDS: g++
// OPTIONS: --leak-check=full
// LINE: ERROR SUMMARY: 0 errors from 0 contexts
#include <cstdlib>
#include <new>
struct alignas(64) Wide { char c[64]; };
int main()
{
    char *zero = new char[0];
    delete[] zero;
    int *quiet = new (std::nothrow) int;
    delete quiet;
    Wide *w = new Wide, *many = new Wide[3];
    bool good = (reinterpret_cast<unsigned long>(w) & 63) == 0;
    delete w;
    delete[] many;
    char room[16];
    new (room) int(3);
    return !good;
}
