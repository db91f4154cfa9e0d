/* SPDX-License-Identifier: MIT */
/*
 * A small program with four mistakes that compilers accept and that often seem to do no harm.
 * `./quickstart' runs it under Gimle; the report names the line of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shelf {
    size_t count;
    char **titles;
};

static struct shelf *shelf_create(size_t count)
{
    struct shelf *s = malloc(sizeof *s);
    s->count = count;
    s->titles = malloc(count * sizeof *s->titles); /* the pointers are not set */
    return s;
}

static void shelf_put(struct shelf *s, size_t place, const char *title)
{
    s->titles[place] = malloc(strlen(title)); /* one byte short */
    strcpy(s->titles[place], title);
}

static size_t shelf_count_titles(const struct shelf *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->titles[i]) /* looks at places that were never filled */
            n++;
    return n;
}

int main(void)
{
    struct shelf *s = shelf_create(3);
    shelf_put(s, 0, "Edda");
    shelf_put(s, 1, "Voluspa");
    printf("%zu titles\n", shelf_count_titles(s));
    free(s->titles); /* but not the titles in it: they are lost */
    printf("the first was %p\n", (void *)s->titles[0]); /* s->titles is gone */
    free(s);
    return 0;
}
