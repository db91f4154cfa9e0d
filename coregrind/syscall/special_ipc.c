/* SPDX-License-Identifier: MIT */
/* System V message queues, semaphores and shared memory's control calls. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "coregrind/os/kernel_abi.h"
#include "coregrind/os/raw_syscall.h"
#include "special.h"

enum { IPC_64_FLAG = 0x100, INFO_BYTES = 72, SEMINFO_BYTES = 40, MSGINFO_BYTES = 32 };

typedef struct CtlRow {
    int cmd;
    uint16_t in, out;
    const char *what;
} CtlRow;

/* Commands with a structure at the pointer; all others take none. */
static void ctl_common(SysCall *c, const CtlRow *rows, size_t n, unsigned ptr_arg, unsigned cmd_arg)
{
    int cmd = (int)c->arg[cmd_arg] & ~IPC_64_FLAG;
    GuestAddr a = c->arg[ptr_arg];
    for (size_t i = 0; i < n; i++) {
        if (rows[i].cmd != cmd)
            continue;
        if (c->row->arg[ptr_arg].kind == SK_HANDLER)
            sys_reg(c, ptr_arg, NULL, 8);
        if ((rows[i].in && !sys_reads(c, rows[i].what, a, rows[i].in)) ||
            (rows[i].out && !sys_will_write(c, rows[i].what, a, rows[i].out)))
            c->result = -EFAULT;
        else if (sys_do(c) >= 0 && rows[i].out)
            sys_wrote(c, a, rows[i].out);
        return;
    }
    sys_do(c);
}

void sys_shmctl(SysCall *c)
{
    static const CtlRow rows[] = {
        { IPC_STAT, 0, KSIZE_SHMID_DS, "shmctl(IPC_STAT, arg.buf)" },
        { SHM_STAT, 0, KSIZE_SHMID_DS, "shmctl(SHM_STAT, arg.buf)" },
        { 15, 0, KSIZE_SHMID_DS, "shmctl(SHM_STAT_ANY, arg.buf)" },
        { IPC_SET, KSIZE_SHMID_DS, 0, "shmctl(IPC_SET, arg.buf)" },
        { IPC_INFO, 0, INFO_BYTES, "shmctl(IPC_INFO, buf)" },
        { SHM_INFO, 0, 48, "shmctl(SHM_INFO, buf)" },
    };
    ctl_common(c, rows, sizeof rows / sizeof rows[0], 2, 1);
}

void sys_msgctl(SysCall *c)
{
    static const CtlRow rows[] = {
        { IPC_STAT, 0, KSIZE_MSQID_DS, "msgctl(IPC_STAT, buf)" },
        { MSG_STAT, 0, KSIZE_MSQID_DS, "msgctl(MSG_STAT, buf)" },
        { 13, 0, KSIZE_MSQID_DS, "msgctl(MSG_STAT_ANY, buf)" },
        { IPC_SET, KSIZE_MSQID_DS, 0, "msgctl(IPC_SET, arg.buf)" },
        { IPC_INFO, 0, MSGINFO_BYTES, "msgctl(IPC_INFO, buf)" },
        { MSG_INFO, 0, MSGINFO_BYTES, "msgctl(MSG_INFO, buf)" },
    };
    ctl_common(c, rows, sizeof rows / sizeof rows[0], 2, 1);
}

/* Number of semaphores in the set: GETALL and SETALL are about that many shorts. */
static size_t sem_count(uint64_t id)
{
    struct semid_ds ds;
    return raw_syscall4(SYS_semctl, id, 0, IPC_STAT, (uintptr_t)&ds) < 0 ? 0 : ds.sem_nsems;
}

void sys_semctl(SysCall *c)
{
    static const CtlRow rows[] = {
        { IPC_STAT, 0, KSIZE_SEMID_DS, "semctl(IPC_STAT, arg.buf)" },
        { SEM_STAT, 0, KSIZE_SEMID_DS, "semctl(SEM_STAT, arg.buf)" },
        { 20, 0, KSIZE_SEMID_DS, "semctl(SEM_STAT_ANY, arg.buf)" },
        { IPC_SET, KSIZE_SEMID_DS, 0, "semctl(IPC_SET, arg.buf)" },
        { IPC_INFO, 0, SEMINFO_BYTES, "semctl(IPC_INFO, arg.buf)" },
        { SEM_INFO, 0, SEMINFO_BYTES, "semctl(SEM_INFO, arg.buf)" },
    };
    int cmd = (int)c->arg[2] & ~IPC_64_FLAG;
    size_t bytes = sem_count(c->arg[0]) * sizeof(uint16_t);
    if (cmd == GETALL || cmd == SETALL)
        sys_reg(c, 3, "arg", 8);
    if (cmd == GETALL) {
        if (!sys_will_write(c, "semctl(IPC_GETALL, arg.array)", c->arg[3], bytes))
            c->result = -EFAULT;
        else if (sys_do(c) == 0)
            sys_wrote(c, c->arg[3], bytes);
    } else if (cmd == SETALL) {
        if (!sys_reads(c, "semctl(IPC_SETALL, arg.array)", c->arg[3], bytes))
            c->result = -EFAULT;
        else
            sys_do(c);
    } else {
        ctl_common(c, rows, sizeof rows / sizeof rows[0], 3, 2);
    }
}

void sys_msgsnd(SysCall *c)
{
    if (!sys_reads(c, "msgp->mtype", c->arg[1], 8) ||
        !sys_reads(c, "msgp->mtext", c->arg[1] + 8, c->arg[2]))
        c->result = -EFAULT;
    else
        sys_do(c);
}

void sys_msgrcv(SysCall *c)
{
    if (!sys_will_write(c, "msgp->mtype", c->arg[1], 8) ||
        !sys_will_write(c, "msgp->mtext", c->arg[1] + 8, c->arg[2]))
        c->result = -EFAULT;
    else if (sys_do(c) >= 0)
        sys_wrote(c, c->arg[1], 8 + (size_t)c->result);
}
