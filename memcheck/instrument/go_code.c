/* SPDX-License-Identifier: MIT */
/* See go_code.h.  Go's linker leaves a note of its own in what it makes (.note.go.buildid). */
#include "go_code.h"

#include <elf.h>
#include <string.h>

enum { MAX_HEADERS = 64, MAX_NOTES = 4096, GO_BUILD_ID = 4 };

static size_t padded(uint32_t n) { return ((size_t)n + 3) & ~(size_t)3; }

/** Is Go's note among those in [@p a, +@p len)? */
static bool has_go_note(GuestAddr a, size_t len)
{
    uint8_t notes[MAX_NOTES];
    size_t n = gimle_read_guest(notes, a, len < sizeof notes ? len : sizeof notes), at = 0;
    Elf64_Nhdr h;
    while (n - at >= sizeof h) {
        memcpy(&h, notes + at, sizeof h);
        size_t name = at + sizeof h, size = sizeof h + padded(h.n_namesz) + padded(h.n_descsz);
        if (h.n_type == GO_BUILD_ID && h.n_namesz == 4 && n - name >= 4 &&
            memcmp(notes + name, "Go\0", 4) == 0)
            return true;
        if (size > n - at)
            return false;
        at += size;
    }
    return false;
}

/** @p m begins with the file's first byte: look at its program headers. */
static bool is_go_file(const GuestMapping *m)
{
    Elf64_Ehdr e;
    Elf64_Phdr p;
    size_t size = m->end - m->start;
    if (gimle_read_guest(&e, m->start, sizeof e) != sizeof e || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 ||
        e.e_phentsize != sizeof p || e.e_phnum > MAX_HEADERS || e.e_phoff > size)
        return false;
    for (unsigned i = 0; i < e.e_phnum; i++) {
        if (gimle_read_guest(&p, m->start + e.e_phoff + i * sizeof p, sizeof p) != sizeof p)
            return false;
        if (p.p_type == PT_NOTE && p.p_offset < size && p.p_filesz <= size - p.p_offset &&
            has_go_note(m->start + p.p_offset, p.p_filesz))
            return true;
    }
    return false;
}

bool go_code_at(GuestAddr a)
{
    static const char *known;
    static bool known_is_go;
    GuestMapping m, below;
    if (!gimle_mapping_at(a, &m) || !m.is_file || !m.path)
        return false;
    if (m.path == known)
        return known_is_go;
    const char *path = m.path;
    while (m.file_offset != 0 && gimle_mapping_at(m.start - 1, &below) && below.path == path)
        m = below;
    known = path;
    known_is_go = m.file_offset == 0 && is_go_file(&m);
    return known_is_go;
}
