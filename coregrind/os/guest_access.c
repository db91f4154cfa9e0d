/* SPDX-License-Identifier: MIT */
/* Access to client memory from C code that must not die when the client's pointer is bad. */
#include "coregrind/os/guest_access.h"

#include <stddef.h>
#include <ucontext.h>

#include "coregrind/os/guarded_load.h"
#include "coregrind/os/safe_copy.h"
#include "gimle/memory.h"

size_t guest_copy_bytes(void *dst, const void *src, size_t n);
size_t guest_copy_strlen(const char *s, size_t max);
extern const char guest_copy_start[], guest_copy_end[], guest_copy_fault[];

/* Made by the linker where there are such loads. */
extern const GuardedLoad __start_guarded_loads[] __attribute__((weak, visibility("hidden")));
extern const GuardedLoad __stop_guarded_loads[] __attribute__((weak, visibility("hidden")));

static bool guarded;

void guest_access_set_guarded(void) { guarded = true; }

/** Where to go on after a fault at @p pc, or 0 if that is no guarded load. */
static uintptr_t resume_after_load(uintptr_t pc)
{
    for (const GuardedLoad *l = __start_guarded_loads; l < __stop_guarded_loads; l++)
        if ((uintptr_t)&l->load + (uintptr_t)(intptr_t)l->load == pc)
            return (uintptr_t)&l->resume + (uintptr_t)(intptr_t)l->resume;
    return 0;
}

bool guest_access_fixup(void *context)
{
    ucontext_t *uc = context;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    uintptr_t resume = resume_after_load(pc);
    if (resume) {
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)resume;
        return true;
    }
    if (pc < (uintptr_t)guest_copy_start || pc >= (uintptr_t)guest_copy_end)
        return false;
    if (pc != (uintptr_t)guest_copy_start) /* in the string loop: not "the rest", but "no string" */
        uc->uc_mcontext.gregs[REG_RCX] = -1;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)guest_copy_fault;
    return true;
}

/* How many of @p len bytes at @p a are in the client's range. */
static size_t client_part(GuestAddr a, size_t len)
{
    if (a >= GIMLE_CLIENT_END)
        return 0;
    return len < GIMLE_CLIENT_END - a ? len : GIMLE_CLIENT_END - a;
}

size_t gimle_read_guest(void *dst, GuestAddr src, size_t len)
{
    len = client_part(src, len);
    if (!guarded)
        return safe_read_some(src, dst, len);
    return len - guest_copy_bytes(dst, (const void *)(uintptr_t)src, len);
}

size_t gimle_write_guest(GuestAddr dst, const void *src, size_t len)
{
    len = client_part(dst, len);
    if (!guarded)
        return safe_write(dst, src, len) ? len : 0;
    return len - guest_copy_bytes((void *)(uintptr_t)dst, src, len);
}

static long strlen_unguarded(GuestAddr a, size_t max)
{
    char part[256];
    for (size_t done = 0; done < max;) {
        size_t want = max - done < sizeof part ? max - done : sizeof part;
        size_t n = safe_read_some(a + done, part, want);
        for (size_t i = 0; i < n; i++)
            if (part[i] == 0)
                return (long)(done + i);
        if (n < want)
            return -1;
        done += n;
    }
    return (long)max;
}

long gimle_guest_strlen(GuestAddr a, size_t max)
{
    size_t in_range = client_part(a, max);
    if (in_range < max && in_range == 0)
        return -1;
    if (!guarded)
        return strlen_unguarded(a, in_range);
    size_t left = guest_copy_strlen((const char *)(uintptr_t)a, in_range);
    return left == (size_t)-1 ? -1 : (long)(in_range - left);
}
