/* SPDX-License-Identifier: MIT */
/*
 * Which ELF objects the client has mapped where.  A module is made when the first executable
 * segment of an object is mapped; from the program headers follow its bias and everything
 * else, so that mappings of its data need not be followed.  It goes when its code is unmapped
 * or something else with code is mapped over it.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/ranked_lock.h"
#include "coregrind/debuginfo/debuginfo_internal.h"
#include "coregrind/debuginfo/dwarf.h"
#include "coregrind/os/safe_copy.h"

enum { PAGE_MASK = 4095, MAX_OBSERVERS = 8 };

/* Sums of addresses stay below this, so they never overflow. */
static const uint64_t ADDRESS_LIMIT = 1ull << 56;

DebuginfoOptions debuginfo_options = {.demangle = true, .inline_info = true};

static Module *first_module;               /* live ones, in order of mapping */
static VEC(Module *) by_text;              /* live ones, by text_lo; texts do not overlap */
static Module *kept_modules;               /* newest first */
static DebuginfoObserver *observer[MAX_OBSERVERS];
static _Atomic unsigned n_observers;

void debuginfo_observe(DebuginfoObserver *fn)
{
    unsigned n = atomic_load(&n_observers);
    CHECK(n < MAX_OBSERVERS);
    observer[n] = fn;
    atomic_store(&n_observers, n + 1);
}

static void notify(Module *m, bool loaded)
{
    unsigned n = atomic_load(&n_observers);
    for (unsigned i = 0; i < n; i++)
        observer[i](m, loaded);
}

bool debuginfo_recover_fault(const void *host_addr)
{
    return elf_file_recover_fault(host_addr);
}

static void module_free(Module *m)
{
    dwarf_close(m->dwarf);
    symbols_free(m->symbols);
    name_index_free(m->names);
    elf_file_close(m->debug_alt);
    elf_file_close(m->debug);
    elf_file_close(m->elf);
    free(m->own_image);
    free(m->path);
    free(m);
}

/* ---- making modules -------------------------------------------------------------------- */

/* Sets text and extent (unbiased) from the program headers; false if they make no sense. */
static bool module_read_segments(Module *m)
{
    m->text_lo = m->lo = UINT64_MAX;
    m->text_hi = m->hi = 0;
    for (unsigned i = 0; i < m->elf->n_phdr; i++) {
        const Elf64_Phdr *p = &m->elf->phdr[i];
        if (p->p_type != PT_LOAD || p->p_memsz == 0)
            continue;
        if (p->p_vaddr >= ADDRESS_LIMIT || p->p_memsz >= ADDRESS_LIMIT)
            return false;
        uint64_t end = p->p_vaddr + p->p_memsz;
        m->lo = p->p_vaddr < m->lo ? p->p_vaddr : m->lo;
        m->hi = end > m->hi ? end : m->hi;
        if (p->p_flags & PF_X) {
            m->text_lo = p->p_vaddr < m->text_lo ? p->p_vaddr : m->text_lo;
            m->text_hi = end > m->text_hi ? end : m->text_hi;
        }
    }
    return m->text_lo < m->text_hi;
}

static void module_apply_bias(Module *m, uint64_t bias)
{
    m->bias = bias;
    m->text_lo += bias;
    m->text_hi += bias;
    m->lo = (m->lo + bias) & ~(uint64_t)PAGE_MASK;
    m->hi = (m->hi + bias + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

/* The bias if @p offset of the file, mapped at @p addr, belongs to an executable segment. */
static bool bias_of_mapping(const ElfFile *f, GuestAddr addr, uint64_t offset, uint64_t *bias)
{
    for (unsigned i = 0; i < f->n_phdr; i++) {
        const Elf64_Phdr *p = &f->phdr[i];
        uint64_t start = p->p_offset & ~(uint64_t)PAGE_MASK, end;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
            __builtin_add_overflow(p->p_offset, p->p_filesz, &end) || offset < start ||
            offset >= end)
            continue;
        *bias = addr - (p->p_vaddr - p->p_offset + offset);
        return true;
    }
    return false;
}

static Module *module_new(ElfFile *elf, const char *path, ino_t ino)
{
    Module *m = calloc(1, sizeof *m);
    CHECK(m != NULL, "out of memory");
    m->elf = elf;
    m->path = strdup(path);
    CHECK(m->path != NULL, "out of memory");
    m->ino = ino;
    return m;
}

/* The file may have been replaced since the client opened it: then it tells us nothing. */
static bool same_inode(const char *path, ino_t ino)
{
    struct stat st;
    return ino == 0 || (stat(path, &st) == 0 && st.st_ino == ino);
}

static Module *module_from_file(GuestAddr addr, uint64_t offset, const char *path, ino_t ino)
{
    ElfFile *elf = same_inode(path, ino) ? elf_file_open(path) : NULL;
    if (!elf)
        return NULL;
    Module *m = module_new(elf, path, ino);
    uint64_t bias;
    if (module_read_segments(m) && bias_of_mapping(elf, addr, offset, &bias)) {
        module_apply_bias(m, bias);
        if (m->lo < m->hi && m->hi < ADDRESS_LIMIT)
            return m;
    }
    module_free(m);
    return NULL;
}

/* ---- the list of modules --------------------------------------------------------------- */

/* Index in by_text of the first module with text_hi > a. */
static size_t text_index(GuestAddr a)
{
    size_t lo = 0, hi = by_text.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (by_text.data[mid]->text_hi > a)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static void list_append(Module *m)
{
    Module **at = &first_module;
    while (*at)
        at = &(*at)->next;
    *at = m;
    m->next = NULL;
    vec_insert(&by_text, text_index(m->text_lo), m);
}

/* Unlinks and pushes onto @p dying. */
static void list_remove(size_t index, Module **dying)
{
    Module *m = by_text.data[index];
    vec_remove(&by_text, index);
    Module **at = &first_module;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    m->next = *dying;
    *dying = m;
}

/* Unlink the modules with code in [lo, hi), all of it if @p whole. */
static Module *unlink_range(GuestAddr lo, GuestAddr hi, bool whole)
{
    Module *dying = NULL;
    size_t i = text_index(lo);
    while (i < by_text.n && by_text.data[i]->text_lo < hi) {
        const Module *m = by_text.data[i];
        if (!whole || (m->text_lo >= lo && m->text_hi <= hi))
            list_remove(i, &dying);
        else
            i++;
    }
    return dying;
}

/* Without the lock: tell the observers, then free or keep. */
static void bury(Module *dying)
{
    while (dying) {
        Module *m = dying;
        dying = m->next;
        notify(m, false);
        if (!debuginfo_options.keep) {
            module_free(m);
            continue;
        }
        lock_take(LOCK_modules);
        m->gone = true;
        m->next = kept_modules;
        kept_modules = m;
        lock_release(LOCK_modules);
    }
}

Module *module_of_code(GuestAddr a)
{
    size_t i = text_index(a);
    if (i < by_text.n && by_text.data[i]->text_lo <= a)
        return by_text.data[i];
    for (Module *m = kept_modules; m; m = m->next)
        if (a >= m->text_lo && a < m->text_hi)
            return m;
    return NULL;
}

Module *module_of_data(GuestAddr a)
{
    for (Module *m = first_module; m; m = m->next)
        if (a >= m->lo && a < m->hi)
            return m;
    return NULL;
}

/* ---- public ---------------------------------------------------------------------------- */

/* Is this mapping part of a module that we already have? */
static bool is_known(GuestAddr addr, size_t len, uint64_t offset, ino_t ino)
{
    for (size_t i = text_index(addr); i < by_text.n && by_text.data[i]->text_lo < addr + len; i++) {
        const Module *m = by_text.data[i];
        uint64_t bias;
        if (ino != 0 && m->ino == ino && bias_of_mapping(m->elf, addr, offset, &bias) &&
            bias == m->bias)
            return true;
    }
    return false;
}

void debuginfo_map(GuestAddr addr, size_t len, int prot, uint64_t offset, const char *path,
                   dev_t dev, ino_t ino)
{
    (void)dev; /* differs between stat and /proc/self/maps on some file systems */
    if (!(prot & PROT_EXEC) || !path || path[0] != '/' || len == 0 || addr + len < addr)
        return;
    lock_take(LOCK_modules);
    if (is_known(addr, len, offset, ino)) {
        lock_release(LOCK_modules);
        return;
    }
    Module *dying = unlink_range(addr, addr + len, false);
    Module *m = module_from_file(addr, offset, path, ino);
    Module *overlapped = m ? unlink_range(m->text_lo, m->text_hi, false) : NULL;
    if (m)
        list_append(m);
    lock_release(LOCK_modules);
    bury(dying);
    bury(overlapped);
    if (m)
        notify(m, true);
}

void debuginfo_map_image(GuestAddr addr, size_t len, const char *name)
{
    enum { MAX_IMAGE = 1 << 20 };
    if (len > MAX_IMAGE)
        return;
    void *copy = malloc(len);
    CHECK(copy != NULL, "out of memory");
    ElfFile *elf = safe_read(addr, copy, len) ? elf_file_from_memory(copy, len, name) : NULL;
    if (!elf) {
        free(copy);
        return;
    }
    Module *m = module_new(elf, name, 0);
    m->own_image = copy;
    if (!module_read_segments(m) || m->hi - m->lo > len) {
        module_free(m);
        return;
    }
    module_apply_bias(m, addr - m->lo);
    lock_take(LOCK_modules);
    Module *dying = unlink_range(m->text_lo, m->text_hi, false);
    list_append(m);
    lock_release(LOCK_modules);
    bury(dying);
    notify(m, true);
}

void debuginfo_unmap(GuestAddr addr, size_t len)
{
    if (addr + len <= addr)
        return;
    lock_take(LOCK_modules);
    Module *dying = unlink_range(addr, addr + len, true);
    lock_release(LOCK_modules);
    bury(dying);
}

void debuginfo_forget_all(void)
{
    lock_take(LOCK_modules);
    Module *dying = unlink_range(0, UINT64_MAX, false);
    Module *kept = kept_modules;
    kept_modules = NULL;
    lock_release(LOCK_modules);
    for (Module *m = dying; m; m = dying) {
        dying = m->next;
        notify(m, false);
        module_free(m);
    }
    for (Module *m = kept; m; m = kept) {
        kept = m->next;
        module_free(m);
    }
}

Module *debuginfo_find_module(GuestAddr a)
{
    lock_take(LOCK_modules);
    Module *m = module_of_code(a);
    if (!m || m->gone)
        m = module_of_data(a);
    lock_release(LOCK_modules);
    return m;
}

bool debuginfo_is_text(GuestAddr pc)
{
    lock_take(LOCK_modules);
    size_t i = text_index(pc);
    bool is = i < by_text.n && by_text.data[i]->text_lo <= pc;
    lock_release(LOCK_modules);
    return is;
}

Module *debuginfo_next_module(Module *previous)
{
    lock_take(LOCK_modules);
    Module *m = previous ? previous->next : first_module;
    lock_release(LOCK_modules);
    return m;
}

const char *module_path(const Module *m)
{
    return m->path;
}

uint64_t module_bias(const Module *m)
{
    return m->bias;
}

void module_text(const Module *m, GuestAddr *lo, GuestAddr *hi)
{
    *lo = m->text_lo;
    *hi = m->text_hi;
}

void module_extent(const Module *m, GuestAddr *lo, GuestAddr *hi)
{
    *lo = m->lo;
    *hi = m->hi;
}

GuestAddr module_entry(const Module *m)
{
    return m->elf->ehdr.e_entry ? m->elf->ehdr.e_entry + m->bias : 0;
}

const char *module_soname(Module *m)
{
    lock_take(LOCK_modules);
    const char *name = module_dyn(m)->soname;
    lock_release(LOCK_modules);
    if (name)
        return name;
    const char *slash = strrchr(m->path, '/');
    return slash ? slash + 1 : m->path;
}

const char *module_build_id(Module *m, char *buf, size_t size)
{
    static const char digit[] = "0123456789abcdef";
    lock_take(LOCK_modules);
    Span id = elf_file_build_id(m->elf);
    size_t n = 0;
    for (size_t i = 0; i < id.size && n + 3 <= size; i++) {
        buf[n++] = digit[id.data[i] >> 4];
        buf[n++] = digit[id.data[i] & 15];
    }
    lock_release(LOCK_modules);
    if (size > 0)
        buf[n] = 0;
    return buf;
}

/* ---- call frame information ------------------------------------------------------------ */

const uint8_t *module_file_bytes(const Module *m, uint64_t vaddr, size_t *size)
{
    Span s = elf_file_at_vaddr(m->elf, vaddr);
    *size = s.size;
    return s.data;
}

void module_cfi(Module *m, ModuleCfi *out)
{
    *out = (ModuleCfi){.text_lo = m->text_lo, .text_hi = m->text_hi, .bias = m->bias};
    const Elf64_Phdr *p = elf_file_segment(m->elf, PT_GNU_EH_FRAME);
    Span hdr = p ? elf_file_at_vaddr(m->elf, p->p_vaddr) : (Span){0};
    if (hdr.data) {
        out->eh_frame_hdr = hdr.data;
        out->eh_frame_hdr_size = hdr.size; /* to the end of the segment: the table is in it */
        out->eh_frame_hdr_vaddr = p->p_vaddr;
        return;
    }
    lock_take(LOCK_modules);
    ElfSection *s = elf_file_section(m->elf, ".eh_frame");
    Span data = s ? elf_section_data(m->elf, s) : (Span){0};
    lock_release(LOCK_modules);
    if (data.data) {
        out->eh_frame = data.data;
        out->eh_frame_size = data.size;
        out->eh_frame_vaddr = s->hdr.sh_addr;
    }
}

bool module_debug_frame(Module *m, const uint8_t **data, size_t *size)
{
    lock_take(LOCK_modules);
    Span s = elf_file_data(m->elf, ".debug_frame");
    if (!s.data) {
        module_open_debug(m);
        s = m->debug ? elf_file_data(m->debug, ".debug_frame") : (Span){0};
    }
    lock_release(LOCK_modules);
    *data = s.data;
    *size = s.size;
    return s.data != NULL;
}
