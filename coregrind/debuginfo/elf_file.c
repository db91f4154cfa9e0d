/* SPDX-License-Identifier: MIT */
/*
 * Opening ELF files and finding what is in them.  The whole file is mapped, so only what is
 * looked at costs memory.  A file that is truncated while it is mapped would raise SIGBUS:
 * the views are listed in a table that the signal handler can read without a lock, and it
 * replaces the lost page by zeros (elf_file_recover_fault).
 */
#include "coregrind/debuginfo/elf_file.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "coregrind/debuginfo/inflate.h"

enum { PAGE = 4096, MAX_SECTIONS = 1 << 20, VIEW_SLOTS = 1024 };

/* Our mappings, for the signal handler.  start is 0 in a free slot and written last. */
static struct View {
    _Atomic uintptr_t start, end;
} views[VIEW_SLOTS];

static void view_add(Span s)
{
    for (unsigned i = 0; i < VIEW_SLOTS; i++) {
        uintptr_t expected = 0;
        if (atomic_load(&views[i].start) == 0 &&
            atomic_compare_exchange_strong(&views[i].start, &expected, (uintptr_t)s.data)) {
            atomic_store(&views[i].end, (uintptr_t)s.data + s.size);
            return;
        }
    }
}

static void view_remove(Span s)
{
    for (unsigned i = 0; i < VIEW_SLOTS; i++) {
        if (atomic_load(&views[i].start) == (uintptr_t)s.data) {
            atomic_store(&views[i].end, 0);
            atomic_store(&views[i].start, 0);
            return;
        }
    }
}

bool elf_file_recover_fault(const void *host_addr)
{
    uintptr_t a = (uintptr_t)host_addr;
    for (unsigned i = 0; i < VIEW_SLOTS; i++) {
        uintptr_t lo = atomic_load(&views[i].start), hi = atomic_load(&views[i].end);
        if (lo && a >= lo && a < hi) {
            void *page = (void *)(a & ~(uintptr_t)(PAGE - 1));
            return mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                   page;
        }
    }
    return false;
}

Span elf_file_span(const ElfFile *f, uint64_t offset, uint64_t size)
{
    if (size == 0 || offset > f->image.size || size > f->image.size - offset)
        return (Span){0};
    return (Span){f->image.data + offset, size};
}

const char *span_string(Span s, uint64_t offset)
{
    if (offset >= s.size || !memchr(s.data + offset, 0, s.size - offset))
        return NULL;
    return (const char *)s.data + offset;
}

static bool ehdr_is_ours(const Elf64_Ehdr *h)
{
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_X86_64 &&
           (h->e_type == ET_EXEC || h->e_type == ET_DYN || h->e_type == ET_REL); /* REL: dwz */
}

/* Takes over f->image and f->path. */
static bool elf_file_parse(ElfFile *f)
{
    Span h = elf_file_span(f, 0, sizeof f->ehdr);
    if (!h.data)
        return false;
    memcpy(&f->ehdr, h.data, sizeof f->ehdr);
    if (!ehdr_is_ours(&f->ehdr))
        return false;
    Span p = elf_file_span(f, f->ehdr.e_phoff, (uint64_t)f->ehdr.e_phnum * sizeof(Elf64_Phdr));
    if (p.data && f->ehdr.e_phentsize == sizeof(Elf64_Phdr)) {
        f->phdr = malloc(p.size);
        CHECK(f->phdr != NULL, "out of memory");
        memcpy(f->phdr, p.data, p.size);
        f->n_phdr = f->ehdr.e_phnum;
    }
    return true;
}

static ElfFile *elf_file_new(Span image, bool mapped, const char *path)
{
    ElfFile *f = calloc(1, sizeof *f);
    CHECK(f != NULL, "out of memory");
    f->image = image;
    f->mapped = mapped;
    f->path = strdup(path);
    CHECK(f->path != NULL, "out of memory");
    if (mapped)
        view_add(image);
    if (elf_file_parse(f))
        return f;
    elf_file_close(f);
    return NULL;
}

ElfFile *elf_file_open(const char *path)
{
    /* O_NONBLOCK: the name may belong to a FIFO by now. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    struct stat st;
    void *p = MAP_FAILED;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(Elf64_Ehdr))
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return NULL;
    return elf_file_new((Span){p, (size_t)st.st_size}, true, path);
}

ElfFile *elf_file_from_memory(const void *image, size_t size, const char *name)
{
    return elf_file_new((Span){image, size}, false, name);
}

void elf_file_close(ElfFile *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n_sections; i++)
        free((void *)f->section[i].inflated.data);
    if (f->mapped) {
        view_remove(f->image);
        munmap((void *)f->image.data, f->image.size);
    }
    free(f->section);
    free(f->phdr);
    free(f->path);
    free(f);
}

static Elf64_Shdr read_shdr(Span table, unsigned i)
{
    Elf64_Shdr h;
    memcpy(&h, table.data + i * sizeof h, sizeof h);
    return h;
}

static void elf_file_read_sections(ElfFile *f)
{
    f->sections_read = true;
    const Elf64_Ehdr *e = &f->ehdr;
    Span first = elf_file_span(f, e->e_shoff, sizeof(Elf64_Shdr));
    if (e->e_shoff == 0 || e->e_shentsize != sizeof(Elf64_Shdr) || !first.data)
        return;
    /* More than 65280 sections: the counts are in the null section. */
    Elf64_Shdr null = read_shdr(first, 0);
    uint64_t n = e->e_shnum ? e->e_shnum : null.sh_size;
    uint64_t strndx = e->e_shstrndx == SHN_XINDEX ? null.sh_link : e->e_shstrndx;
    if (n > MAX_SECTIONS)
        return;
    Span table = elf_file_span(f, e->e_shoff, n * sizeof(Elf64_Shdr));
    if (!table.data || strndx >= n)
        return;
    Elf64_Shdr s = read_shdr(table, (unsigned)strndx);
    Span names = elf_file_span(f, s.sh_offset, s.sh_size);
    f->section = calloc(n, sizeof *f->section);
    CHECK(f->section != NULL, "out of memory");
    f->n_sections = (unsigned)n;
    for (unsigned i = 0; i < n; i++) {
        f->section[i].hdr = read_shdr(table, i);
        const char *name = span_string(names, f->section[i].hdr.sh_name);
        f->section[i].name = name ? name : "";
    }
}

ElfSection *elf_file_section(ElfFile *f, const char *name)
{
    if (!f->sections_read)
        elf_file_read_sections(f);
    bool debug = strncmp(name, ".debug_", 7) == 0;
    for (unsigned i = 1; i < f->n_sections; i++) {
        ElfSection *s = &f->section[i];
        if (s->hdr.sh_type == SHT_NOBITS || s->hdr.sh_type == SHT_NULL)
            continue;
        if (strcmp(s->name, name) == 0 ||
            (debug && strncmp(s->name, ".zdebug_", 8) == 0 && strcmp(s->name + 8, name + 7) == 0))
            return s;
    }
    return NULL;
}

Span elf_section_data(ElfFile *f, ElfSection *s)
{
    if (s->hdr.sh_type == SHT_NOBITS)
        return (Span){0};
    Span raw = elf_file_span(f, s->hdr.sh_offset, s->hdr.sh_size);
    bool gnu = strncmp(s->name, ".zdebug_", 8) == 0;
    if (!gnu && !(s->hdr.sh_flags & SHF_COMPRESSED))
        return raw;
    if (!s->tried) {
        s->tried = true;
        s->inflated = gnu ? inflate_gnu(raw) : inflate_section(raw);
    }
    return s->inflated;
}

Span elf_file_data(ElfFile *f, const char *name)
{
    ElfSection *s = elf_file_section(f, name);
    return s ? elf_section_data(f, s) : (Span){0};
}

Span elf_file_data_at(ElfFile *f, unsigned n)
{
    if (!f->sections_read)
        elf_file_read_sections(f);
    return n > 0 && n < f->n_sections ? elf_section_data(f, &f->section[n]) : (Span){0};
}

Span elf_file_at_vaddr(const ElfFile *f, uint64_t vaddr)
{
    for (unsigned i = 0; i < f->n_phdr; i++) {
        const Elf64_Phdr *p = &f->phdr[i];
        if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr && vaddr - p->p_vaddr < p->p_filesz) {
            uint64_t skip = vaddr - p->p_vaddr, offset;
            if (!__builtin_add_overflow(p->p_offset, skip, &offset))
                return elf_file_span(f, offset, p->p_filesz - skip);
        }
    }
    return (Span){0};
}

const Elf64_Phdr *elf_file_segment(const ElfFile *f, uint32_t type)
{
    for (unsigned i = 0; i < f->n_phdr; i++)
        if (f->phdr[i].p_type == type)
            return &f->phdr[i];
    return NULL;
}

static Span find_build_id(Span notes)
{
    while (notes.size >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr n;
        memcpy(&n, notes.data, sizeof n);
        uint64_t name = sizeof n, desc = name + (((uint64_t)n.n_namesz + 3) & ~3ull);
        uint64_t next = desc + (((uint64_t)n.n_descsz + 3) & ~3ull);
        if (desc + n.n_descsz > notes.size)
            break;
        if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
            memcmp(notes.data + name, "GNU", 4) == 0)
            return (Span){notes.data + desc, n.n_descsz};
        if (next >= notes.size)
            break;
        notes = (Span){notes.data + next, notes.size - next};
    }
    return (Span){0};
}

Span elf_file_build_id(ElfFile *f)
{
    /* By sections first: the program headers of a separate debug file point nowhere. */
    Span id = find_build_id(elf_file_data(f, ".note.gnu.build-id"));
    for (unsigned i = 0; i < f->n_phdr && !id.data; i++)
        if (f->phdr[i].p_type == PT_NOTE)
            id = find_build_id(elf_file_span(f, f->phdr[i].p_offset, f->phdr[i].p_filesz));
    return id;
}
