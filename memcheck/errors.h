/* SPDX-License-Identifier: MIT */
/* Memcheck's errors: recording them.  What they look like is in errors.c. */
#ifndef MEMCHECK_ERRORS_H
#define MEMCHECK_ERRORS_H

#include "memcheck.h"

typedef enum McErrorKind {
    ME_VALUE,     /**< use of an undefined value */
    ME_COND,      /**< a condition depends on one */
    ME_ADDR,      /**< invalid read or write */
    ME_JUMP,      /**< jump to an invalid address */
    ME_PARAM,     /**< parameter of a system call */
    ME_USER,      /**< client request found undefined or unaddressable bytes */
    ME_FREE,      /**< free of what is not a live block */
    ME_MISMATCH,  /**< free by the wrong function */
    ME_OVERLAP,   /**< memcpy and the like */
    ME_FISHY,     /**< argument looks negative */
    ME_MEMPOOL,   /**< no such memory pool */
    ME_LEAK,
    ME_KINDS
} McErrorKind;

/** @p origin: address that the undefined bits were loaded from, 0 if not known. */
void mc_error_value(Thread *t, unsigned size, GuestAddr origin);
void mc_error_cond(Thread *t, GuestAddr origin);
/** Invalid access of @p size bytes; ignored if the user asked to ignore the address. */
void mc_error_access(Thread *t, GuestAddr a, unsigned size, bool write);
/** Was the access to @p a by the present instruction of @p t the last one reported? */
bool mc_error_just_reported(Thread *t, GuestAddr a);
void mc_error_jump(Thread *t, GuestAddr a);
/** Argument @p what ("write(buf)") points to bad bytes at @p a. */
void mc_error_param(Thread *t, const char *what, GuestAddr a, bool unaddressable);
/** Argument @p what is undefined itself. */
void mc_error_param_register(Thread *t, const char *what, GuestAddr origin);
void mc_error_user(Thread *t, GuestAddr a, bool unaddressable);
void mc_error_free(Thread *t, GuestAddr a);
void mc_error_mismatch(Thread *t, GuestAddr a);
/** @p n: number of bytes, (size_t)-1 if the function has no such argument. */
void mc_error_overlap(Thread *t, const char *function, GuestAddr dst, GuestAddr src, size_t n);
/** @p what is "malloc(size)", static text. */
void mc_error_fishy(Thread *t, const char *what, int64_t value);
void mc_error_mempool(Thread *t, GuestAddr pool);

/** One loss record, for printing. */
typedef struct McLoss {
    LeakKind kind;
    uint64_t bytes, indirect_bytes, blocks;
    uint64_t old_bytes, old_indirect_bytes, old_blocks; /**< at the previous check; only if delta */
    bool delta;
    unsigned number, of;
    const StackTrace *where;
} McLoss;
/** Show or count a loss record; true if it was not suppressed. */
bool mc_error_leak(Thread *t, McLoss *loss, bool print, bool count);

/** Write a loss record to the log, with its stack, as it is now. */
void mc_print_loss(const McLoss *loss);
/** Write what is at @p a to the log, as in errors of thread @p t. */
void mc_print_address(Thread *t, GuestAddr a);

/** Was an error about undefined values shown? */
bool mc_saw_undefined(void);
enum { MC_DELTA_TEXT = 80 };
/** "a" or, with @p delta, "a (+n)": a number that was @p before at the last leak check. */
const char *mc_with_delta(char *buf, bool delta, uint64_t now, uint64_t before);
/** @p n with commas, in @p buf of at least 32 bytes. */
const char *mc_commas(char *buf, uint64_t n);

/** A block that a client described (VALGRIND_CREATE_BLOCK), if @p a is in one. */
typedef struct McClientBlock {
    GuestAddr start;
    size_t size;
    const char *name;
    const StackTrace *where;
} McClientBlock;
bool mc_client_block_at(GuestAddr a, McClientBlock *out);

#endif
