// SPDX-License-Identifier: MIT
// Allocates in many ways; massif's snapshots by bytes are compared with Valgrind's.
#include <cstdlib>
#include <new>
#include <valgrind/valgrind.h>

static char area[65536];
struct Node { Node *next; char text[40]; };

__attribute__((noinline)) static Node *list(int n)
{
    Node *head = nullptr;
    for (int i = 0; i < n; i++)
        head = new Node{ head, "" };
    return head;
}

int main()
{
    void *p[30] = {};
    for (int i = 0; i < 30; i++)
        p[i] = malloc(7 + 13 * i);
    for (int i = 0; i < 30; i += 2)
        p[i] = realloc(p[i], 3 + 31 * i);
    for (int i = 0; i < 30; i += 3) {
        free(p[i]);
        p[i] = nullptr;
    }
    for (int i = 0; i < 30; i++)
        free(p[i]);
    char *a = new char[1000];
    int *b = new (std::nothrow) int[77];
    Node *n = list(50);
    delete[] a;
    delete[] b;
    for (Node *next; n; n = next) {
        next = n->next;
        delete n;
    }
    VALGRIND_MALLOCLIKE_BLOCK(area, 300, 0, 0);
    VALGRIND_MALLOCLIKE_BLOCK(area + 1024, 200, 16, 1);
    VALGRIND_RESIZEINPLACE_BLOCK(area, 300, 500, 0);
    VALGRIND_FREELIKE_BLOCK(area, 0);
    VALGRIND_FREELIKE_BLOCK(area + 1024, 16);
    VALGRIND_CREATE_MEMPOOL(area, 0, 0);
    VALGRIND_MEMPOOL_ALLOC(area, area + 64, 400);
    VALGRIND_MEMPOOL_FREE(area, area + 64);
    VALGRIND_DESTROY_MEMPOOL(area);
    void *c = calloc(5, 99);
    c = realloc(c, 0);
    free(malloc(0));
    return 0;
}
