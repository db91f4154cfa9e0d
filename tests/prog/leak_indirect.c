// SPDX-License-Identifier: MIT
// A lost list: its head is definitely, the rest indirectly lost.
// OPTIONS: --leak-check=full --show-leak-kinds=all
// LINE: definitely lost: 16 bytes in 1 blocks
// LINE: indirectly lost: 32 bytes in 2 blocks
#include <stdlib.h>
struct node { struct node *next; long v; };
static struct node *volatile head;
int main(void)
{
    for (int i = 0; i < 3; i++) {
        // EXPECT: 32 bytes in 2 blocks are indirectly lost in loss record N of N
        // EXPECT: 48 (16 direct, 32 indirect) bytes in 1 blocks are definitely lost in loss record N of N
        struct node *n = malloc(sizeof *n);
        n->next = head;
        head = n;
    }
    head = 0;
    return 0;
}
