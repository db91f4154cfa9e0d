// SPDX-License-Identifier: MIT
// Calls the allocation functions once each, for --trace-malloc=yes.
#include <malloc.h>
#include <new>
#include <stdlib.h>

struct alignas(64) Line { char c[64]; };

int main()
{
    void *p = malloc(10), *q = nullptr;
    p = realloc(p, 100);
    p = realloc(p, 0);
    p = realloc(nullptr, 5);
    free(p);
    free(calloc(3, 4));
    ::operator delete(::operator new(4), static_cast<size_t>(4));
    delete[] new int[3];
    p = memalign(64, 11);
    free(aligned_alloc(32, 64));
    free(valloc(13));
    if (posix_memalign(&q, 128, 20) == 0)
        free(q);
    if (posix_memalign(&q, 3, 20) == 0)
        free(q);
    delete new Line;
    free(p);
    return 0;
}
