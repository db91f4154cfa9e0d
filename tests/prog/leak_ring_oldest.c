// SPDX-License-Identifier: MIT
// Of a lost ring the block that was allocated first stands for all.
// OPTIONS: --leak-check=full
#include <stdlib.h>
struct node { struct node *next; char pad[8]; };
static struct node *make(struct node *next)
{
    struct node *n = malloc(sizeof *n);
    n->next = next;
    return n;
}
static void ring(void)
{
    // EXPECT: 48 (16 direct, 32 indirect) bytes in 1 blocks are definitely lost in loss record N of N
    struct node *volatile first = make(NULL);
    struct node *volatile second = make(first);
    first->next = make(second);
    first = second = NULL;
}
int main(void)
{
    ring();
    return 0;
}
