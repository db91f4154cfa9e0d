/* SPDX-License-Identifier: MIT */
/*
 * A read-only view of an ELF file on disk: bounds-checked sections, segments and strings.
 * Nothing here trusts a byte of the file.  Compressed sections are inflated when first used.
 */
#ifndef DEBUGINFO_ELF_FILE_H
#define DEBUGINFO_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of a file, or nothing (data NULL, size 0). */
typedef struct Span {
    const uint8_t *data;
    size_t size;
} Span;

typedef struct ElfSection {
    const char *name; /**< never NULL */
    Elf64_Shdr hdr;
    Span inflated;   /**< contents of a compressed section, malloc'ed */
    bool tried;      /**< to inflate it */
} ElfSection;

typedef struct ElfFile {
    char *path;
    Span image;
    bool mapped;       /**< image is a mapping of ours (else somebody else's memory) */
    Elf64_Ehdr ehdr;
    Elf64_Phdr *phdr;  /**< malloc'ed copies: the file may change */
    unsigned n_phdr;
    ElfSection *section;
    unsigned n_sections; /**< valid once sections_read */
    bool sections_read;
} ElfFile;

/** Map @p path; NULL if it is no 64-bit little-endian ELF file of this machine. */
ElfFile *elf_file_open(const char *path);
/** View of @p size bytes of memory that stays the caller's. */
ElfFile *elf_file_from_memory(const void *image, size_t size, const char *name);
void elf_file_close(ElfFile *f);

/** The bytes [offset, offset + size) or an empty span. */
Span elf_file_span(const ElfFile *f, uint64_t offset, uint64_t size);
/** Section called @p name with contents (".debug_x" also finds ".zdebug_x"), or NULL. */
ElfSection *elf_file_section(ElfFile *f, const char *name);
/** Contents of @p s, inflated if necessary; empty if there are none. */
Span elf_section_data(ElfFile *f, ElfSection *s);
/** elf_section_data of the section called @p name. */
Span elf_file_data(ElfFile *f, const char *name);
/** The @p n-th section's header index is valid and it is linked: its data (for sh_link). */
Span elf_file_data_at(ElfFile *f, unsigned n);
/** File contents at unbiased address @p vaddr up to the end of its segment; empty if none. */
Span elf_file_at_vaddr(const ElfFile *f, uint64_t vaddr);
/** First program header of @p type, or NULL. */
const Elf64_Phdr *elf_file_segment(const ElfFile *f, uint32_t type);
/** The NUL-terminated string at @p offset of @p s, or NULL. */
const char *span_string(Span s, uint64_t offset);
/** Build-id note; empty if none. */
Span elf_file_build_id(ElfFile *f);

/** See debuginfo_recover_fault(). */
bool elf_file_recover_fault(const void *host_addr);

#endif
