/* SPDX-License-Identifier: MIT */
/*
 * Debug data that distributions ship apart from the object: by build-id, by the name and CRC
 * in .gnu_debuglink, through debuginfod when the user set DEBUGINFOD_URLS; and the common
 * file that dwz moved shared entries to (.gnu_debugaltlink).
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coregrind/debuginfo/debuginfo_internal.h"
#include "coregrind/debuginfo/dwarf.h"

static const char system_debug_dir[] = "/usr/lib/debug";

static bool has_section(ElfFile *f, const char *name)
{
    return elf_file_section(f, name) != NULL;
}

static bool spans_equal(Span a, Span b)
{
    return a.size == b.size && a.size > 0 && memcmp(a.data, b.data, a.size) == 0;
}

/* ---- by build-id ----------------------------------------------------------------------- */

/* Opens @p path if its build-id is @p id. */
static ElfFile *open_with_id(const char *path, Span id)
{
    ElfFile *f = elf_file_open(path);
    if (f && !debuginfo_options.allow_mismatched && !spans_equal(elf_file_build_id(f), id)) {
        elf_file_close(f);
        return NULL;
    }
    return f;
}

static ElfFile *find_by_build_id(const char *root, Span id)
{
    enum { MAX_ID = 64 };
    char path[PATH_MAX], hex[2 * MAX_ID + 1];
    if (!root || id.size < 2 || id.size > MAX_ID)
        return NULL;
    for (size_t i = 0; i < id.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", id.data[i]);
    int n = snprintf(path, sizeof path, "%s/.build-id/%.2s/%s.debug", root, hex, hex + 2);
    return n < (int)sizeof path ? open_with_id(path, id) : NULL;
}

/* ---- by .gnu_debuglink ----------------------------------------------------------------- */

static uint32_t crc32_of(Span s)
{
    static uint32_t table[256];
    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
            table[i] = c;
        }
    }
    uint32_t crc = ~0u;
    for (size_t i = 0; i < s.size; i++)
        crc = table[(crc ^ s.data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

typedef struct DebugLink {
    const char *name;
    uint32_t crc;
    Span id; /* of the object: equal ids make the CRC needless */
} DebugLink;

static ElfFile *open_linked(const DebugLink *l, const char *a, const char *b, const char *c)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s%s%s/%s", a, b, c, l->name) >= (int)sizeof path)
        return NULL;
    ElfFile *f = elf_file_open(path);
    if (f && !debuginfo_options.allow_mismatched && !spans_equal(elf_file_build_id(f), l->id) &&
        crc32_of(f->image) != l->crc) {
        elf_file_close(f);
        return NULL;
    }
    return f;
}

static ElfFile *find_by_link(Module *m)
{
    Span s = elf_file_data(m->elf, ".gnu_debuglink");
    DebugLink l = {.name = span_string(s, 0), .id = elf_file_build_id(m->elf)};
    if (!l.name || strchr(l.name, '/'))
        return NULL;
    size_t at = (strlen(l.name) + 4) & ~(size_t)3;
    if (at + sizeof l.crc > s.size)
        return NULL;
    memcpy(&l.crc, s.data + at, sizeof l.crc);
    char dir[PATH_MAX];
    const char *slash = strrchr(m->path, '/');
    size_t n = slash ? (size_t)(slash - m->path) : 0;
    if (n >= sizeof dir)
        return NULL;
    memcpy(dir, m->path, n);
    dir[n] = 0;
    const char *extra = debuginfo_options.extra_path;
    ElfFile *f = NULL;
    /* An object stripped in place may carry a link to its own name: that is not its debug file. */
    if (!slash || strcmp(slash + 1, l.name) != 0)
        f = open_linked(&l, dir, "", "");
    if (!f)
        f = open_linked(&l, dir, "/.debug", "");
    if (!f && extra)
        f = open_linked(&l, extra, dir, "");
    if (!f && extra)
        f = open_linked(&l, extra, "", "");
    return f ? f : open_linked(&l, system_debug_dir, dir, "");
}

/* ---- debuginfod ------------------------------------------------------------------------ */

static ElfFile *find_by_debuginfod(Span id)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    if (!urls || !*urls || !id.data)
        return NULL;
    void *lib = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return NULL;
    void *(*begin)(void) = (void *(*)(void))dlsym(lib, "debuginfod_begin");
    void (*end)(void *) = (void (*)(void *))dlsym(lib, "debuginfod_end");
    int (*find)(void *, const unsigned char *, int, char **) =
        (int (*)(void *, const unsigned char *, int, char **))dlsym(lib,
                                                                    "debuginfod_find_debuginfo");
    void *client = begin && end && find ? begin() : NULL;
    if (!client)
        return NULL;
    char *path = NULL;
    int fd = find(client, id.data, (int)id.size, &path);
    ElfFile *f = NULL;
    if (fd >= 0) {
        f = path ? open_with_id(path, id) : NULL;
        close(fd);
    }
    free(path);
    end(client);
    return f;
}

/* ---- dwz ------------------------------------------------------------------------------- */

static ElfFile *find_alt(ElfFile *f)
{
    Span s = elf_file_data(f, ".gnu_debugaltlink");
    const char *name = span_string(s, 0);
    if (!name)
        return NULL;
    size_t n = strlen(name) + 1;
    Span id = {s.data + n, s.size - n};
    char path[PATH_MAX];
    const char *slash = strrchr(f->path, '/');
    int dir = slash && name[0] != '/' ? (int)(slash + 1 - f->path) : 0;
    ElfFile *alt = NULL;
    if (snprintf(path, sizeof path, "%.*s%s", dir, f->path, name) < (int)sizeof path)
        alt = open_with_id(path, id);
    if (!alt)
        alt = find_by_build_id(debuginfo_options.extra_path, id);
    return alt ? alt : find_by_build_id(system_debug_dir, id);
}

void module_open_debug(Module *m)
{
    if (m->debug_tried)
        return;
    m->debug_tried = true;
    bool has_dwarf = has_section(m->elf, ".debug_info");
    if (!has_dwarf || !has_section(m->elf, ".symtab")) {
        Span id = elf_file_build_id(m->elf);
        m->debug = find_by_build_id(debuginfo_options.extra_path, id);
        if (!m->debug)
            m->debug = find_by_build_id(system_debug_dir, id);
        if (!m->debug)
            m->debug = find_by_link(m);
        if (!m->debug && !m->own_image)
            m->debug = find_by_debuginfod(id);
    }
    ElfFile *f = has_dwarf ? m->elf : m->debug;
    m->debug_alt = f ? find_alt(f) : NULL;
}

Dwarf *module_dwarf(Module *m)
{
    if (!m->dwarf_tried) {
        m->dwarf_tried = true;
        module_open_debug(m);
        ElfFile *f = has_section(m->elf, ".debug_info") ? m->elf : m->debug;
        m->dwarf = f ? dwarf_open(f, m->debug_alt) : NULL;
    }
    return m->dwarf;
}
