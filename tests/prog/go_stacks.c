// SPDX-License-Identifier: MIT
// Go's code runs on many small stacks out of its heap, close together, and uses their memory for
// other things afterwards.  It is known by a note in its file, which this program has as well.
// DIFFERS: Valgrind takes the switches for huge frames
// CFLAGS: -O1
// STDOUT: 3 0
#include <stdio.h>
#include <string.h>

__asm__(".pushsection .note.go.buildid, \"a\", @note\n"
        ".long 4, 4, 4\n"
        ".asciz \"Go\\0\"\n"
        ".long 0\n"
        ".popsection\n");

/* run_on(stack, function): on that stack, and back. */
void run_on(void *stack, void (*f)(void));
__asm__(".text\n"
        "run_on:\n"
        "    push %rbx\n"
        "    mov %rsp, %rbx\n"
        "    mov %rdi, %rsp\n"
        "    call *%rsi\n"
        "    mov %rbx, %rsp\n"
        "    pop %rbx\n"
        "    ret\n");

enum { STACK = 4096 };
static _Alignas(64) unsigned char heap[16 * STACK];
static int depth;

static void use(volatile unsigned char *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (unsigned char)i;
}

static void next(void)
{
    unsigned char small[48], big[1000];
    use(small, sizeof small);
    use(big, sizeof big);
    if (++depth < 3)
        run_on(heap + (9 - 3 * depth) * STACK, next);
}

int main(void)
{
    int sum = 0;
    run_on(heap + 15 * STACK, next);
    for (unsigned i = 0; i < sizeof heap; i++)
        sum += heap[i] == 254 && heap[0];
    memset(heap, 0, sizeof heap);
    for (unsigned i = 0; i < sizeof heap; i++)
        sum += heap[i] != 0;
    printf("%d %d\n", depth, sum);
    return 0;
}
