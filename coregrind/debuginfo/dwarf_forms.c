/* SPDX-License-Identifier: MIT */
/*
 * Attribute values (DWARF 5, section 7.5.6 and 7.6; older and GNU forms too).
 * How a form is encoded and what it means is one table.
 */
#include "coregrind/debuginfo/dwarf_internal.h"

/* How many bytes a value has; numbers up to 16 mean themselves. */
enum Encoding {
    ENC_UNKNOWN = 0, ENC_EMPTY = 17, ENC_ULEB, ENC_SLEB, ENC_OFFSET, ENC_ADDR, ENC_STRING,
    ENC_BLOCK1, ENC_BLOCK2, ENC_BLOCK4, ENC_BLOCK, ENC_INDIRECT, ENC_IMPLICIT, ENC_REF_ADDR
};

typedef struct FormRule {
    uint8_t enc, cls;
} FormRule;

static const FormRule standard_forms[] = {
    [0x01] = {ENC_ADDR, VAL_ADDR},         /* addr */
    [0x03] = {ENC_BLOCK2, VAL_BLOCK},      /* block2 */
    [0x04] = {ENC_BLOCK4, VAL_BLOCK},      /* block4 */
    [0x05] = {2, VAL_CONST},               /* data2 */
    [0x06] = {4, VAL_CONST},               /* data4 */
    [0x07] = {8, VAL_CONST},               /* data8 */
    [0x08] = {ENC_STRING, VAL_STRING},     /* string */
    [0x09] = {ENC_BLOCK, VAL_BLOCK},       /* block */
    [0x0a] = {ENC_BLOCK1, VAL_BLOCK},      /* block1 */
    [0x0b] = {1, VAL_CONST},               /* data1 */
    [0x0c] = {1, VAL_CONST},               /* flag */
    [0x0d] = {ENC_SLEB, VAL_CONST},        /* sdata */
    [0x0e] = {ENC_OFFSET, VAL_STRP},       /* strp */
    [0x0f] = {ENC_ULEB, VAL_CONST},        /* udata */
    [0x10] = {ENC_REF_ADDR, VAL_REF_ADDR}, /* ref_addr */
    [0x11] = {1, VAL_REF},                 /* ref1 */
    [0x12] = {2, VAL_REF},                 /* ref2 */
    [0x13] = {4, VAL_REF},                 /* ref4 */
    [0x14] = {8, VAL_REF},                 /* ref8 */
    [0x15] = {ENC_ULEB, VAL_REF},          /* ref_udata */
    [0x16] = {ENC_INDIRECT, VAL_NONE},     /* indirect */
    [0x17] = {ENC_OFFSET, VAL_OFFSET},     /* sec_offset */
    [0x18] = {ENC_BLOCK, VAL_BLOCK},       /* exprloc */
    [0x19] = {ENC_EMPTY, VAL_CONST},       /* flag_present */
    [0x1a] = {ENC_ULEB, VAL_STRX},         /* strx */
    [0x1b] = {ENC_ULEB, VAL_ADDRX},        /* addrx */
    [0x1c] = {4, VAL_REF_ALT},             /* ref_sup4 */
    [0x1d] = {ENC_OFFSET, VAL_STRP_ALT},   /* strp_sup */
    [0x1e] = {16, VAL_NONE},               /* data16 */
    [0x1f] = {ENC_OFFSET, VAL_LINE_STRP},  /* line_strp */
    [0x20] = {8, VAL_NONE},                /* ref_sig8: only types have one */
    [0x21] = {ENC_IMPLICIT, VAL_CONST},    /* implicit_const */
    [0x22] = {ENC_ULEB, VAL_NONE},         /* loclistx */
    [0x23] = {ENC_ULEB, VAL_RNGX},         /* rnglistx */
    [0x24] = {8, VAL_REF_ALT},             /* ref_sup8 */
    [0x25] = {1, VAL_STRX},                /* strx1 */
    [0x26] = {2, VAL_STRX},                /* strx2 */
    [0x27] = {3, VAL_STRX},                /* strx3 */
    [0x28] = {4, VAL_STRX},                /* strx4 */
    [0x29] = {1, VAL_ADDRX},               /* addrx1 */
    [0x2a] = {2, VAL_ADDRX},               /* addrx2 */
    [0x2b] = {3, VAL_ADDRX},               /* addrx3 */
    [0x2c] = {4, VAL_ADDRX},               /* addrx4 */
};

static const struct {
    uint16_t form;
    FormRule rule;
} gnu_forms[] = {
    {0x1f01, {ENC_ULEB, VAL_ADDRX}},      /* GNU_addr_index */
    {0x1f02, {ENC_ULEB, VAL_STRX}},       /* GNU_str_index */
    {0x1f20, {ENC_OFFSET, VAL_REF_ALT}},  /* GNU_ref_alt */
    {0x1f21, {ENC_OFFSET, VAL_STRP_ALT}}, /* GNU_strp_alt */
};

enum { FORM_INDIRECT = 0x16, FORM_IMPLICIT_CONST = 0x21 };

#define COUNT(a) (sizeof(a) / sizeof *(a))

static FormRule form_rule(unsigned form)
{
    if (form < COUNT(standard_forms))
        return standard_forms[form];
    for (size_t i = 0; i < COUNT(gnu_forms); i++)
        if (gnu_forms[i].form == form)
            return gnu_forms[i].rule;
    return (FormRule){ENC_UNKNOWN, VAL_NONE};
}

/* Bytes of encodings whose size depends on the unit only. */
static unsigned encoding_size(const Unit *u, unsigned enc)
{
    if (enc <= 16)
        return enc;
    if (enc == ENC_OFFSET)
        return u->offset_size;
    if (enc == ENC_ADDR)
        return u->addr_size;
    if (enc == ENC_REF_ADDR)
        return u->version <= 2 ? u->addr_size : u->offset_size;
    return 0;
}

unsigned form_fixed_size(const Unit *u, unsigned form)
{
    return encoding_size(u, form_rule(form).enc);
}

/* Bytes whose number has been read; a cursor that gets bad tells the caller. */
static bool read_block(Cursor *c, Value *v)
{
    v->s = (const char *)c->p;
    cursor_skip(c, v->u);
    return true;
}

bool read_form(const Unit *u, Cursor *c, unsigned form, int64_t implicit, Value *v)
{
    FormRule r = form_rule(form);
    *v = (Value){.cls = r.cls};
    unsigned size = encoding_size(u, r.enc);
    if (size > 8) {
        cursor_skip(c, size);
        return true;
    }
    if (size) {
        v->u = cursor_fixed(c, size);
        return true;
    }
    switch ((enum Encoding)r.enc) {
    case ENC_EMPTY:    v->u = 1; return true;
    case ENC_ULEB:     v->u = cursor_uleb(c); return true;
    case ENC_SLEB:     v->u = (uint64_t)cursor_sleb(c); return true;
    case ENC_IMPLICIT: v->u = (uint64_t)implicit; return true;
    case ENC_STRING:   v->s = cursor_string(c); return true;
    case ENC_BLOCK1:   v->u = cursor_fixed(c, 1); return read_block(c, v);
    case ENC_BLOCK2:   v->u = cursor_fixed(c, 2); return read_block(c, v);
    case ENC_BLOCK4:   v->u = cursor_fixed(c, 4); return read_block(c, v);
    case ENC_BLOCK:    v->u = cursor_uleb(c); return read_block(c, v);
    case ENC_INDIRECT: {
        uint64_t real = cursor_uleb(c);
        if (real == FORM_INDIRECT || real == FORM_IMPLICIT_CONST || real > UINT16_MAX)
            return false;
        return read_form(u, c, (unsigned)real, 0, v);
    }
    default: return false;
    }
}

/* Entry @p index of a table of @p size-byte entries at @p base of a section. */
static bool indexed(Span s, uint64_t base, uint64_t index, unsigned size, uint64_t *out)
{
    uint64_t at;
    if (__builtin_mul_overflow(index, size, &at) || __builtin_add_overflow(at, base, &at))
        return false;
    Cursor c = span_cursor(s, at);
    *out = c.bad ? 0 : cursor_fixed(&c, size);
    return !c.bad;
}

const char *value_string(const Unit *u, const Value *v)
{
    const DwarfFile *f = u->file;
    uint64_t offset;
    switch (v->cls) {
    case VAL_STRING:    return v->s;
    case VAL_STRP:      return span_string(f->str, v->u);
    case VAL_LINE_STRP: return span_string(f->line_str, v->u);
    case VAL_STRP_ALT:  return f->alt ? span_string(f->alt->str, v->u) : NULL;
    case VAL_STRX:
        if (!indexed(f->str_offsets, u->str_offsets_base, v->u, u->offset_size, &offset))
            return NULL;
        return span_string(f->str, offset);
    default: return NULL;
    }
}

bool value_address(const Unit *u, const Value *v, uint64_t *out)
{
    *out = v->u;
    if (v->cls == VAL_ADDR)
        return true;
    return v->cls == VAL_ADDRX && indexed(u->file->addr, u->addr_base, v->u, u->addr_size, out);
}
