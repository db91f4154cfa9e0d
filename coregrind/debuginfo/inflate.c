/* SPDX-License-Identifier: MIT */
/*
 * zlib and zstd are loaded when the first compressed section is read: most runs never need
 * them.  The sizes that a file claims are not believed further than its data can expand.
 */
#include "coregrind/debuginfo/inflate.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESS_ZLIB = 1, COMPRESS_ZSTD = 2 };

/* Deflate cannot exceed 1032:1; zstd can, but debug sections do not. */
enum { MAX_RATIO = 1100, MAX_RATIO_SLACK = 1 << 16 };

typedef int ZlibUncompress(uint8_t *to, unsigned long *to_size, const uint8_t *from,
                           unsigned long size);
typedef size_t ZstdDecompress(void *to, size_t to_size, const void *from, size_t size);

static void *library_symbol(const char *library, const char *symbol)
{
    void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    return lib ? dlsym(lib, symbol) : NULL;
}

static bool expand_zlib(Span from, uint8_t *to, size_t size)
{
    static ZlibUncompress *uncompress;
    if (!uncompress)
        uncompress = (ZlibUncompress *)library_symbol("libz.so.1", "uncompress");
    unsigned long n = size;
    return uncompress && uncompress(to, &n, from.data, from.size) == 0 && n == size;
}

static bool expand_zstd(Span from, uint8_t *to, size_t size)
{
    static ZstdDecompress *decompress;
    if (!decompress)
        decompress = (ZstdDecompress *)library_symbol("libzstd.so.1", "ZSTD_decompress");
    return decompress && decompress(to, size, from.data, from.size) == size;
}

static Span expand(Span from, uint64_t size, unsigned type)
{
    if (size == 0 || size / MAX_RATIO > from.size + MAX_RATIO_SLACK)
        return (Span){0};
    uint8_t *to = malloc(size);
    if (!to)
        return (Span){0};
    if ((type == COMPRESS_ZLIB && expand_zlib(from, to, size)) ||
        (type == COMPRESS_ZSTD && expand_zstd(from, to, size)))
        return (Span){to, size};
    free(to);
    return (Span){0};
}

Span inflate_section(Span raw)
{
    Elf64_Chdr h;
    if (raw.size < sizeof h)
        return (Span){0};
    memcpy(&h, raw.data, sizeof h);
    return expand((Span){raw.data + sizeof h, raw.size - sizeof h}, h.ch_size, h.ch_type);
}

Span inflate_gnu(Span raw)
{
    if (raw.size < 12 || memcmp(raw.data, "ZLIB", 4) != 0)
        return (Span){0};
    uint64_t size = 0;
    for (unsigned i = 4; i < 12; i++)
        size = size << 8 | raw.data[i];
    return expand((Span){raw.data + 12, raw.size - 12}, size, COMPRESS_ZLIB);
}
