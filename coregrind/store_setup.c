/* SPDX-License-Identifier: MIT */
/* See store_setup.h. */
#include "store_setup.h"

#include <link.h>
#include <string.h>

#include "base/strbuf.h"
#include "coregrind/core/options.h"
#include "coregrind/store/store.h"
#include "coregrind/tool/tool_loader.h"

extern const uint8_t __executable_start[], _end[];

/** Options that say where reports go and what is in them; all others may change code. */
static bool concerns_reports(const char *option)
{
    static const char *const prefix[] = {
        "--cache-dir", "--cachegrind-out-file", "--child-silent", "--color", "--demangle",
        "--error-", "--errors-", "--fullpath-after", "--gen-suppressions", "--json", "--leak-",
        "--log-", "--massif-out-file", "--num-callers", "--quiet", "--show-", "--suppressions",
        "--time-stamp", "--track-fds", "--tool=", "--trace-children", "--verbose", "--xml",
    };
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (strncmp(option, prefix[i], strlen(prefix[i])) == 0)
            return true;
    return option[0] == '-' && option[1] != '-';
}

/** What is loaded around a given address. */
typedef struct Around {
    const uint8_t *address;
    StoreImage *image;
} Around;

static int note_image(struct dl_phdr_info *info, size_t size, void *ctx)
{
    const Around *a = ctx;
    uintptr_t end = 0;
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && p->p_vaddr + p->p_memsz > end)
            end = p->p_vaddr + p->p_memsz;
    }
    const uint8_t *base = (const uint8_t *)(uintptr_t)info->dlpi_addr;
    if (a->address < base || a->address >= base + end)
        return 0;
    a->image->base = base;
    a->image->size = end;
    return 1;
}

void store_setup(const GimleTool *tool)
{
    const char *dir = core_options->cache_dir;
    if ((dir && strcmp(dir, "no") == 0) || core_options->engine == ENGINE_INTERP)
        return;
    StoreConfig cfg = { .dir = dir, .image = { { .path = "/proc/self/exe",
                                                 .base = __executable_start,
                                                 .size = (size_t)(_end - __executable_start) },
                                               { .path = tool_path() } } };
    dl_iterate_phdr(note_image, &(Around){ (const uint8_t *)tool, &cfg.image[1] });
    StrBuf key = { 0 };
    unsigned n;
    const char *const *option = options_all(&n);
    strbuf_printf(&key, "%s %s %s", options_version(), tool->name, tool_path());
    for (unsigned i = 0; i < n; i++)
        if (!concerns_reports(option[i]))
            strbuf_printf(&key, "\n%s", option[i]);
    for (unsigned i = 0; i < tool->n_modes; i++)
        strbuf_printf(&key, "\n%llx", (unsigned long long)tool->modes[i].key);
    cfg.key = strbuf_text(&key);
    const char *why = store_init(&cfg);
    strbuf_free(&key);
    if (why && dir)
        gimle_user_error("--cache-dir=%s: %s", dir, why);
}
