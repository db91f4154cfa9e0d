/* SPDX-License-Identifier: MIT */
/*
 * The kernel's vDSO cannot be given to the client: it lies among the core's mappings.  Without one,
 * every clock_gettime() of the client would be a system call.  So the client gets a small ELF object
 * made here (System V gABI chapters 4 and 5: a dynamic symbol table and its hash), and each of its
 * functions is intercepted like any replaced function and asks the host's vDSO.
 */
#include "vdso.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "coregrind/aspace/aspace.h"
#include "coregrind/core/events.h"
#include "coregrind/debuginfo/debuginfo.h"
#include "redirect.h"

enum { RAX = 0, VDSO_BYTES = 4096, VDSO_TEXT = 2048, VDSO_STEP = 32 };

/** Copy a result to the client as the system call would, checks by the tool included. */
static bool vdso_store(GuestCall *c, const char *what, GuestAddr to, const void *from, size_t len)
{
    EVENT(sys_pre_write, c->thread, what, to, len);
    if (gimle_write_guest(to, from, len) != len)
        return false;
    EVENT(sys_post_write, c->thread, to, len);
    return true;
}

static void vdso_return(GuestCall *c, bool ok) { guest_call_return(c, ok ? 0 : (uint64_t)-EFAULT); }

static void vdso_clock_gettime(GuestCall *c)
{
    struct timespec ts;
    if (clock_gettime((clockid_t)guest_call_arg(c, 0), &ts) != 0)
        guest_call_return(c, (uint64_t)-errno);
    else
        vdso_return(c, vdso_store(c, "clock_gettime(tp)", guest_call_arg(c, 1), &ts, sizeof ts));
}

static void vdso_clock_getres(GuestCall *c)
{
    struct timespec ts;
    GuestAddr to = guest_call_arg(c, 1);
    if (clock_getres((clockid_t)guest_call_arg(c, 0), &ts) != 0)
        guest_call_return(c, (uint64_t)-errno);
    else
        vdso_return(c, !to || vdso_store(c, "clock_getres(res)", to, &ts, sizeof ts));
}

static void vdso_gettimeofday(GuestCall *c)
{
    struct timeval tv;
    struct timezone tz;
    GuestAddr tv_to = guest_call_arg(c, 0), tz_to = guest_call_arg(c, 1);
    gettimeofday(&tv, &tz);
    bool ok = (!tv_to || vdso_store(c, "gettimeofday(tv)", tv_to, &tv, sizeof tv)) &&
              (!tz_to || vdso_store(c, "gettimeofday(tz)", tz_to, &tz, sizeof tz));
    vdso_return(c, ok);
}

static void vdso_time(GuestCall *c)
{
    time_t t = time(NULL);
    GuestAddr to = guest_call_arg(c, 0);
    if (to && !vdso_store(c, "time(t)", to, &t, sizeof t))
        guest_call_return(c, (uint64_t)-EFAULT);
    else
        guest_call_return(c, (uint64_t)t);
}

static void vdso_getcpu(GuestCall *c)
{
    unsigned cpu = 0, node = 0;
    GuestAddr cpu_to = guest_call_arg(c, 0), node_to = guest_call_arg(c, 1);
    syscall(SYS_getcpu, &cpu, &node, NULL);
    bool ok = (!cpu_to || vdso_store(c, "getcpu(cpu)", cpu_to, &cpu, sizeof cpu)) &&
              (!node_to || vdso_store(c, "getcpu(node)", node_to, &node, sizeof node));
    vdso_return(c, ok);
}

/* ---- quick forms ------------------------------------------------------------------------------ */

static bool with_shadow; /* the tool keeps one */

/**
 * May the client's [to, to + len) be written without asking the tool?  With a shadow that is where it
 * is zero: memory that may be used and is defined, as it will be.
 */
static bool vdso_may_store(GuestAddr to, size_t len)
{
    static const uint8_t zeros[16];
    if (to >= GIMLE_CLIENT_END - sizeof zeros)
        return false;
    if (!core_events.sys_pre_write && !core_events.sys_post_write)
        return true;
    return with_shadow && memcmp(gimle_shadow(to), zeros, len) == 0;
}

#define QUICK(name)                                                                        \
    static GuestQuick name(uint64_t a0, uint64_t a1, uint64_t a2 __attribute__((unused)),  \
                           uint64_t a3 __attribute__((unused)),                            \
                           struct VexState *s __attribute__((unused)),                     \
                           const struct Intercept *what __attribute__((unused)))

QUICK(quick_clock_gettime)
{
    enum { IN_VDSO = 1 << CLOCK_REALTIME | 1 << CLOCK_MONOTONIC | 1 << CLOCK_REALTIME_COARSE |
                     1 << CLOCK_MONOTONIC_COARSE | 1 << CLOCK_MONOTONIC_RAW | 1 << CLOCK_BOOTTIME };
    struct timespec ts;
    uint32_t clock = (uint32_t)a0;
    if (clock >= 32 || !(IN_VDSO >> clock & 1) || !vdso_may_store(a1, sizeof ts) ||
        clock_gettime((clockid_t)clock, &ts) != 0)
        return guest_quick_declined();
    *(struct timespec *)(uintptr_t)a1 = ts;
    return guest_quick_done(0);
}

QUICK(quick_gettimeofday)
{
    struct timeval tv;
    if (a1 || !vdso_may_store(a0, sizeof tv) || gettimeofday(&tv, NULL) != 0)
        return guest_quick_declined();
    *(struct timeval *)(uintptr_t)a0 = tv;
    return guest_quick_done(0);
}

QUICK(quick_time)
{
    (void)a1;
    if (a0 && !vdso_may_store(a0, sizeof(time_t)))
        return guest_quick_declined();
    time_t t = time(NULL);
    if (a0)
        *(time_t *)(uintptr_t)a0 = t;
    return guest_quick_done((uint64_t)t);
}

static const Intercept functions[] = {
    { "linux-vdso.so.1", "__vdso_clock_gettime", 0, vdso_clock_gettime, NULL, 0, quick_clock_gettime },
    { "linux-vdso.so.1", "__vdso_gettimeofday", 0, vdso_gettimeofday, NULL, 0, quick_gettimeofday },
    { "linux-vdso.so.1", "__vdso_time", 0, vdso_time, NULL, 0, quick_time },
    { "linux-vdso.so.1", "__vdso_getcpu", 0, vdso_getcpu, NULL, 0, NULL },
    { "linux-vdso.so.1", "__vdso_clock_getres", 0, vdso_clock_getres, NULL, 0, NULL },
};

enum { N_FUNCTIONS = sizeof functions / sizeof functions[0], N_SYMBOLS = N_FUNCTIONS + 1 };

/** The whole object; addresses are offsets from its start. */
typedef struct VdsoImage {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[2];
    Elf64_Dyn dyn[10];
    Elf64_Sym sym[N_SYMBOLS];
    struct { Elf64_Verdef def; Elf64_Verdaux name; } version[2];
    uint16_t versym[N_SYMBOLS + N_SYMBOLS % 2];
    uint32_t hash[2 + 1 + N_SYMBOLS]; /* nbucket, nchain, one bucket, chains */
    char str[512];
} VdsoImage;

_Static_assert(sizeof(VdsoImage) <= VDSO_TEXT, "the functions follow the tables");

static void vdso_fill_headers(VdsoImage *v)
{
    memcpy(v->eh.e_ident, ELFMAG, SELFMAG);
    v->eh.e_ident[EI_CLASS] = ELFCLASS64;
    v->eh.e_ident[EI_DATA] = ELFDATA2LSB;
    v->eh.e_ident[EI_VERSION] = EV_CURRENT;
    v->eh.e_type = ET_DYN;
    v->eh.e_machine = EM_X86_64;
    v->eh.e_version = EV_CURRENT;
    v->eh.e_phoff = offsetof(VdsoImage, ph);
    v->eh.e_ehsize = sizeof(Elf64_Ehdr);
    v->eh.e_phentsize = sizeof(Elf64_Phdr);
    v->eh.e_phnum = 2;
    v->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = VDSO_BYTES,
                             .p_memsz = VDSO_BYTES, .p_align = VDSO_BYTES };
    v->ph[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_flags = PF_R,
                             .p_offset = offsetof(VdsoImage, dyn),
                             .p_vaddr = offsetof(VdsoImage, dyn), .p_filesz = sizeof v->dyn,
                             .p_memsz = sizeof v->dyn, .p_align = 8 };
}

/** Hash of version names (System V gABI chapter 5, "Hash Table"). */
static uint32_t elf_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (uint8_t)*s;
        h = (h ^ (h >> 28) << 4) & 0x0fffffff;
    }
    return h;
}

/** Version 1 is the object itself, 2 the one all symbols have; Go insists on finding it. */
static void vdso_fill_versions(VdsoImage *v, size_t soname, size_t version)
{
    const size_t names[2] = { soname, version };
    for (unsigned i = 0; i < 2; i++) {
        v->version[i].def = (Elf64_Verdef){ .vd_version = VER_DEF_CURRENT,
                                            .vd_flags = i == 0 ? VER_FLG_BASE : 0,
                                            .vd_ndx = (Elf64_Half)(i + 1), .vd_cnt = 1,
                                            .vd_hash = elf_hash(v->str + names[i]),
                                            .vd_aux = sizeof(Elf64_Verdef),
                                            .vd_next = i == 0 ? sizeof v->version[0] : 0 };
        v->version[i].name = (Elf64_Verdaux){ .vda_name = (Elf64_Word)names[i] };
    }
    for (unsigned i = 1; i < N_SYMBOLS; i++)
        v->versym[i] = 2;
}

static void vdso_fill_symbols(VdsoImage *v)
{
    size_t at = 1;
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        v->sym[i + 1] = (Elf64_Sym){ .st_name = (Elf64_Word)at,
                                     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
                                     .st_value = VDSO_TEXT + i * VDSO_STEP, .st_size = VDSO_STEP };
        strcpy(v->str + at, functions[i].symbol);
        at += strlen(functions[i].symbol) + 1;
    }
    size_t soname = at;
    strcpy(v->str + at, "linux-vdso.so.1");
    size_t version = at + sizeof "linux-vdso.so.1";
    strcpy(v->str + version, "LINUX_2.6");
    vdso_fill_versions(v, soname, version);
    /* One bucket whose chain goes through all symbols: five names need no better hash. */
    v->hash[0] = 1;
    v->hash[1] = N_SYMBOLS;
    v->hash[2] = 1;
    for (unsigned i = 1; i < N_SYMBOLS; i++)
        v->hash[3 + i] = i + 1 < N_SYMBOLS ? i + 1 : 0;
    const Elf64_Dyn dyn[10] = {
        { DT_SONAME, { soname } },
        { DT_HASH, { offsetof(VdsoImage, hash) } },
        { DT_SYMTAB, { offsetof(VdsoImage, sym) } },
        { DT_STRTAB, { offsetof(VdsoImage, str) } },
        { DT_STRSZ, { sizeof v->str } },
        { DT_SYMENT, { sizeof(Elf64_Sym) } },
        { DT_VERSYM, { offsetof(VdsoImage, versym) } },
        { DT_VERDEF, { offsetof(VdsoImage, version) } },
        { DT_VERDEFNUM, { 2 } },
        { DT_NULL, { 0 } },
    };
    memcpy(v->dyn, dyn, sizeof dyn);
}

GuestAddr vdso_map(bool shadow)
{
    with_shadow = shadow;
    int64_t a = aspace_mmap(0, VDSO_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a < 0)
        return 0;
    VdsoImage *v = (VdsoImage *)a;
    vdso_fill_headers(v);
    vdso_fill_symbols(v);
    /* Never executed: the addresses are intercepted. UD2 where a function would be. */
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        memcpy((char *)a + VDSO_TEXT + i * VDSO_STEP, "\x0f\x0b", 2);
        redirect_add((GuestAddr)a + VDSO_TEXT + i * VDSO_STEP, &functions[i]);
    }
    aspace_mprotect((GuestAddr)a, VDSO_BYTES, PROT_READ | PROT_EXEC);
    aspace_set_vdso((GuestAddr)a);
    debuginfo_map_image((GuestAddr)a, VDSO_BYTES, "linux-vdso.so.1");
    return (GuestAddr)a;
}
