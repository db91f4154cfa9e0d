/* SPDX-License-Identifier: MIT */
/*
 * Mapping of one ELF file by its program headers (System V gABI chapter 5).  The file is not
 * trusted: counts, sizes and addresses are checked before they are used.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/aspace/layout.h"
#include "image.h"

typedef struct ElfFile {
    Image *img;
    ImageObject *obj;
    const char *path;
    int fd;
    uint64_t size;
    Elf64_Ehdr eh;
    Elf64_Phdr ph[128];
} ElfFile;

__attribute__((format(printf, 2, 3))) static bool elf_fail(ElfFile *f, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(f->img->error, sizeof f->img->error, "%s: ", f->path);
    va_start(ap, fmt);
    vsnprintf(f->img->error + n, sizeof f->img->error - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

static const char *elf_machine_name(unsigned machine)
{
    static const struct { unsigned machine; const char *name; } names[] = {
        { EM_386, "32-bit x86" }, { EM_ARM, "32-bit ARM" }, { EM_AARCH64, "arm64" },
        { EM_RISCV, "RISC-V" },   { EM_PPC64, "ppc64" },    { EM_S390, "s390x" },
        { EM_MIPS, "MIPS" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "an unknown processor";
}

static bool elf_read_headers(ElfFile *f)
{
    const Elf64_Ehdr *eh = &f->eh;
    if (pread(f->fd, &f->eh, sizeof f->eh, 0) < (ssize_t)EI_NIDENT ||
        memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
        return elf_fail(f, "not an ELF file");
    if (eh->e_ident[EI_CLASS] == ELFCLASS64 && f->size < sizeof f->eh)
        return elf_fail(f, "truncated ELF file");
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
        eh->e_machine != EM_X86_64)
        return elf_fail(f, "wrong architecture: it is for %s, and this Gimle runs x86-64 programs",
                        elf_machine_name(eh->e_machine));
    if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
        return elf_fail(f, "not an executable (ELF type %u)", eh->e_type);
    if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 ||
        eh->e_phnum > sizeof f->ph / sizeof f->ph[0])
        return elf_fail(f, "bad ELF program headers");
    size_t want = eh->e_phnum * sizeof(Elf64_Phdr);
    if (eh->e_phoff > f->size || f->size - eh->e_phoff < want ||
        pread(f->fd, f->ph, want, (off_t)eh->e_phoff) != (ssize_t)want)
        return elf_fail(f, "truncated ELF file");
    return true;
}

/** Check the PT_LOAD segments and find the range of addresses they cover. */
static bool elf_check_segments(ElfFile *f, GuestAddr *lo, GuestAddr *hi)
{
    unsigned n = 0;
    *lo = GIMLE_CLIENT_END;
    *hi = 0;
    for (unsigned i = 0; i < f->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &f->ph[i];
        if (p->p_type != PT_LOAD)
            continue;
        if (++n > IMAGE_MAX_SEGMENTS)
            return elf_fail(f, "more than %d loadable segments", IMAGE_MAX_SEGMENTS);
        if (p->p_filesz > p->p_memsz || p->p_vaddr >= GIMLE_CLIENT_END ||
            p->p_memsz > GIMLE_CLIENT_END - p->p_vaddr)
            return elf_fail(f, "bad ELF segment %u", i);
        if ((p->p_vaddr ^ p->p_offset) & (PAGE_SIZE_ - 1))
            return elf_fail(f, "ELF segment %u is not page aligned in the file", i);
        if (p->p_offset > f->size || p->p_filesz > f->size - p->p_offset)
            return elf_fail(f, "truncated ELF file: segment %u ends after the file", i);
        if (PAGE_DOWN(p->p_vaddr) < *hi && p->p_vaddr < *hi)
            return elf_fail(f, "ELF segments overlap or are not in order");
        if (p->p_vaddr < *lo)
            *lo = PAGE_DOWN(p->p_vaddr);
        *hi = p->p_vaddr + p->p_memsz;
    }
    if (n == 0)
        return elf_fail(f, "no loadable ELF segment");
    return true;
}

static int elf_prot(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

static bool elf_map_segment(ElfFile *f, const Elf64_Phdr *p)
{
    GuestAddr bias = f->obj->bias;
    GuestAddr start = PAGE_DOWN(p->p_vaddr + bias);
    GuestAddr file_end = p->p_vaddr + p->p_filesz + bias;
    GuestAddr mem_end = PAGE_UP(p->p_vaddr + p->p_memsz + bias);
    uint64_t offset = PAGE_DOWN(p->p_offset);
    int prot = elf_prot(p->p_flags);
    GuestAddr mapped_end = start;

    if (p->p_filesz > 0) {
        int64_t r = aspace_mmap(start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED, f->fd,
                                offset);
        if (r < 0)
            return elf_fail(f, "cannot map a segment at 0x%llx: %s", (unsigned long long)start,
                            strerror((int)-r));
        mapped_end = PAGE_UP(file_end);
        if (p->p_memsz > p->p_filesz && (prot & PROT_WRITE))
            memset((void *)file_end, 0, mapped_end - file_end);
    }
    if (mem_end > mapped_end) {
        int64_t r = aspace_mmap(mapped_end, mem_end - mapped_end, prot,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (r < 0)
            return elf_fail(f, "cannot map zeroed data at 0x%llx: %s",
                            (unsigned long long)mapped_end, strerror((int)-r));
    }
    f->obj->seg[f->obj->n_seg++] = (ImageSegment){ start, mem_end, prot, offset };
    return true;
}

static bool elf_read_interp(ElfFile *f, const Elf64_Phdr *p)
{
    ImageObject *obj = f->obj;
    if (p->p_filesz == 0 || p->p_filesz >= sizeof obj->interp || p->p_offset > f->size ||
        pread(f->fd, obj->interp, p->p_filesz, (off_t)p->p_offset) != (ssize_t)p->p_filesz ||
        obj->interp[p->p_filesz - 1] != 0)
        return elf_fail(f, "bad ELF interpreter name");
    return true;
}

static bool elf_map_all(ElfFile *f, GuestAddr base)
{
    ImageObject *obj = f->obj;
    GuestAddr lo, hi;
    if (!elf_read_headers(f) || !elf_check_segments(f, &lo, &hi))
        return false;
    if (f->eh.e_type == ET_DYN)
        obj->bias = base - lo;
    if (hi + obj->bias > GIMLE_CLIENT_END || lo + obj->bias < LAYOUT_CLIENT_MIN)
        return elf_fail(f, "its segments lie outside the addresses that a client may use");
    obj->entry = f->eh.e_entry + obj->bias;
    obj->phnum = f->eh.e_phnum;
    obj->phent = sizeof(Elf64_Phdr);
    obj->end = hi + obj->bias;
    for (unsigned i = 0; i < f->eh.e_phnum; i++) {
        const Elf64_Phdr *p = &f->ph[i];
        if (p->p_type == PT_LOAD && !elf_map_segment(f, p))
            return false;
        if (p->p_type == PT_LOAD && f->eh.e_phoff >= p->p_offset &&
            f->eh.e_phoff < p->p_offset + p->p_filesz)
            obj->phdr = p->p_vaddr + (f->eh.e_phoff - p->p_offset) + obj->bias;
        if (p->p_type == PT_INTERP && !elf_read_interp(f, p))
            return false;
        if (p->p_type == PT_GNU_STACK)
            obj->exec_stack = p->p_flags & PF_X;
    }
    return true;
}

bool image_map_elf(Image *img, ImageObject *obj, const char *path, GuestAddr base)
{
    ElfFile f = { .img = img, .obj = obj, .path = path };
    struct stat st;
    snprintf(obj->path, sizeof obj->path, "%s", path);
    f.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f.fd < 0 || fstat(f.fd, &st) != 0) {
        elf_fail(&f, "%s", strerror(errno));
        if (f.fd >= 0)
            close(f.fd);
        return false;
    }
    f.size = (uint64_t)st.st_size;
    bool ok = S_ISREG(st.st_mode) ? elf_map_all(&f, base) : elf_fail(&f, "not a regular file");
    close(f.fd);
    return ok;
}
