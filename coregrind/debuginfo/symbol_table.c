/* SPDX-License-Identifier: MIT */
/*
 * From an address to a symbol: all symbol tables of a module (.symtab and .dynsym, of the
 * object and of its separate debug file), sorted by address.
 *
 * Where several names share an address the one that Valgrind shows is taken, so that
 * suppressions written for it match: the shortest (not counting "@VERSION"), then one with a
 * version, then the first in byte order.
 */
#include <stdlib.h>
#include <string.h>

#include "coregrind/debuginfo/debuginfo_internal.h"

static size_t base_length(const char *name)
{
    return strcspn(name, "@");
}

/* Negative if @p a is the better name. */
static int compare_names(const char *a, const char *b)
{
    size_t na = base_length(a), nb = base_length(b);
    if (na != nb)
        return na < nb ? -1 : 1;
    int base = strncmp(a, b, na);
    if (base != 0)
        return base;
    return (a[na] == '@') != (b[nb] == '@') ? (a[na] == '@' ? -1 : 1) : strcmp(a + na, b + nb);
}

static int compare_symbols(const void *pa, const void *pb)
{
    const Symbol *a = pa, *b = pb;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    return compare_names(a->name, b->name);
}

static void table_add(Module *m, SymbolTable *t, ElfFile *f, const char *section)
{
    RawSymbols r = raw_symbols(f, section);
    size_t n = raw_symbols_count(&r);
    for (size_t i = 1; i < n; i++) {
        Elf64_Sym sym;
        const char *name = raw_symbol(&r, i, &sym);
        if (!name || !symbol_is_definition(&sym))
            continue;
        unsigned type = ELF64_ST_TYPE(sym.st_info);
        Symbol s = {sym.st_value, sym.st_size, name, sym.st_size != 0, type == STT_GNU_IFUNC};
        bool code = type == STT_FUNC || type == STT_GNU_IFUNC ||
                    (type == STT_NOTYPE && vaddr_is_code(m->elf, sym.st_value));
        if (code)
            vec_push(&t->code, s);
        else if (type == STT_OBJECT || type == STT_COMMON)
            vec_push(&t->data, s);
    }
}

/*
 * Assembly code often has symbols without a size: such a one reaches to the next symbol, if
 * nothing else is known about its address.
 */
static void give_sizes(SymbolTable *t, const Module *m)
{
    uint64_t end = m->text_hi - m->bias;
    for (size_t i = t->code.n; i-- > 0;) {
        Symbol *s = &t->code.data[i];
        if (!s->sized && end > s->addr)
            s->size = end - s->addr;
        if (i > 0 && t->code.data[i - 1].addr != s->addr)
            end = s->addr;
    }
}

static uint64_t longest_of(const Symbol *s, size_t n)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < n; i++)
        longest = s[i].size > longest ? s[i].size : longest;
    return longest;
}

const SymbolTable *module_symbols(Module *m)
{
    if (m->symbols)
        return m->symbols;
    SymbolTable *t = m->symbols = calloc(1, sizeof *t);
    CHECK(t != NULL, "out of memory");
    module_open_debug(m);
    table_add(m, t, m->elf, ".symtab");
    table_add(m, t, m->elf, ".dynsym");
    if (m->debug)
        table_add(m, t, m->debug, ".symtab");
    if (t->code.n)
        qsort(t->code.data, t->code.n, sizeof(Symbol), compare_symbols);
    if (t->data.n)
        qsort(t->data.data, t->data.n, sizeof(Symbol), compare_symbols);
    give_sizes(t, m);
    t->code_longest = longest_of(t->code.data, t->code.n);
    t->data_longest = longest_of(t->data.data, t->data.n);
    return t;
}

void symbols_free(SymbolTable *t)
{
    if (!t)
        return;
    vec_free(&t->code);
    vec_free(&t->data);
    free(t);
}

/* Number of symbols at or below @p vaddr. */
static size_t upper_bound(const Symbol *s, size_t n, uint64_t vaddr)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s[mid].addr > vaddr)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/*
 * The best symbol of the nearest address whose range contains @p vaddr.  One without a size
 * (a label, perhaps inside a function) counts only if no other does.
 */
static const Symbol *find(const Symbol *s, size_t n, uint64_t longest, uint64_t vaddr)
{
    enum { MAX_BACK = 4096 }; /* a bogus huge symbol must not make lookups linear */
    const Symbol *found[2] = {NULL, NULL};
    for (size_t i = upper_bound(s, n, vaddr), steps = 0; i-- > 0 && steps < MAX_BACK; steps++) {
        const Symbol **f = &found[s[i].sized];
        if (vaddr - s[i].addr >= longest || (found[true] && found[true]->addr != s[i].addr))
            break;
        if (vaddr - s[i].addr < s[i].size && (!*f || (*f)->addr == s[i].addr))
            *f = &s[i];
    }
    return found[true] ? found[true] : found[false];
}

const Symbol *symbols_find_code(const SymbolTable *t, uint64_t vaddr)
{
    return find(t->code.data, t->code.n, t->code_longest, vaddr);
}

const Symbol *symbols_find_data(const SymbolTable *t, uint64_t vaddr)
{
    return find(t->data.data, t->data.n, t->data_longest, vaddr);
}
