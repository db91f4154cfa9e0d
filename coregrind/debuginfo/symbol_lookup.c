/* SPDX-License-Identifier: MIT */
/*
 * From a name to an address.  The dynamic hash tables answer without reading the symbols;
 * .symtab gets an index by name the first time somebody asks for what is not exported.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/ranked_lock.h"
#include "coregrind/debuginfo/debuginfo_internal.h"

enum { VERSION_HIDDEN = 0x8000 };

static uint32_t get32(Span s, uint64_t index)
{
    uint32_t v = 0;
    if (index < s.size / sizeof v)
        memcpy(&v, s.data + index * sizeof v, sizeof v);
    return v;
}

/* ---- symbol tables --------------------------------------------------------------------- */

RawSymbols raw_symbols(ElfFile *f, const char *name)
{
    ElfSection *s = elf_file_section(f, name);
    if (!s || s->hdr.sh_entsize != sizeof(Elf64_Sym))
        return (RawSymbols){0};
    return (RawSymbols){elf_section_data(f, s), elf_file_data_at(f, s->hdr.sh_link)};
}

size_t raw_symbols_count(const RawSymbols *r)
{
    return r->symtab.size / sizeof(Elf64_Sym);
}

const char *raw_symbol(const RawSymbols *r, size_t i, Elf64_Sym *sym)
{
    if (i >= raw_symbols_count(r))
        return NULL;
    memcpy(sym, r->symtab.data + i * sizeof *sym, sizeof *sym);
    const char *name = sym->st_name ? span_string(r->strtab, sym->st_name) : NULL;
    return name && *name ? name : NULL;
}

bool symbol_is_definition(const Elf64_Sym *s)
{
    unsigned type = ELF64_ST_TYPE(s->st_info);
    return s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS && type != STT_TLS &&
           type != STT_SECTION && type != STT_FILE;
}

bool vaddr_is_code(const ElfFile *f, uint64_t vaddr)
{
    for (unsigned i = 0; i < f->n_phdr; i++) {
        const Elf64_Phdr *p = &f->phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && vaddr - p->p_vaddr < p->p_memsz)
            return true;
    }
    return false;
}

static SymbolInfo symbol_info(const Module *m, const Elf64_Sym *s)
{
    unsigned type = ELF64_ST_TYPE(s->st_info);
    SymbolKind kind = SYM_OBJECT;
    if (type == STT_GNU_IFUNC)
        kind = SYM_IFUNC;
    else if (type == STT_FUNC || (type == STT_NOTYPE && vaddr_is_code(m->elf, s->st_value)))
        kind = SYM_FUNC;
    return (SymbolInfo){.addr = s->st_value + m->bias,
                        .size = s->st_size,
                        .kind = kind,
                        .weak = ELF64_ST_BIND(s->st_info) == STB_WEAK,
                        .local = ELF64_ST_BIND(s->st_info) == STB_LOCAL};
}

/* ---- the dynamic section --------------------------------------------------------------- */

static void dyn_read_entries(Module *m, Span dynamic)
{
    uint64_t strsz = 0, soname = 0;
    bool has_soname = false;
    for (size_t i = 0; i < dynamic.size / sizeof(Elf64_Dyn); i++) {
        Elf64_Dyn d;
        memcpy(&d, dynamic.data + i * sizeof d, sizeof d);
        if (d.d_tag == DT_NULL)
            break;
        Span *table = d.d_tag == DT_SYMTAB     ? &m->dyn.symtab
                      : d.d_tag == DT_STRTAB   ? &m->dyn.strtab
                      : d.d_tag == DT_GNU_HASH ? &m->dyn.gnu_hash
                      : d.d_tag == DT_HASH     ? &m->dyn.hash
                      : d.d_tag == DT_VERSYM   ? &m->dyn.versym
                                               : NULL;
        if (table)
            *table = elf_file_at_vaddr(m->elf, d.d_un.d_ptr);
        if (d.d_tag == DT_STRSZ)
            strsz = d.d_un.d_val;
        if (d.d_tag == DT_SONAME) {
            soname = d.d_un.d_val;
            has_soname = true;
        }
    }
    if (strsz < m->dyn.strtab.size)
        m->dyn.strtab.size = strsz;
    if (has_soname)
        m->dyn.soname = span_string(m->dyn.strtab, soname);
}

const DynTables *module_dyn(Module *m)
{
    if (!m->dyn_read) {
        m->dyn_read = true;
        const Elf64_Phdr *p = elf_file_segment(m->elf, PT_DYNAMIC);
        if (p)
            dyn_read_entries(m, elf_file_span(m->elf, p->p_offset, p->p_filesz));
    }
    return &m->dyn;
}

/* ---- matches --------------------------------------------------------------------------- */

typedef struct Matches {
    Module *m;
    const char *name;
    SymbolInfo *out;
    unsigned n, max;
} Matches;

/* Adds a definition unless its address is there already; @p first puts it in front. */
static void matches_add(Matches *w, const Elf64_Sym *sym, bool first)
{
    SymbolInfo s = symbol_info(w->m, sym);
    for (unsigned i = 0; i < w->n; i++)
        if (w->out[i].addr == s.addr)
            return;
    if (w->n == w->max)
        return;
    w->out[w->n++] = s;
    if (first) {
        SymbolInfo other = w->out[0];
        w->out[0] = s;
        w->out[w->n - 1] = other;
    }
}

static void match_dynamic(Matches *w, uint64_t index)
{
    const DynTables *d = &w->m->dyn;
    RawSymbols r = {d->symtab, d->strtab};
    Elf64_Sym sym;
    const char *name = raw_symbol(&r, index, &sym);
    if (!name || strcmp(name, w->name) != 0 || !symbol_is_definition(&sym))
        return;
    uint16_t version = 0;
    if (index < d->versym.size / sizeof version)
        memcpy(&version, d->versym.data + index * sizeof version, sizeof version);
    matches_add(w, &sym, !(version & VERSION_HIDDEN));
}

static void search_gnu_hash(Matches *w)
{
    Span t = w->m->dyn.gnu_hash;
    uint32_t h = 5381;
    for (const char *p = w->name; *p; p++)
        h = h * 33 + (uint8_t)*p;
    uint32_t n_buckets = get32(t, 0), first = get32(t, 1), bloom_words = get32(t, 2);
    uint32_t shift = get32(t, 3);
    if (n_buckets == 0 || bloom_words == 0 || (bloom_words & (bloom_words - 1)) || shift >= 32)
        return;
    uint64_t word = 4 + 2 * (uint64_t)((h / 64) & (bloom_words - 1));
    uint64_t bloom = get32(t, word) | (uint64_t)get32(t, word + 1) << 32;
    uint64_t want = 1ull << (h % 64) | 1ull << ((h >> shift) % 64);
    if ((bloom & want) != want)
        return;
    uint64_t buckets = 4 + 2 * (uint64_t)bloom_words, chains = buckets + n_buckets;
    uint64_t i = get32(t, buckets + h % n_buckets);
    if (i < first)
        return;
    for (; chains + i - first < t.size / 4; i++) {
        uint32_t c = get32(t, chains + i - first);
        if ((c | 1) == (h | 1))
            match_dynamic(w, i);
        if (c & 1)
            break;
    }
}

static void search_sysv_hash(Matches *w)
{
    Span t = w->m->dyn.hash;
    uint32_t h = 0;
    for (const char *p = w->name; *p; p++) {
        h = (h << 4) + (uint8_t)*p;
        h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
    }
    uint32_t n_buckets = get32(t, 0), n_chain = get32(t, 1);
    if (n_buckets == 0)
        return;
    uint32_t i = get32(t, 2 + (uint64_t)(h % n_buckets));
    /* A loop in the chains of a bad file ends after as many steps as there are symbols. */
    for (uint32_t steps = 0; i != 0 && i < n_chain && steps < n_chain; steps++) {
        match_dynamic(w, i);
        i = get32(t, 2 + (uint64_t)n_buckets + i);
    }
}

/* True if the module has dynamic symbols that can be searched by name. */
static bool search_dynamic(Matches *w)
{
    const DynTables *d = module_dyn(w->m);
    if (!d->symtab.data || !d->strtab.data)
        return false;
    if (d->gnu_hash.data)
        search_gnu_hash(w);
    else if (d->hash.data)
        search_sysv_hash(w);
    else
        return false;
    return true;
}

/* ---- .symtab by name ------------------------------------------------------------------- */

struct NameIndex {
    RawSymbols raw;
    HashMap newest;  /* hash of the name -> number of the last such symbol + 1 */
    uint32_t *older; /* symbol -> the one before with this hash + 1, or 0 */
};

static uint64_t hash_name(const char *s)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
    return h ? h : 1;
}

void name_index_free(NameIndex *x)
{
    if (!x)
        return;
    hashmap_free(&x->newest);
    free(x->older);
    free(x);
}

static NameIndex *module_names(Module *m)
{
    if (m->names)
        return m->names;
    NameIndex *x = m->names = calloc(1, sizeof *x);
    CHECK(x != NULL, "out of memory");
    x->raw = raw_symbols(m->elf, ".symtab");
    size_t n = raw_symbols_count(&x->raw);
    if (n == 0 || n >= UINT32_MAX)
        return x;
    x->older = calloc(n, sizeof *x->older);
    CHECK(x->older != NULL, "out of memory");
    for (size_t i = 1; i < n; i++) {
        Elf64_Sym sym;
        const char *name = raw_symbol(&x->raw, i, &sym);
        if (!name || !symbol_is_definition(&sym))
            continue;
        uint64_t h = hash_name(name), previous = 0;
        hashmap_get(&x->newest, h, &previous);
        x->older[i] = (uint32_t)previous;
        hashmap_put(&x->newest, h, i + 1);
    }
    return x;
}

static void search_symtab(Matches *w)
{
    const NameIndex *x = module_names(w->m);
    uint64_t i = 0;
    hashmap_get(&x->newest, hash_name(w->name), &i);
    for (; i != 0; i = x->older[i - 1]) {
        Elf64_Sym sym;
        const char *name = raw_symbol(&x->raw, i - 1, &sym);
        if (name && strcmp(name, w->name) == 0)
            matches_add(w, &sym, false);
    }
}

/* ---- public ---------------------------------------------------------------------------- */

unsigned debuginfo_find_symbols(Module *m, const char *name, bool all, SymbolInfo *out,
                                unsigned max)
{
    Matches w = {.m = m, .name = name, .out = out, .max = max};
    lock_take(LOCK_modules);
    bool dynamic = search_dynamic(&w);
    if (all || !dynamic)
        search_symtab(&w);
    lock_release(LOCK_modules);
    return w.n;
}

bool debuginfo_find_symbol(Module *m, const char *name, SymbolInfo *out)
{
    enum { VERSIONS = 16 };
    SymbolInfo found[VERSIONS];
    if (debuginfo_find_symbols(m, name, false, found, VERSIONS) == 0)
        return false;
    *out = found[0];
    return true;
}

static bool each_of_table(const Module *m, const RawSymbols *r, const char *prefix,
                          bool (*fn)(void *, const char *, const SymbolInfo *), void *arg)
{
    size_t n = raw_symbols_count(r), len = strlen(prefix);
    for (size_t i = 1; i < n; i++) {
        Elf64_Sym sym;
        const char *name = raw_symbol(r, i, &sym);
        if (!name || strncmp(name, prefix, len) != 0 || !symbol_is_definition(&sym))
            continue;
        SymbolInfo s = symbol_info(m, &sym);
        if (!fn(arg, name, &s))
            return false;
    }
    return true;
}

void debuginfo_each_symbol(Module *m, const char *prefix, bool all,
                           bool (*fn)(void *arg, const char *name, const SymbolInfo *s), void *arg)
{
    lock_take(LOCK_modules);
    RawSymbols dynsym = raw_symbols(m->elf, ".dynsym");
    if (each_of_table(m, &dynsym, prefix, fn, arg) && (all || !dynsym.symtab.data)) {
        RawSymbols symtab = raw_symbols(m->elf, ".symtab");
        each_of_table(m, &symtab, prefix, fn, arg);
    }
    lock_release(LOCK_modules);
}
