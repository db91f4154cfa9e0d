/* SPDX-License-Identifier: MIT */
/*
 * The core file of a client that a signal ends: an ELF file (core(5), gABI chapter 4) with the
 * client's registers and memory, where the kernel's would have had Gimle's.  Nothing of the core or
 * of shadow memory is in it.  The caller has stopped the world.
 */
#include "core_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <unistd.h>

#include "VEX/vex.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "coregrind/aspace/aspace.h"
#include "coregrind/report/report.h"
#include "signal_internal.h"

enum { PAGE = 4096, MAX_NAMES = 100, XSTATE_FEATURES = 464 /* in the FXSAVE image, as xsave_hdr */ };

/** Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_THERE    (3ULL << 62) /* in memory or swapped out */
#define PM_OF_FILE  (1ULL << 61) /* the file's own page, or shared */

typedef struct CoreFile {
    int fd, pagemap;     /* pagemap: -1 if /proc does not tell */
    uint64_t limit;      /* RLIMIT_CORE: the file is cut there */
    bool failed;
    uint64_t states[512];   /* entries of pagemap, from that of page states_from on */
    uint64_t states_from;
    size_t n_states;
    StrBuf notes;
    VEC(Elf64_Phdr) ph;
} CoreFile;

bool core_file_wanted(int sig)
{
    static const int dumping[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                                   SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS };
    struct rlimit r;
    for (size_t i = 0; i < sizeof dumping / sizeof dumping[0]; i++)
        if (sig == dumping[i])
            return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur >= PAGE &&
                   prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
    return false;
}

void core_file_forbid_host(bool shares_memory)
{
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    if (!shares_memory) /* a pipe in core_pattern does not ask for the limit */
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- notes ------------------------------------------------------------------------------------- */

static void add_padded(StrBuf *b, const void *data, size_t n)
{
    strbuf_add(b, data, n);
    while (b->len % 4)
        strbuf_addc(b, 0);
}

static void add_note(CoreFile *c, const char *owner, uint32_t type, const void *data, size_t n)
{
    Elf64_Nhdr h = { .n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = (uint32_t)n, .n_type = type };
    strbuf_add(&c->notes, (const char *)&h, sizeof h);
    add_padded(&c->notes, owner, h.n_namesz);
    add_padded(&c->notes, data, n);
}

static void fill_registers(elf_gregset_t out, const GuestAmd64 *g)
{
    enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI }; /* places in gpr[]; r8 to r15 follow */
    enum { CODE_SELECTOR = 0x33, DATA_SELECTOR = 0x2b };
    const struct user_regs_struct r = {
        .rax = g->gpr[RAX], .rcx = g->gpr[RCX], .rdx = g->gpr[RDX], .rbx = g->gpr[RBX],
        .rsp = g->gpr[RSP], .rbp = g->gpr[RBP], .rsi = g->gpr[RSI], .rdi = g->gpr[RDI],
        .r8 = g->gpr[8],    .r9 = g->gpr[9],    .r10 = g->gpr[10],  .r11 = g->gpr[11],
        .r12 = g->gpr[12],  .r13 = g->gpr[13],  .r14 = g->gpr[14],  .r15 = g->gpr[15],
        .orig_rax = UINT64_MAX, .rip = g->pc, .eflags = vex_rflags_get(g) | 0x202,
        .cs = CODE_SELECTOR, .ss = DATA_SELECTOR, .fs_base = g->fs_base, .gs_base = g->gs_base,
    };
    _Static_assert(sizeof r == sizeof(elf_gregset_t), "the registers of struct elf_prstatus");
    memcpy(out, &r, sizeof r);
}

static void add_status(CoreFile *c, const Thread *t, int sig)
{
    struct elf_prstatus s;
    memset(&s, 0, sizeof s);
    s.pr_info.si_signo = s.pr_cursig = (short)sig;
    s.pr_pid = t->tid;
    s.pr_ppid = getppid();
    s.pr_pgrp = getpgrp();
    s.pr_sid = getsid(0);
    s.pr_sighold = t->blocked;
    fill_registers(s.pr_reg, &t->state->guest);
    s.pr_fpvalid = 1;
    add_note(c, "CORE", NT_PRSTATUS, &s, sizeof s);
}

static void add_vectors(CoreFile *c, Thread *t)
{
    uint64_t features = vex_xsave_features();
    size_t size = vex_xsave_size();
    uint8_t *image = aligned_alloc(64, (size + 63) & ~63ULL);
    if (!image)
        return;
    memset(image, 0, size);
    vex_xsave(t->state, image);
    add_note(c, "CORE", NT_FPREGSET, image, 512);
    memcpy(image + XSTATE_FEATURES, &features, sizeof features);
    add_note(c, "LINUX", NT_X86_XSTATE, image, size);
    free(image);
}

static void add_psinfo(CoreFile *c)
{
    struct elf_prpsinfo p;
    memset(&p, 0, sizeof p);
    p.pr_sname = 'R';
    p.pr_uid = getuid();
    p.pr_gid = getgid();
    p.pr_pid = getpid();
    p.pr_ppid = getppid();
    p.pr_pgrp = getpgrp();
    p.pr_sid = getsid(0);
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    memcpy(p.pr_fname, name, sizeof p.pr_fname);
    memcpy(p.pr_psargs, name, sizeof p.pr_fname);
    add_note(c, "CORE", NT_PRPSINFO, &p, sizeof p);
}

/** NT_FILE: count and page size, a triple for each mapping, then the names. */
static void add_files(CoreFile *c)
{
    StrBuf triples = { 0 }, names = { 0 };
    uint64_t head[2] = { 0, PAGE };
    GuestMapping m;
    for (GuestAddr a = 0; gimle_mapping_next(a, &m); a = m.end) {
        if (!m.is_file || !m.path)
            continue;
        uint64_t triple[3] = { m.start, m.end, m.file_offset / PAGE };
        strbuf_add(&triples, (const char *)triple, sizeof triple);
        strbuf_add(&names, m.path, strlen(m.path) + 1);
        head[0]++;
    }
    StrBuf all = { 0 };
    strbuf_add(&all, (const char *)head, sizeof head);
    strbuf_add(&all, triples.s, triples.len);
    strbuf_add(&all, names.s, names.len);
    add_note(c, "CORE", NT_FILE, all.s, all.len);
    strbuf_free(&triples);
    strbuf_free(&names);
    strbuf_free(&all);
}

static void add_notes(CoreFile *c, Thread *dying, const siginfo_t *info, GuestAddr auxv, size_t auxv_len)
{
    add_status(c, dying, info->si_signo);
    add_psinfo(c);
    add_note(c, "CORE", NT_SIGINFO, info, sizeof *info);
    StrBuf aux = { 0 };
    for (uint64_t word; aux.len < auxv_len; strbuf_add(&aux, (const char *)&word, sizeof word))
        if (gimle_read_guest(&word, auxv + aux.len, sizeof word) != sizeof word)
            break;
    add_note(c, "CORE", NT_AUXV, aux.s, aux.len);
    strbuf_free(&aux);
    add_files(c);
    add_vectors(c, dying);
    for (Thread *t = NULL; (t = thread_next(t));)
        if (t != dying) {
            add_status(c, t, 0);
            add_vectors(c, t);
        }
}

/* ---- memory ------------------------------------------------------------------------------------ */

/** The page's entry in pagemap; without it every page counts as there and as changed. */
static uint64_t page_state(CoreFile *c, GuestAddr page)
{
    uint64_t number = page / PAGE;
    if (c->pagemap < 0)
        return PM_THERE;
    if (number - c->states_from >= c->n_states) {
        ssize_t n = pread(c->pagemap, c->states, sizeof c->states,
                          (off_t)(number * sizeof c->states[0]));
        c->states_from = number;
        c->n_states = n > 0 ? (size_t)n / sizeof c->states[0] : 0;
    }
    return c->n_states ? c->states[number - c->states_from] : PM_THERE;
}

/** Of a file's own contents only what debuggers identify it by: the page with its ELF header. */
static uint64_t bytes_wanted(CoreFile *c, const GuestMapping *m)
{
    char magic[SELFMAG];
    if (!(m->prot & PROT_READ) || (m->is_file && m->is_shared))
        return 0;
    if (!m->is_file || (m->prot & PROT_WRITE))
        return m->end - m->start;
    for (GuestAddr a = m->start; a < m->end; a += PAGE) {
        uint64_t state = page_state(c, a);
        if ((state & PM_THERE) && !(state & PM_OF_FILE))
            return m->end - m->start; /* has been written to, like a program's relocations */
    }
    bool is_elf = m->file_offset == 0 && gimle_read_guest(magic, m->start, SELFMAG) == SELFMAG &&
                  memcmp(magic, ELFMAG, SELFMAG) == 0;
    return is_elf ? PAGE : 0;
}

static void list_memory(CoreFile *c)
{
    GuestMapping m;
    for (GuestAddr a = 0; gimle_mapping_next(a, &m); a = m.end) {
        uint32_t flags = (m.prot & PROT_READ ? PF_R : 0) | (m.prot & PROT_WRITE ? PF_W : 0) |
                         (m.prot & PROT_EXEC ? PF_X : 0);
        vec_push(&c->ph, ((Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = flags, .p_vaddr = m.start,
                                        .p_memsz = m.end - m.start,
                                        .p_filesz = bytes_wanted(c, &m), .p_align = PAGE }));
    }
}

/** Write at @p offset, up to the limit. */
static void put(CoreFile *c, uint64_t offset, const void *data, size_t n)
{
    if (offset >= c->limit)
        return;
    if (n > c->limit - offset)
        n = c->limit - offset;
    for (size_t done = 0; done < n && !c->failed;) {
        ssize_t r = pwrite(c->fd, (const char *)data + done, n - done, (off_t)(offset + done));
        if (r < 0 && errno == EINTR)
            continue;
        c->failed = r <= 0;
        done += r > 0 ? (size_t)r : 0;
    }
}

/** Pages that the client never touched stay holes of the file. */
static void put_memory(CoreFile *c, const Elf64_Phdr *p)
{
    char page[PAGE];
    for (uint64_t at = 0; at < p->p_filesz && p->p_offset + at < c->limit && !c->failed; at += PAGE)
        if ((page_state(c, p->p_vaddr + at) & PM_THERE) &&
            gimle_read_guest(page, p->p_vaddr + at, PAGE) == PAGE)
            put(c, p->p_offset + at, page, PAGE);
}

static void put_all(CoreFile *c)
{
    enum { MOST_HEADERS = 0xfffe };
    if (c->ph.n >= MOST_HEADERS)
        c->ph.n = MOST_HEADERS - 1;
    Elf64_Ehdr eh = { .e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
                      .e_phoff = sizeof eh, .e_ehsize = sizeof eh, .e_phentsize = sizeof(Elf64_Phdr),
                      .e_phnum = (uint16_t)(c->ph.n + 1) };
    memcpy(eh.e_ident, ELFMAG, SELFMAG);
    eh.e_ident[EI_CLASS] = ELFCLASS64;
    eh.e_ident[EI_DATA] = ELFDATA2LSB;
    eh.e_ident[EI_VERSION] = EV_CURRENT;
    uint64_t at = sizeof eh + (c->ph.n + 1) * sizeof(Elf64_Phdr);
    Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = at, .p_filesz = c->notes.len, .p_align = 4 };
    at = (at + c->notes.len + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    for (size_t i = 0; i < c->ph.n; i++) {
        c->ph.data[i].p_offset = at;
        at += c->ph.data[i].p_filesz;
    }
    put(c, 0, &eh, sizeof eh);
    put(c, sizeof eh, &note, sizeof note);
    put(c, sizeof eh + sizeof note, c->ph.data, c->ph.n * sizeof(Elf64_Phdr));
    put(c, note.p_offset, c->notes.s, c->notes.len);
    for (size_t i = 0; i < c->ph.n; i++)
        put_memory(c, &c->ph.data[i]);
    if (!c->failed && ftruncate(c->fd, (off_t)(at < c->limit ? at : c->limit)) != 0)
        c->failed = true;
}

/* ---- the file ---------------------------------------------------------------------------------- */

/** A new file BASE.PID, BASE.PID.1 and so on, where BASE is "vgcore" or the log file's name and ".core". */
static int create_file(const char *log_path, StrBuf *name)
{
    for (unsigned n = 0; n < MAX_NAMES; n++) {
        strbuf_clear(name);
        strbuf_printf(name, "%s%s.%d", log_path ? log_path : "vgcore", log_path ? ".core" : "",
                      (int)getpid());
        if (n > 0)
            strbuf_printf(name, ".%u", n);
        int fd = open(name->s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

void core_file_write(Thread *t, const siginfo_t *info, GuestAddr auxv, size_t auxv_len)
{
    struct rlimit r;
    StrBuf name = { 0 };
    CoreFile c = { .fd = create_file(report_log_path(), &name), .pagemap = -1, .limit = RLIM_INFINITY };
    if (c.fd >= 0) {
        if (getrlimit(RLIMIT_CORE, &r) == 0)
            c.limit = r.rlim_cur;
        c.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        add_notes(&c, t, info, auxv, auxv_len);
        list_memory(&c);
        put_all(&c);
        if (c.pagemap >= 0)
            close(c.pagemap);
    }
    if (c.fd < 0 || c.failed)
        gimle_umsg("cannot write the core file '%s': %s\n", name.s, strerror(errno));
    if (c.fd >= 0)
        close(c.fd);
    strbuf_free(&name);
    strbuf_free(&c.notes);
    vec_free(&c.ph);
}
