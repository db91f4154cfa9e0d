// SPDX-License-Identifier: MIT
// C++ names are demangled.
// LINE: outer::Box<int>::put(int, char const*) (demangled.cc:
// NEEDS: g++
#include <stdlib.h>
namespace outer {
template <typename T> struct Box {
    T *p;
    Box() : p((T *)malloc(sizeof(T))) {}
    __attribute__((noinline)) void put(T v, const char *why);
};
template <typename T> void Box<T>::put(T v, const char *why)
{
    p[1] = v; // EXPECT: Invalid write of size 4
}
}
int main()
{
    outer::Box<int> b;
    b.put(3, "why");
    return 0;
}
